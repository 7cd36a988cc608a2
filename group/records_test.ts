import assert from "node:assert/strict";
import { encodeHeader } from "../stream/mod.ts";
import { appendOf, bodyOf, textOf } from "../tests/given/commands.ts";
import { NotedLog } from "../tests/given/group.ts";
import { adoptBody, CommandPayload, placeCommand } from "./payload.ts";
import { joinSlices } from "./slices.ts";
import { placeEntry, restoreEntries } from "./records.ts";

const MEMBERSHIP = { voters: ["a", "b"], outgoing: ["c"], learners: ["d"] };

Deno.test("restoreEntries() finds what placeEntry() and placeCommand() put down", () => {
  const log = new NotedLog();
  placeEntry(log, 7, { index: 1, term: 3, kind: "noop" });
  placeEntry(log, 7, { index: 2, term: 3, kind: "membership", membership: MEMBERSHIP });
  const command = appendOf("demo/a", "body");
  log.sealEntry(placeCommand(log, command, 42), 7, 3, 4, "command");
  const { entries } = log;
  const stored = { term: 4, votedFor: undefined, snapshotIndex: 0, snapshotTerm: 0, entries };
  const [noop, membership, appended] = restoreEntries(stored);
  assert.deepEqual(noop, { index: 1, term: 3, kind: "noop" });
  assert.deepEqual(membership, { index: 2, term: 3, kind: "membership", membership: MEMBERSHIP });
  assert.ok(appended?.kind === "command");
  assert.deepEqual([appended.index, appended.term], [3, 4]);
  assert.equal(appended.payload.stampMs, 42);
  assert.equal(appended.payload.length, encodeHeader(command, 42).length + 4);
  const found = appended.payload.command;
  assert.ok(found.type === "append" && found.body !== undefined);
  assert.deepEqual([found.key, textOf(joinSlices([found.body.data]))], ["demo/a", "body"]);
});

Deno.test("restoreEntries() finds nothing when the journal knows nothing of the group", () => {
  assert.deepEqual(restoreEntries(undefined), []);
});

Deno.test("placeCommand() copies the part of a slab that is the body, and no more", () => {
  const log = new NotedLog();
  const whole = bodyOf("<<body>>").data;
  const data = { slab: whole.slab, start: 2, end: 6 };
  const command = appendOf("demo/a", "", { body: { data } });
  const { slab, end } = placeCommand(log, command, 1);
  assert.equal(new TextDecoder().decode(slab.bytes.subarray(end - 5, end)).slice(1), "body");
});

Deno.test("adoptBody() points the command at the log's copy", () => {
  const log = new NotedLog();
  const command = appendOf("demo/a", "body");
  const space = placeCommand(log, command, 1);
  adoptBody(command, space);
  assert.deepEqual(command.body?.data, { slab: space.slab, start: space.end - 4, end: space.end });
  adoptBody({ type: "delete", key: "demo/a" }, space);
});

Deno.test("CommandPayload decodes when it was made of bytes alone", () => {
  const log = new NotedLog();
  const command = appendOf("demo/a", "body", { streamSeq: "s" });
  const space = placeCommand(log, command, 99);
  const known = new CommandPayload(space, command, 99);
  const read = new CommandPayload(space);
  assert.equal(known.command, command);
  assert.equal(read.stampMs, 99);
  assert.equal(read.command, read.command, "decoded once");
  assert.ok(read.command.type === "append" && read.command.streamSeq === "s");
});
