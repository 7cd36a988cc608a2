import assert from "node:assert/strict";
import { objectKey } from "../../../storage/cold/mod.ts";
import { type Command, GroupState } from "../../../stream/mod.ts";
import { appendOf, createOf, openBucketOf } from "../../given/commands.ts";
import { ColdObjects, EVERYBODY } from "./cold_objects.ts";

const FORMATION = "f";
const NAME = { number: 1, term: 1 };

/** A group whose stream was flushed into object 1, or is about to be. */
function given(options: { isShared?: boolean; has?: (node: number) => boolean } = {}) {
  const { isShared = true, has = () => true } = options;
  const state = new GroupState({ group: 0, formation: FORMATION });
  const objects = new ColdObjects({
    isShared,
    nodes: 3,
    has,
    latest: () => state,
    live: () => [{ node: 1, state }],
  });
  let index = 0;
  const apply = (command: Command) => {
    const outcome = state.apply(command, ++index, index);
    objects.applied(0, command, state, FORMATION);
    return outcome;
  };
  apply(openBucketOf("alpha"));
  const made = apply(createOf("alpha/one"));
  assert.ok("ok" in made && made.ok === "created");
  const { incarnation } = made.facts;
  apply(appendOf("alpha/one", "first;"));
  const range = { key: "alpha/one", incarnation, from: 0, to: 6, at: 0 };
  const flush = () => apply({ type: "flush", object: { ...NAME, length: 6 }, ranges: [range] });
  return { objects, apply, flush };
}

function wrong({ failure }: ColdObjects): string {
  return failure?.message ?? "";
}

const key = objectKey({ formation: FORMATION, group: 0, ...NAME });

Deno.test("ColdObjects.put() notices a key whose bytes change", () => {
  const { objects } = given();
  objects.put(key, "some");
  objects.put(key, "some");
  assert.equal(wrong(objects), "");
  objects.put(key, "others");
  assert.match(wrong(objects), /is others, and was some/);
});

Deno.test("ColdObjects.applied() notices a reference to what nobody has", () => {
  for (const isThere of [true, false]) {
    const { objects, flush } = given({ has: () => isThere });
    flush();
    assert.equal(wrong(objects) === "", isThere);
  }
});

Deno.test("ColdObjects.deleted() notices what is referred to, or may be yet", () => {
  const before = given();
  before.objects.deleted(EVERYBODY, key);
  assert.match(wrong(before.objects), /has not condemned it/);

  const meanwhile = given();
  meanwhile.flush();
  meanwhile.objects.deleted(EVERYBODY, key);
  assert.match(wrong(meanwhile.objects), /refers to it/);

  const after = given();
  after.flush();
  after.apply({ type: "delete", key: "alpha/one" });
  after.apply({ type: "condemn", below: 0, numbers: [1] });
  after.objects.deleted(EVERYBODY, key);
  after.objects.deleted(1, key);
  assert.equal(wrong(after.objects), "");
});

Deno.test("ColdObjects.deleted() takes it that a number goes to another term's object", () => {
  const { objects, flush } = given();
  flush();
  objects.deleted(EVERYBODY, objectKey({ formation: FORMATION, group: 0, number: 1, term: 2 }));
  assert.equal(wrong(objects), "");
});

Deno.test("ColdObjects.unpinned() notices that a node has no copy", () => {
  const { objects, flush } = given({ isShared: false, has: (node) => node === 2 });
  flush();
  assert.equal(wrong(objects), "", "all have the bytes");
  objects.unpinned(2, 0, { ...NAME, length: 6 }, FORMATION);
  assert.equal(wrong(objects), "");
  objects.unpinned(3, 0, { ...NAME, length: 6 }, FORMATION);
  assert.match(wrong(objects), /node 3 unpins/);
});
