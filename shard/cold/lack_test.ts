import assert from "node:assert/strict";
import type { Group } from "../../group/mod.ts";
import { objectKey } from "../../storage/cold/mod.ts";
import { type Command, GroupState, type Outcome } from "../../stream/mod.ts";
import { appendOf, bodyOf, createOf, openBucketOf } from "../../tests/given/commands.ts";
import { Holdings } from "./holdings.ts";
import { Lack } from "./lack.ts";

const FORMATION = "f0000000";
const keyOf = (number: number) => objectKey({ formation: FORMATION, group: 0, number, term: 1 });

/** A replica whose state a test writes to, and what its node holds. */
class Stage {
  readonly holdings = new Holdings(FORMATION);
  readonly state: GroupState;
  readonly lack: Lack;
  #index = 0;

  constructor() {
    this.state = new GroupState({ group: 0, formation: FORMATION, pinsFlushed: true });
    this.lack = new Lack({ id: 0, state: this.state } as Group, this.holdings); // what is asked
    this.apply(openBucketOf("demo"));
  }

  apply(command: Command): Outcome {
    return this.state.apply(command, ++this.#index, 0);
  }

  /** A stream whose only bytes lie in an object. */
  flush(number: number): void {
    const key = `demo/${number}`;
    this.apply(createOf(key));
    this.apply(appendOf(key, "bytes"));
    const { ranges, length } = this.state.cold.planFlush({ maxBytes: 100 });
    this.apply({ type: "flush", object: { number, term: 1, length }, ranges });
  }

  numbers(): number[] {
    return this.lack.objects().map(({ number }) => number);
  }
}

Deno.test("what is referred to lacks where it is neither pinned nor held", () => {
  const stage = new Stage();
  stage.flush(1);
  assert.deepEqual(stage.numbers(), [], "pinned");
  stage.flush(2);
  stage.state.cold.unpin(2);
  assert.deepEqual(stage.numbers(), [2]);
  stage.state.cold.unpin(1);
  assert.deepEqual(stage.numbers(), [1, 2]);
  stage.holdings.put(keyOf(2));
  assert.deepEqual(stage.numbers(), [1]);
  stage.flush(3);
  assert.deepEqual(stage.numbers(), [1]);
  stage.apply({ type: "delete", key: "demo/1" });
  assert.deepEqual(stage.numbers(), []);
  stage.holdings.lose(keyOf(2));
  assert.deepEqual(stage.numbers(), [2]);
});

Deno.test("what is staged lacks once it is whole, until it is condemned", () => {
  const stage = new Stage();
  const object = { number: 1, term: 1, length: 4 };
  stage.apply({ type: "stage", object, at: 0, body: bodyOf("ab") });
  stage.state.cold.unpin(1);
  assert.deepEqual(stage.numbers(), []);
  stage.apply({ type: "stage", object, at: 2, body: bodyOf("cd") });
  assert.deepEqual(stage.numbers(), [], "pinned");
  stage.state.cold.unpin(1);
  assert.deepEqual(stage.numbers(), [1]);
  stage.apply({ type: "condemn", below: 0, numbers: [1] });
  assert.deepEqual(stage.numbers(), []);
});

Deno.test("what has no bytes never lacks", () => {
  const stage = new Stage();
  const object = { number: 1, term: 1, length: 0 };
  stage.apply({ type: "stage", object, at: 0 });
  assert.deepEqual(stage.numbers(), []);
  stage.apply(createOf("demo/a"));
  const contentType = "text/plain";
  stage.apply({ type: "publish", key: "demo/a", offset: 0, contentType, object, digest: "d" });
  assert.equal(stage.state.cold.objects.get(1)?.references, 1);
  assert.deepEqual(stage.numbers(), []);
});
