import assert from "node:assert/strict";
import { MemoryLog } from "../../../storage/journal/mod.ts";
import type { RecordLog, StoredGroup } from "../../../storage/types.ts";
import { RaftLogs } from "./raft_logs.ts";

const GROUP = 3;

function put(log: RecordLog, index: number, term: number, text: string): void {
  const bytes = new TextEncoder().encode(text);
  const space = log.reserve(bytes.length);
  space.slab.bytes.set(bytes, space.start);
  log.sealEntry(space, GROUP, index, term, "command");
}

function watched(logs: RaftLogs, term = 9): MemoryLog {
  const log = new MemoryLog();
  logs.attach(log, undefined);
  log.putHardState(GROUP, term, undefined);
  return log;
}

Deno.test("RaftLogs is content when a log is overwritten by a later term's", () => {
  const logs = new RaftLogs();
  const [one, other] = [watched(logs), watched(logs)];
  for (const log of [one, other]) put(log, 1, 1, "a");
  put(one, 2, 1, "b");
  put(other, 2, 2, "c");
  put(one, 2, 2, "c");
  assert.equal(logs.failure, undefined);
});

Deno.test("RaftLogs notices when one index and term hold two payloads", () => {
  const logs = new RaftLogs();
  put(watched(logs), 1, 1, "a");
  put(watched(logs), 1, 1, "b");
  assert.match(String(logs.failure), /two entries 1 of term 1/);
});

Deno.test("RaftLogs notices when equal entries follow different ones", () => {
  const logs = new RaftLogs();
  const [one, other] = [watched(logs), watched(logs)];
  put(one, 1, 1, "a");
  put(other, 1, 2, "b");
  put(one, 2, 3, "c");
  put(other, 2, 3, "c");
  assert.match(String(logs.failure), /follows entries of terms 1 and 2/);
});

Deno.test("RaftLogs notices when a log has a gap", () => {
  const logs = new RaftLogs();
  const log = watched(logs);
  put(log, 1, 1, "a");
  put(log, 3, 1, "c");
  assert.match(String(logs.failure), /entry 3 follows 0..1/);
});

Deno.test("RaftLogs notices when an entry is of a term that its replica does not know", () => {
  const logs = new RaftLogs();
  put(watched(logs, 1), 1, 2, "a");
  assert.match(String(logs.failure), /of term 2 in term 1/);
});

Deno.test("RaftLogs notices when a replica votes twice in a term", () => {
  const logs = new RaftLogs();
  const log = watched(logs, 1);
  log.putHardState(GROUP, 2, "1.a");
  log.putHardState(GROUP, 3, "2.b");
  assert.equal(logs.failure, undefined);
  log.putHardState(GROUP, 3, "1.a");
  assert.match(String(logs.failure), /a vote went to 2.b and to 1.a/);
});

Deno.test("RaftLogs notices when a replica goes back to an earlier term", () => {
  const logs = new RaftLogs();
  watched(logs, 5).putHardState(GROUP, 4, undefined);
  assert.match(String(logs.failure), /term 4 follows term 5/);
});

Deno.test("RaftLogs notices when a start finds an entry that nobody wrote", () => {
  const logs = new RaftLogs();
  put(watched(logs), 1, 1, "a");
  const space = new MemoryLog().reserve(1);
  const entry = { index: 1, term: 2, kind: "command" as const, payload: space };
  const stored: StoredGroup = {
    term: 2,
    votedFor: undefined,
    snapshotIndex: 0,
    snapshotTerm: 0,
    entries: [entry],
  };
  assert.throws(() => logs.attach(new MemoryLog(), new Map([[GROUP, stored]])), /nobody wrote/);
});

Deno.test("RaftLogs lets a log begin behind a RaftSnapshot", () => {
  const logs = new RaftLogs();
  const log = new MemoryLog();
  const replica = logs.attach(log, undefined);
  log.putHardState(GROUP, 4, undefined);
  put(log, 1, 1, "a");
  log.putSnapshotMark(GROUP, 7, 3);
  put(log, 8, 4, "h");
  assert.equal(logs.failure, undefined);
  assert.equal(replica.get(GROUP)?.termAt(8), 4);
  assert.equal(replica.get(GROUP)?.termAt(1), undefined);
});
