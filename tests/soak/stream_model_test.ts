import assert from "node:assert/strict";
import { messageOf, snapshotOf } from "./content.ts";
import { StreamModel } from "./stream_model.ts";

/** A model that was written to. */
function written(json: boolean, count: number): { model: StreamModel; texts: string[] } {
  const model = new StreamModel("/soak/a", "a", json);
  const texts = Array.from({ length: count }, () => {
    const text = model.append();
    model.acknowledge();
    return text;
  });
  return { model, texts };
}

Deno.test("messageOf() is the same again, and another one elsewhere", () => {
  assert.equal(messageOf("a", 3, false), messageOf("a", 3, false));
  assert.notEqual(messageOf("a", 3, false), messageOf("a", 4, false));
  assert.notEqual(messageOf("a", 3, false), messageOf("b", 3, false));
  assert.deepEqual(JSON.parse(messageOf("a", 3, true)).n, 3);
  const lengths = Array.from({ length: 500 }, (_, n) => messageOf("a", n, false).length);
  assert.ok(Math.max(...lengths) > 24 << 10, "some are long");
  assert.ok(lengths.filter((length) => length < 4 << 10).length > 250, "most are short");
});

Deno.test("body() is what lies between two offsets", () => {
  const { model, texts } = written(false, 5);
  const all = texts.join("");
  assert.equal(model.tail, all.length);
  assert.equal(model.body(0, model.tail), all);
  for (
    const [from, to] of [[0, 0], [1, 2], [7, all.length - 3], [all.length, all.length]] as const
  ) {
    assert.equal(model.body(from, to), all.slice(from, to));
  }
});

Deno.test("body() is an array of what lies between two boundaries of JSON", () => {
  const { model, texts } = written(true, 4);
  const [first = 0, second = 0, third = 0] = model.messages.map(({ to }) => to);
  assert.equal(model.body(0, model.tail), `[${texts.join(",")}]`);
  assert.equal(model.body(first, third), `[${texts.slice(1, 3).join(",")}]`);
  assert.equal(model.body(second, second), "[]");
  assert.equal(model.body(first + 1, third), undefined);
  assert.equal(model.body(first, third - 1), undefined);
});

Deno.test("body() has a message that is under way, and nothing behind it", () => {
  const { model, texts } = written(false, 2);
  const { tail } = model;
  assert.equal(model.body(0, tail + 1), undefined);
  const pending = model.append();
  assert.equal(model.tail, tail);
  assert.equal(model.body(0, tail + pending.length), texts.join("") + pending);
  assert.equal(model.body(0, tail + pending.length + 1), undefined);
});

Deno.test("published() leaves what lies behind the snapshot", () => {
  const { model } = written(false, 6);
  const at = model.messages[3]?.to ?? 0;
  assert.equal(model.publish(at), snapshotOf("a", at));
  assert.deepEqual([model.earliest, model.earliestMax], [0, at]);
  model.published(at);
  assert.equal(model.earliest, at);
  assert.deepEqual(model.readable, model.messages.slice(4));
  assert.deepEqual(model.boundaries, model.messages.slice(3).map(({ to }) => to));
  assert.equal(model.snapshot, snapshotOf("a", at));
});

Deno.test("fork() has what lay before, and goes on by itself", () => {
  const { model, texts } = written(true, 6);
  model.published(model.messages[1]?.to ?? 0);
  const at = model.messages[3]?.to ?? 0;
  const fork = model.fork("/soak/b", "b", at);
  assert.ok(model.isForked);
  assert.deepEqual([model.depth, fork.depth], [0, 1]);
  assert.equal(fork.body(fork.earliest, fork.tail), `[${texts.slice(2, 4).join(",")}]`);
  assert.equal(fork.snapshot, model.snapshot);
  const own = fork.append();
  fork.acknowledge();
  assert.equal(own, messageOf("b", 0, true));
  assert.equal(fork.body(at, fork.tail), `[${own}]`);
  assert.equal(model.body(at, model.tail), `[${texts.slice(4).join(",")}]`);
});
