import assert from "node:assert/strict";
import fc from "fast-check";
import type { Answer, Group, ReadAnswer } from "../../group/mod.ts";
import { joinSlices } from "../../group/mod.ts";
import { type Command, sliceOf } from "../../stream/mod.ts";
import { flush, OWN_STORE, SHARED_STORE } from "../../tests/given/cold_reads.ts";
import { GivenStore } from "../../tests/given/cold_store.ts";
import { openBucketOf } from "../../tests/given/commands.ts";
import { givenShard } from "../../tests/given/shard.ts";
import { SimClock } from "../../tests/sim/clock.ts";

/** A step of a run; numbers are reduced to what there is. */
type Step =
  | { readonly do: "append"; readonly stream: number; readonly parts: readonly number[] }
  | { readonly do: "flush"; readonly rangeBytes: number; readonly pins: boolean }
  | { readonly do: "fork"; readonly stream: number; readonly at: number; readonly sub: number }
  | { readonly do: "delete"; readonly stream: number }
  | { readonly do: "read"; readonly stream: number; readonly at: number; readonly max: number };

const STREAMS = [
  ["demo/text", "text/plain"],
  ["demo/json", "application/json"],
  ["demo/bytes", "application/octet-stream"],
] as const;
const ALPHABET = ["a", "é", "€", "😀"];

const stream = fc.nat(7);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      stream,
      parts: fc.array(fc.oneof(fc.nat(8), fc.nat(40), fc.constant(70_000)), {
        minLength: 1,
        maxLength: 4,
      }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("flush" as const),
      rangeBytes: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constant(1 << 20)),
      pins: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("fork" as const),
      stream,
      at: fc.nat(),
      sub: fc.oneof(fc.constant(0), fc.nat(3)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delete" as const), stream }) },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant("read" as const),
      stream,
      at: fc.nat(),
      max: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.nat(100_000), fc.constant(4 << 20)),
    }),
  },
);

/** A message of so many characters, as a stream of that type stores it. */
function messageOf(json: boolean, characters: number): Uint8Array {
  let text = "";
  for (let at = 0; at < characters; at++) text += ALPHABET[at % ALPHABET.length];
  return new TextEncoder().encode(json ? `"${text}",` : text || "-");
}

function bodyOf(json: boolean, parts: readonly number[]): Command & { type: "append" } {
  const messages = parts.map((part) => messageOf(json, part));
  const bytes = new Uint8Array(messages.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const message of messages) {
    bytes.set(message, at);
    at += message.length;
  }
  const lengths = messages.map(({ length }) => length);
  return { type: "append", key: "", closed: false, body: { data: sliceOf(bytes), lengths } };
}

/** What must be alike: the log of one has entries that the other's lacks. */
function plain(answer: Answer | ReadAnswer): unknown {
  if ("plan" in answer) {
    const { facts, from, next, upToDate, slices } = answer.plan;
    const { tail, earliest, closed, json, contentType } = facts;
    const stream = { tail, earliest, closed, json, contentType };
    const bytes = joinSlices(slices);
    assert.equal(bytes.length, next - from);
    return { stream, from, next, upToDate, bytes: bytes.toBase64() };
  }
  if (!("facts" in answer) || answer.facts === undefined) {
    return { ...answer, incarnation: undefined };
  }
  const { facts, ...rest } = answer;
  return { ...rest, tail: facts.tail };
}

/** A shard that flushes, and its twin, which never does. */
async function twins(cold: typeof OWN_STORE) {
  const clock = new SimClock();
  const store = new GivenStore();
  const groups: Group[] = [];
  const one = await givenShard({
    clock,
    cold,
    coldStore: store,
    onGroup: (group) => groups.push(group),
  });
  const two = await givenShard({ clock });
  const [group] = groups;
  assert.ok(group !== undefined);
  const both = async (command: () => Command) => {
    const answers = await clock.until(
      Promise.all([one, two].map(({ shard }) => shard.submit(0, command()))),
    );
    assert.deepEqual(plain(answers[0] as Answer), plain(answers[1] as Answer));
  };
  const read = async (key: string, from: number | "start", maxBytes: number) => {
    const request = { key, from, maxBytes, touch: false };
    const answers = await clock.until(
      Promise.all([one, two].map(({ shard }) => shard.read(0, request))),
    );
    assert.deepEqual(plain(answers[0] as ReadAnswer), plain(answers[1] as ReadAnswer));
  };
  const close = () => {
    one.open.abandon();
    two.open.abandon();
  };
  return { flushed: { clock, store, group, access: one.shard }, both, read, close };
}

async function follow(steps: readonly Step[], cold: typeof OWN_STORE): Promise<void> {
  const { flushed, both, read, close } = await twins(cold);
  const keys: { readonly key: string; readonly type: string; readonly json: boolean }[] = [];
  await both(() => openBucketOf("demo"));
  for (const [key, contentType] of STREAMS) {
    await both(() => ({ type: "create", key, contentType, closed: false }));
    keys.push({ key, type: contentType, json: contentType === "application/json" });
  }
  const tailOf = (key: string) => {
    const found = flushed.group.state.find(key);
    return "tail" in found ? found.tail : 0;
  };
  for (const step of steps) {
    if (step.do === "flush") {
      const pins = step.pins && cold === OWN_STORE;
      await flush(flushed, { rangeBytes: step.rangeBytes, pins });
      continue;
    }
    const { key, type, json } = keys[step.stream % keys.length] as typeof keys[number];
    switch (step.do) {
      case "append":
        await both(() => ({ ...bodyOf(json, step.parts), key, contentType: type }));
        break;
      case "delete":
        // Only forks, or soon there would be little left to read.
        if (!STREAMS.some(([name]) => name === key)) await both(() => ({ type: "delete", key }));
        break;
      case "fork": {
        const offset = step.at % (tailOf(key) + 2);
        const fork = { source: key, offset, subOffset: step.sub };
        const name = `demo/f${keys.length}`;
        // The body that a fork begins with is proposed twice where a proof is asked for.
        await both(() => ({
          type: "create",
          key: name,
          closed: false,
          fork,
          contentType: type,
          body: bodyOf(json, [3]).body,
        }));
        if ("tail" in flushed.group.state.find(name)) keys.push({ key: name, type, json });
        break;
      }
      case "read":
        await read(key, step.at % (tailOf(key) + 2), step.max);
    }
  }
  for (const { key } of keys) {
    const stride = Math.max(17, Math.floor(tailOf(key) / 40));
    for (let from = 0; from <= tailOf(key); from += stride) await read(key, from, 30);
    await read(key, "start", 4 << 20);
  }
  close();
}

Deno.test("reads and forks through objects answer as if all was in memory", async () => {
  const property = fc.asyncProperty(
    fc.array(step, { minLength: 30, maxLength: 80, size: "max" }),
    fc.boolean(),
    (steps, isOwn) => follow(steps, isOwn ? OWN_STORE : SHARED_STORE),
  );
  await fc.assert(property, { numRuns: 20, seed: 7 });
});
