import assert from "node:assert/strict";
import { type Command, sliceOf, type StreamFacts } from "../../../stream/mod.ts";
import { Violation } from "../violation.ts";
import { factsOf } from "../../given/facts.ts";
import { PathModel } from "./path_model.ts";
import type { StreamAnswer, StreamCall } from "./stream_model.ts";

const KEY = "alpha/one";
const TYPE = "text/plain";

/** A path and what is asked of it, in few words. */
class Script {
  nowMs = 0;
  readonly path = new PathModel(KEY, () => this.nowMs);
  #id = 0;

  call(command: StreamCall["command"]): (answer?: StreamAnswer) => void {
    const call: StreamCall = { id: ++this.#id, command, groupMs: this.nowMs, life: 0 };
    const number = this.path.call(call);
    return (answer) => {
      if (answer === undefined) this.path.lost([number]);
      else this.path.answer(number, call, answer);
    };
  }

  create(ttlSeconds?: number): (answer?: StreamAnswer) => void {
    return this.call({ type: "create", key: KEY, contentType: TYPE, closed: false, ttlSeconds });
  }

  append(bytes: number, seq?: number): (answer?: StreamAnswer) => void {
    const command: Command = {
      type: "append",
      key: KEY,
      contentType: TYPE,
      closed: false,
      body: { data: sliceOf(new Uint8Array(bytes)) },
      producer: seq === undefined ? undefined : { id: "p", epoch: 0, seq },
    };
    return this.call(command);
  }

  read(): (answer?: StreamAnswer) => void {
    const request = { key: KEY, from: "now", maxBytes: 0, touch: true } as const;
    return this.call({ type: "read", request });
  }
}

function facts(tail: number, more: Partial<StreamFacts> = {}): StreamFacts {
  return factsOf({ incarnation: "i1", contentType: TYPE, tail, ...more });
}

const created = (more?: Partial<StreamFacts>): StreamAnswer => ({
  ok: "created",
  facts: facts(0, more),
});
const appended = (tail: number): StreamAnswer => ({ ok: "appended", facts: facts(tail) });
const found = (tail: number, more?: Partial<StreamFacts>): StreamAnswer => ({
  plan: {
    facts: facts(tail, more),
    from: tail,
    next: tail,
    slices: [],
    upToDate: true,
    snapshot: undefined,
  },
});
const missing: StreamAnswer = { refused: "stream_not_found" };

Deno.test("PathModel takes appends in any order that their answers leave open", () => {
  const script = new Script();
  script.create()(created());
  const [a, b] = [script.append(3), script.append(5)];
  b(appended(5));
  a(appended(8));
  script.read()(found(8));
  assert.throws(() => script.read()(found(5)), Violation);
});

Deno.test("PathModel keeps both when an answer never came, until something tells", () => {
  const script = new Script();
  script.create()(created());
  script.append(3)();
  assert.equal(script.path.states.length, 2);
  script.read()(found(3));
  assert.equal(script.path.states.length, 1);
  assert.throws(() => script.read()(found(0)), Violation);
});

Deno.test("PathModel throws when an acknowledged append is gone", () => {
  const script = new Script();
  script.create()(created());
  script.append(3)(appended(3));
  assert.throws(() => script.read()(found(0)), Violation);
});

Deno.test("PathModel throws when a producer's append counts twice", () => {
  const script = new Script();
  script.create()(created());
  script.append(3, 0)();
  script.read()(found(3));
  assert.throws(() => script.append(3, 0)(appended(6)), Violation);
});

Deno.test("PathModel throws when a stream ends before its time", () => {
  const script = new Script();
  script.create(2)(created({ ttlSeconds: 2 }));
  script.nowMs = 1_500;
  script.read()(found(0, { ttlSeconds: 2 }));
  script.nowMs = 3_400;
  assert.throws(() => script.read()(missing), Violation);
});

Deno.test("PathModel lets a stream end when its time is over", () => {
  const script = new Script();
  script.create(2)(created({ ttlSeconds: 2 }));
  script.nowMs = 2_500;
  script.read()(missing);
});

Deno.test("PathModel throws when a deleted stream is read", () => {
  const script = new Script();
  script.create()(created());
  script.call({ type: "delete", key: KEY })({ ok: "deleted", incarnation: "i1" });
  assert.throws(() => script.read()(found(0)), Violation);
});

Deno.test("PathModel throws when a stream comes back as another incarnation", () => {
  const script = new Script();
  script.create()(created());
  assert.throws(() => script.read()(found(0, { incarnation: "i2" })), Violation);
});
