import assert from "node:assert/strict";
import { joinSlices } from "../group/mod.ts";
import { appendOf, textOf } from "../tests/given/commands.ts";
import { factsOf } from "../tests/given/facts.ts";
import {
  packCommand,
  packEvent,
  packRead,
  unpackCommand,
  unpackEvent,
  unpackRead,
} from "./parcel.ts";

const slab = { bytes: new TextEncoder().encode("0123456789"), live: 0 };
const one = [{ slab, start: 2, end: 5 }];
const two = [{ slab, start: 8, end: 10 }, { slab, start: 0, end: 1 }];

const facts = factsOf({ createdAtMs: 1, lastWriteAtMs: 2 });

/** What a port does to a message. */
function sent<T>(value: T): T {
  return structuredClone(value);
}

Deno.test("packCommand() takes the body alone along, and unpackCommand() puts it back", () => {
  const command = appendOf("demo/a", "", {
    body: { data: { slab, start: 2, end: 8 }, lengths: [4, 2] },
    producer: { id: "p", epoch: 1, seq: 2 },
  });
  const packed = sent(packCommand(command));
  assert.equal(packed.body?.buffer.byteLength, 6, "not the whole slab");
  const unpacked = unpackCommand(packed.command, packed.body);
  assert.ok(unpacked.type === "append" && unpacked.body !== undefined);
  assert.equal(textOf(joinSlices([unpacked.body.data])), "234567");
  assert.deepEqual(unpacked.body.lengths, [4, 2]);
  assert.deepEqual(unpacked.producer, { id: "p", epoch: 1, seq: 2 });
  assert.equal(command.body?.data.slab, slab, "the sender's own is as it was");
});

Deno.test("packCommand() leaves a command without a body as it is", () => {
  for (
    const command of [
      { type: "delete", key: "demo/a" } as const,
      appendOf("demo/a", "", { body: undefined, closed: true }),
    ]
  ) {
    const packed = packCommand(command);
    assert.equal(packed.command, command);
    assert.equal(unpackCommand(packed.command, packed.body), command);
  }
});

Deno.test("packRead() joins a plan's slices and takes no slab along", () => {
  for (const [slices, text] of [[one, "234"], [two, "890"], [[], ""]] as const) {
    const plan = { facts, from: 0, next: text.length, slices, upToDate: true, snapshot: undefined };
    const packed = sent(packRead({ plan }));
    assert.ok("bytes" in packed);
    assert.equal(packed.bytes.buffer.byteLength, text.length);
    const answer = unpackRead(packed);
    assert.ok("plan" in answer);
    assert.equal(textOf(joinSlices(answer.plan.slices)), text);
    assert.deepEqual({ ...answer.plan, slices }, plan);
  }
});

Deno.test("packRead() lets a refusal through as it is", () => {
  const refused = { refused: "stream_gone" } as const;
  assert.equal(packRead(refused), refused);
  assert.equal(unpackRead(refused), refused);
});

Deno.test("packEvent() keeps too much apart from nothing", () => {
  const event = { from: 2, to: 5, closed: true, ended: false };
  const again = unpackEvent(sent(packEvent({ ...event, slices: one })));
  assert.equal(textOf(joinSlices(again.slices ?? [])), "234");
  assert.deepEqual({ ...again, slices: one }, { ...event, slices: one });
  assert.equal(packEvent({ ...event, slices: one }).bytes?.buffer.byteLength, 3);
  assert.equal(unpackEvent(sent(packEvent({ ...event, slices: undefined }))).slices, undefined);
  assert.deepEqual(unpackEvent(sent(packEvent({ ...event, slices: [] }))).slices, []);
});
