import assert from "node:assert/strict";
import fc from "fast-check";
import type { Entry } from "../raft/mod.ts";
import { joined } from "../tests/given/bytes.ts";
import { CommandPayload } from "./payload.ts";
import type { RaftMessage } from "./wire.ts";
import { readMessage, splitBatch } from "./wire_reader.ts";
import { WireWriter } from "./wire_writer.ts";

const number = fc.oneof(fc.nat(300), fc.maxSafeNat());
const members = fc.array(fc.string(), { maxLength: 3 });
const membership = fc.record({ voters: members, outgoing: members, learners: members }, {
  noNullPrototype: true,
});
const content = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => ({ kind: "command" as const, bytes })),
  fc.constant({ kind: "noop" as const }),
  membership.map((membership) => ({ kind: "membership" as const, membership })),
);
const envelope = { from: fc.constant("1.a"), to: fc.constant("2.b"), term: number };

function messageOf<T extends RaftMessage["type"]>(
  type: T,
  fields: Record<string, fc.Arbitrary<unknown>>,
): fc.Arbitrary<RaftMessage> {
  return fc.record({ type: fc.constant(type), ...envelope, ...fields }) as unknown as fc.Arbitrary<
    RaftMessage
  >;
}

const append = fc.record({
  ...envelope,
  prevIndex: fc.nat(),
  prevTerm: number,
  commit: number,
  contents: fc.array(fc.record({ term: number, content }), { maxLength: 5 }),
}).map(({ contents, ...rest }): RaftMessage => ({
  type: "append",
  ...rest,
  entries: contents.map(({ term, content }, at) => {
    const index = rest.prevIndex + 1 + at;
    if (content.kind !== "command") return { index, term, ...content };
    const { bytes } = content;
    // The payload lies in the middle of a slab.
    const slab = { bytes: Uint8Array.of(7, ...bytes, 7), live: 0 };
    const payload = new CommandPayload({ slab, start: 1, end: 1 + bytes.length });
    return { index, term, kind: "command", payload };
  }),
}));

const message = fc.oneof(
  messageOf("pre_vote", { lastIndex: number, lastTerm: number }),
  messageOf("pre_vote_response", { granted: fc.boolean() }),
  messageOf("vote", { lastIndex: number, lastTerm: number, transfer: fc.boolean() }),
  messageOf("vote_response", { granted: fc.boolean() }),
  append,
  messageOf("append_ack", { match: number }),
  messageOf("append_reject", { rejected: number, hintIndex: number, hintTerm: number }),
  messageOf("commit", { commit: number }),
  messageOf("heartbeat", { round: number, sentMs: number, commit: number }),
  messageOf("heartbeat_response", { round: number, sentMs: number, full: fc.boolean() }),
  messageOf("snapshot", {
    mark: fc.record({ index: number, term: number, membership }, { noNullPrototype: true }),
  }),
  messageOf("timeout_now", {}),
  messageOf("read_index", { id: number }),
  messageOf("read_index_response", { id: number, index: number }),
);

/** A message with the payloads' bytes in place of where they lie. */
function plain(message: RaftMessage): unknown {
  if (message.type !== "append") return { ...message };
  return { ...message, entries: message.entries.map(plainEntry) };
}

function plainEntry(entry: Entry<CommandPayload>): unknown {
  if (entry.kind !== "command") return { ...entry };
  const { slab, start, end } = entry.payload.space;
  return { ...entry, payload: [...slab.bytes.subarray(start, end)] };
}

Deno.test("WireWriter and readMessage() bring any messages of any groups over", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(4095), message), { maxLength: 8 }), (sent) => {
      const writer = new WireWriter();
      for (const [group, message] of sent) writer.add(group, message);
      const items = splitBatch(joined(writer.take()));
      assert.deepEqual(
        items.map((item) => [item.group, plain(readMessage(item, "1.a", "2.b"))]),
        sent.map(([group, message]) => [group, plain(message)]),
      );
      assert.equal(writer.length, 0);
    }),
    { numRuns: 500 },
  );
});

Deno.test("WireWriter takes a message that is larger than its buffer, and goes on", () => {
  const writer = new WireWriter();
  const slab = { bytes: new Uint8Array(3_000_000).fill(5), live: 0 };
  const payload = new CommandPayload({ slab, start: 0, end: slab.bytes.length });
  const entries = [{ index: 8, term: 1, kind: "command", payload }] as const;
  const ends = { from: "1.a", to: "2.b", term: 2 };
  for (let round = 0; round < 2; round++) {
    writer.add(3, { type: "append", ...ends, prevIndex: 7, prevTerm: 1, entries, commit: 7 });
    writer.add(4, { type: "timeout_now", ...ends });
    assert.ok(writer.length > 3_000_000);
    const [large, small] = splitBatch(joined(writer.take()));
    assert.ok(large !== undefined && small !== undefined);
    const read = readMessage(large, "1.a", "2.b");
    assert.ok(read.type === "append" && read.entries[0]?.kind === "command");
    assert.equal(read.entries[0].payload.length, 3_000_000);
    assert.equal(readMessage(small, "1.a", "2.b").type, "timeout_now");
  }
});

Deno.test("readMessage() reads damaged bytes as something, or says that they are malformed", () => {
  const writer = new WireWriter();
  fc.assert(
    fc.property(message, fc.nat(), fc.nat(255), fc.nat(), (sent, at, byte, cut) => {
      writer.add(1, sent);
      const bytes = joined(writer.take());
      bytes[at % bytes.length] = byte;
      try {
        for (const item of splitBatch(bytes.subarray(0, bytes.length - cut % bytes.length))) {
          readMessage(item, "1.a", "2.b");
        }
      } catch (error) {
        assert.ok(error instanceof Error);
      }
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("a heartbeat's time is cut downwards, which can only shorten a lease", () => {
  const writer = new WireWriter();
  const ends = { from: "1.a", to: "2.b", term: 2 };
  writer.add(1, { type: "heartbeat", ...ends, round: 1, sentMs: 1234.9, commit: 0 });
  const [item] = splitBatch(joined(writer.take()));
  const read = item && readMessage(item, "1.a", "2.b");
  assert.ok(read?.type === "heartbeat");
  assert.equal(read.sentMs, 1234);
});
