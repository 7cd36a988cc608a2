import assert from "node:assert/strict";
import fc from "fast-check";
import { bodyOf } from "./codec.ts";
import { endsWithin } from "./messages.ts";
import { copySlices } from "./slab.ts";
import { coldStep, takeColdStep } from "./testing/cold_steps_test.ts";
import { history } from "./testing/history_test.ts";
import { Script } from "./testing/script_test.ts";
import type { Command, CreateStream, Outcome } from "./types.ts";

/** A stream as anybody would write it down: all bytes, and where messages end. */
interface Plain {
  bytes: number[];
  boundaries: number[];
  json: boolean;
}

/** What a command that succeeded does to plain streams. */
function follow(streams: Map<string, Plain>, command: Command, outcome: Outcome): void {
  if (command.type === "create" && "ok" in outcome && outcome.ok === "created") {
    const plain = beginning(streams, command, outcome.facts.json);
    streams.set(command.key, plain);
    add(plain, command);
    assert.equal(outcome.facts.tail, plain.bytes.length);
  } else if (command.type === "append" && "ok" in outcome && outcome.ok === "appended") {
    const plain = streams.get(command.key);
    assert.ok(plain !== undefined);
    add(plain, command);
    assert.equal(outcome.facts.tail, plain.bytes.length);
  }
}

function beginning(streams: Map<string, Plain>, command: CreateStream, json: boolean): Plain {
  const { fork } = command;
  if (fork === undefined) return { bytes: [], boundaries: [0], json };
  const source = streams.get(fork.source);
  assert.ok(source !== undefined);
  const anchor = fork.offset ?? source.bytes.length;
  const behind = source.boundaries.filter((boundary) => boundary > anchor);
  const end = fork.subOffset === 0
    ? anchor
    : json
    ? behind[fork.subOffset - 1]
    : anchor + fork.subOffset;
  assert.ok(end !== undefined && (fork.subOffset === 0 || json || end <= (behind[0] ?? -1)));
  const boundaries = source.boundaries.filter((boundary) => boundary < end);
  return { bytes: source.bytes.slice(0, end), boundaries: [...boundaries, end], json };
}

function add(plain: Plain, command: Command): void {
  const body = bodyOf(command);
  if (body === undefined) return;
  const bytes = copySlices([body.data]);
  let end = plain.bytes.length;
  plain.bytes.push(...bytes);
  for (const length of body.lengths ?? [bytes.length]) plain.boundaries.push(end += length);
}

/** Where a read of `max` bytes from `from` goes on. */
function expectedNext({ bytes, boundaries, json }: Plain, from: number, max: number): number {
  if (bytes.length - from <= max) return Math.max(from, bytes.length);
  const within = boundaries.filter((boundary) => boundary > from && boundary <= from + max);
  const last = within[within.length - 1];
  if (last !== undefined) return last;
  const end = boundaries.find((boundary) => boundary > from) ?? bytes.length;
  if (json) return end;
  const isStart = (offset: number) => offset === end || ((bytes[offset] ?? 0) & 0xc0) !== 0x80;
  let cut = Math.min(from + Math.max(max, 1), end);
  while (cut > from && !isStart(cut)) cut--;
  if (cut === from) { do cut++; while (!isStart(cut)); }
  return cut;
}

function check(script: Script, key: string, plain: Plain, from: number, max: number): void {
  const planned = script.state.read(key, from, max);
  const plan = "slices" in planned ? script.store.settle(planned) : planned;
  const facts = script.state.find(key);
  assert.ok("earliest" in facts);
  if (from < facts.earliest) {
    assert.ok("refused" in plan && plan.refused === "offset_trimmed");
    return;
  }
  const snapshot = script.state.snapshot(key);
  assert.equal(snapshot?.offset ?? 0, facts.earliest);
  if (snapshot !== undefined) assert.ok(script.store.payloads.has(snapshot.number));
  if (plain.json && from < plain.bytes.length && !plain.boundaries.includes(from)) {
    assert.ok("refused" in plan && plan.refused === "offset_not_boundary");
    return;
  }
  assert.ok("slices" in plan);
  const next = expectedNext(plain, from, max);
  assert.equal(plan.from, from);
  assert.equal(plan.next, next);
  assert.equal(plan.upToDate, next >= plain.bytes.length);
  assert.deepEqual([...script.store.read(plan)], plain.bytes.slice(from, next));
}

function checkMessages(script: Script, key: string, plain: Plain, from: number, max: number): void {
  const plan = script.state.readMessages(key, from, from + max);
  const facts = script.state.find(key);
  assert.ok("earliest" in facts);
  if (from < facts.earliest) {
    assert.ok("refused" in plan && plan.refused === "offset_trimmed");
    return;
  }
  assert.ok("pieces" in plan);
  const end = Math.max(from, Math.min(from + max, plain.bytes.length));
  assert.deepEqual([plan.from, plan.to], [from, end]);
  const bytes: number[] = [], ends: number[] = [];
  let at = from;
  for (const piece of plan.pieces) {
    assert.equal(piece.from, at, "a gap");
    const found = "cold" in piece ? endsWithin(piece, script.store.ends(piece.cold)) : piece.ends;
    for (const within of found) ends.push(at + within);
    if ("cold" in piece) bytes.push(...script.store.part(piece.cold, piece.from, piece.to));
    else bytes.push(...copySlices(piece.slices));
    at = piece.to;
  }
  assert.equal(at, end);
  assert.deepEqual(bytes, plain.bytes.slice(from, end));
  assert.deepEqual(ends, plain.boundaries.filter((boundary) => boundary > from && boundary <= end));
}

Deno.test("GroupState.read() equals a naive model for any history", () => {
  const reads = fc.array(fc.tuple(fc.nat(40), fc.nat(12)), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(history(), reads, (steps, asked) => {
      const script = new Script();
      const streams = new Map<string, Plain>();
      for (const { waitMs, command } of steps) {
        script.stampMs += waitMs;
        follow(streams, command, script.apply(command));
        for (const [key, plain] of streams) {
          if (!("contentType" in script.state.find(key))) {
            streams.delete(key);
            continue;
          }
          for (const [from, max] of asked) check(script, key, plain, from, max);
        }
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("read() and readMessages() equal a naive model whatever is flushed and repacked", async () => {
  const reads = fc.array(fc.tuple(fc.nat(40), fc.nat(12)), { minLength: 1, maxLength: 6 });
  const colds = fc.array(coldStep(), { minLength: 20, maxLength: 64, size: "max" });
  const reloads = fc.uniqueArray(fc.nat(60), { maxLength: 3 });
  const property = fc.asyncProperty(
    history(),
    colds,
    reloads,
    reads,
    async (steps, cold, reloaded, asked) => {
      const script = new Script();
      const streams = new Map<string, Plain>();
      for (const [i, { waitMs, command }] of steps.entries()) {
        script.stampMs += waitMs;
        follow(streams, command, script.apply(command));
        takeColdStep(script, cold[i % cold.length] ?? { does: "nothing" });
        if (reloaded.includes(i)) await script.reload();
        for (const [key, plain] of streams) {
          if (!("contentType" in script.state.find(key))) {
            streams.delete(key);
            continue;
          }
          for (const [from, max] of asked) {
            check(script, key, plain, from, max);
            checkMessages(script, key, plain, from, max);
          }
        }
      }
    },
  );
  await fc.assert(property, { numRuns: 300 });
});
