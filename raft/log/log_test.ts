import assert from "node:assert/strict";
import fc from "fast-check";
import type { Text } from "../testing/machine.ts";
import { command, logOf } from "../testing/member.ts";
import { entrySize } from "./entry_size.ts";
import { Log } from "./log.ts";

const membership = { voters: ["a"], outgoing: [], learners: [] };

function started(...terms: number[]): Log<Text> {
  return new Log({ index: 0, term: 0, membership }, logOf(...terms));
}

/** A log that applied everything. */
function applied(count: number): Log<Text> {
  const log = started(...Array<number>(count).fill(1));
  log.committed = log.taken = log.applied = count;
  return log;
}

Deno.test("term() knows memory, the entry before it, and the RaftSnapshot", () => {
  const log = applied(10);
  log.compact({ index: 4, term: 1, membership });
  log.release(10);
  log.drop(7, 1 << 20);
  assert.deepEqual([3, 4, 5, 7, 8, 10, 11].map((index) => log.term(index)), [
    undefined,
    1,
    undefined,
    1,
    1,
    1,
    undefined,
  ]);
});

Deno.test("drop() goes no further than what is applied, and keeps the sum of bytes", () => {
  const log = applied(5000);
  for (let index = 6; index <= 5000; index += 7) {
    log.release(index);
    log.drop(index, 0);
    assert.equal(log.first, index + 1);
    const rest = log.last < log.first ? [] : log.slice(log.first, log.last);
    assert.equal(log.bytes, rest.reduce((sum, entry) => sum + entrySize(entry), 0));
    assert.equal(rest[0]?.index, rest.length === 0 ? undefined : index + 1);
  }
  log.append(command(5001, 1));
  log.release(9999);
  log.drop(9999, 0);
  assert.equal(log.first, 5001);
});

Deno.test("drop() keeps what follows an index, beyond the bound, within another one", () => {
  const log = applied(9);
  log.release(9);
  const size = entrySize(command(1, 1));
  assert.equal(log.drop(0, 8 * size, 7, 5 * size), false);
  assert.equal(log.first, 2, "what the bound keeps is enough");
  assert.equal(log.drop(0, 0, 6, 5 * size), true);
  assert.equal(log.first, 7);
  assert.equal(log.drop(0, 0, 6, 3 * size), true);
  assert.equal(log.first, 7, "the bound is not met yet");
  assert.equal(log.drop(0, 0, 6, 2 * size), true);
  assert.equal(log.first, 8, "the oldest go beyond it");
  assert.equal(log.drop(8, 0, 6, 2 * size), true);
  assert.equal(log.first, 9, "and so does what all hold");
  assert.equal(log.drop(0, 0), false);
  assert.equal(log.bytes, 0);
});

Deno.test("truncate() takes back what was handed out and what was durable", () => {
  const log = started(1, 1, 1);
  log.append(command(4, 1));
  log.handed = 4;
  log.truncate(2);
  assert.deepEqual([log.last, log.lastTerm, log.handed, log.stable], [1, 1, 1, 1]);
  assert.throws(() => applied(3).truncate(3), /committed entries stay/);
});

Deno.test("truncate() finds back to the membership before", () => {
  const log = started(1);
  const next = { voters: ["a", "b"], outgoing: [], learners: [] };
  log.append({ index: 2, term: 1, kind: "membership", membership: next });
  assert.equal(log.memberships.latest, next);
  assert.equal(log.memberships.at(1), membership);
  log.truncate(2);
  assert.equal(log.memberships.latest, membership);
});

Deno.test("lastAtOrBelowTerm() skips higher terms", () => {
  const log = started(1, 1, 4, 4, 6, 6);
  assert.equal(log.lastAtOrBelowTerm(6, 5), 4);
  assert.equal(log.lastAtOrBelowTerm(9, 6), 6);
  assert.equal(log.lastAtOrBelowTerm(6, 0), 0);
});

Deno.test("sliceWithin() gives one entry at least, and no more than the bounds", () => {
  const log = started(1, 1, 1, 1);
  const size = entrySize(command(1, 1));
  assert.equal(log.sliceWithin(1, 1, 1).length, 1);
  assert.equal(log.sliceWithin(1, size * 3, 100).length, 3);
  assert.equal(log.sliceWithin(1, size * 3, 2).length, 2);
  assert.equal(log.sliceWithin(3, 1 << 20, 100).length, 2);
});

Deno.test("restore() starts anew, and is not durable yet", () => {
  const log = started(1, 1, 1);
  log.committed = 2;
  log.restore({ index: 9, term: 3, membership });
  assert.equal(log.installing, true);
  assert.deepEqual([log.first, log.last, log.lastTerm, log.committed, log.stable], [
    10,
    9,
    3,
    9,
    2,
  ]);
  log.append(command(10, 3));
  assert.equal(log.last, 10);
});

Deno.test("bytes and releasedBytes are the sums over what is in memory, whatever came before", () => {
  const step = fc.tuple(
    fc.constantFrom("append", "truncate", "apply", "drop", "restore"),
    fc.nat(9),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const log = started(1, 1);
    for (const [what, by] of steps) {
      if (what === "append") {
        for (let i = 0; i <= by; i++) log.append(command(log.last + 1, 1));
      } else if (what === "truncate" && log.committed + by < log.last) {
        log.truncate(log.committed + by + 1);
      } else if (what === "apply") {
        log.committed = log.taken = log.applied = Math.min(log.last, log.applied + by);
        log.release(log.applied - by);
      } else if (what === "drop") {
        log.drop(log.first + by - 5, by * entrySize(command(1, 1)));
      } else if (what === "restore") {
        log.restore({ index: log.committed + by + 1, term: 1, membership });
      }
      const inMemory = log.last < log.first ? [] : log.slice(log.first, log.last);
      const sum = (entries: typeof inMemory) =>
        entries.reduce((n, entry) => n + entrySize(entry), 0);
      assert.equal(log.bytes, sum(inMemory));
      assert.equal(log.releasedBytes, sum(inMemory.filter(({ index }) => index <= log.released)));
    }
  }));
});
