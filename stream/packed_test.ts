import assert from "node:assert/strict";
import fc from "fast-check";
import { messageEnds, StreamLog } from "./log.ts";
import { decodeRow, encodeRow, mergePacked, packedCopy, unpackRange } from "./packed.ts";
import { RetainedRanges } from "./retained_ranges.ts";
import { copySlices, newSlab, sliceOf } from "./slab.ts";

/** Appends of random bytes, each of messages of these lengths. */
const appends = fc.array(
  fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 6 }),
  { minLength: 1, maxLength: 8 },
);

interface Made {
  readonly log: StreamLog;
  readonly bytes: Uint8Array;
  /** Ends of all messages, and the beginning. */
  readonly boundaries: number[];
  readonly live: () => number;
}

function logOf(lengths: readonly (readonly number[])[]): Made {
  const log = new StreamLog();
  const total = lengths.flat().reduce((sum, length) => sum + length, 0);
  const slab = newSlab(total);
  for (let i = 0; i < total; i++) slab.bytes[i] = i * 7;
  const boundaries = [0];
  for (const row of lengths) {
    const start = boundaries.at(-1) ?? 0;
    for (const length of row) boundaries.push((boundaries.at(-1) ?? 0) + length);
    log.push(slab, start, (boundaries.at(-1) ?? 0) - start, messageEnds(row));
  }
  return { log, bytes: slab.bytes, boundaries, live: () => slab.live };
}

Deno.test("unpackRange() gives back messages and bytes of what packRange() took", () => {
  fc.assert(
    fc.property(appends, fc.nat(), fc.nat(), (lengths, a, b) => {
      const { log, bytes, boundaries } = logOf(lengths);
      const first = a % (boundaries.length - 1);
      const last = first + 1 + b % (boundaries.length - 1 - first);
      const [from = 0, to = 0] = [boundaries[first], boundaries[last]];
      const row = encodeRow(log.lengths(from, to));
      const found = unpackRange(packedCopy(log, from, to), row.length);
      assert.deepEqual(found?.data, bytes.subarray(from, to));
      const ends = boundaries.slice(first + 1, last + 1).map((end) => end - from);
      assert.deepEqual([...found?.ends ?? []], ends);
      assert.equal(row.length > 0, last - first > 1);
    }),
  );
});

Deno.test("mergePacked() is the packed form of what it joins", () => {
  fc.assert(
    fc.property(appends, fc.nat(), (lengths, a) => {
      const { log, boundaries } = logOf(lengths);
      const end = log.end, middle = boundaries[1 + a % (boundaries.length - 1)] ?? end;
      const parts = (middle === end ? [[0, end]] : [[0, middle], [middle, end]])
        .map(([from = 0, to = 0]) => ({
          packed: packedCopy(log, from, to),
          rowBytes: encodeRow(log.lengths(from, to)).length,
        }));
      const merged = mergePacked(parts);
      const joined = copySlices((merged?.parts ?? []).map(sliceOf));
      assert.deepEqual(joined, packedCopy(log, 0, end));
      assert.equal(merged?.rowBytes, encodeRow(log.lengths(0, end)).length);
    }),
  );
});

Deno.test("decodeRow() refuses a row of other bytes", () => {
  const row = encodeRow([1, 200, 3]);
  assert.deepEqual([...decodeRow(row, 204) ?? []], [1, 201, 204]);
  assert.equal(decodeRow(row, 203), undefined);
  assert.equal(decodeRow(row.subarray(0, 2), 204), undefined);
  assert.deepEqual([...decodeRow(encodeRow([9]), 9) ?? []], [9]);
  assert.equal(unpackRange(new Uint8Array(3), 4), undefined);
  assert.equal(mergePacked([{ packed: new Uint8Array(3), rowBytes: 1 }]), undefined);
});

Deno.test("StreamLog.takeBefore() parts a log at any end of a message", () => {
  fc.assert(
    fc.property(appends, fc.array(fc.nat(), { minLength: 1, maxLength: 4 }), (lengths, cuts) => {
      const { log, bytes, boundaries, live } = logOf(lengths);
      const ends = cuts.map((cut) => boundaries[1 + cut % (boundaries.length - 1)] ?? 0)
        .sort((a, b) => a - b);
      const taken: StreamLog[] = [];
      for (const end of new Set(ends)) {
        const view = log.view();
        const before = copySlices(view.slices(view.start, view.end));
        taken.push(log.takeBefore(end));
        assert.deepEqual(copySlices(view.slices(view.start, view.end)), before);
      }
      for (const part of [...taken, log]) {
        assert.deepEqual(
          copySlices(part.slices(part.start, part.end)),
          bytes.slice(part.start, part.end),
        );
        const inside = boundaries.filter((b) => b >= part.start && b <= part.end);
        const found = [part.start];
        for (let at = part.start; at < part.end;) {
          at = part.nextBoundary(at) ?? part.end;
          found.push(at);
        }
        assert.deepEqual(found, inside);
        for (let offset = part.start; offset <= part.end; offset++) {
          const last = inside.findLast((b) => b <= offset);
          assert.equal(part.lastBoundary(offset), last);
          assert.equal(part.isBoundary(offset), last === offset);
        }
        const counted = part.lengths(part.start, part.end);
        assert.equal(counted.length, inside.length - 1);
        for (let n = 0; n <= inside.length; n++) {
          const at = inside[Math.min(n, inside.length - 1)];
          const left = Math.max(0, n - inside.length + 1);
          assert.deepEqual(part.advance(part.start, n), { at, left });
        }
        let messages = 0;
        for (let i = 0; i < part.chunks; i++) {
          const ends = part.endsOf(i);
          assert.equal(part.endCount(i), ends?.length ?? 0);
          messages += ends?.length ?? 1;
        }
        assert.equal(messages, inside.length - 1);
      }
      assert.equal(live(), bytes.length);
      for (const part of [...taken, log]) part.releaseAll();
      assert.equal(live(), 0);
    }),
    { numRuns: 200 },
  );
});

Deno.test("RetainedRanges reads and holds what was there, whatever becomes of the log", () => {
  fc.assert(
    fc.property(appends, fc.nat(), (lengths, a) => {
      const { log, boundaries, live } = logOf(lengths);
      const middle = boundaries[a % boundaries.length] ?? 0;
      const end = log.end;
      const packed = [packedCopy(log, 0, middle), packedCopy(log, middle, end)];
      const [first = new Uint8Array(0), second = new Uint8Array(0)] = packed;
      const view = log.view();
      const at = first.length + 5;
      const retained = new RetainedRanges(at + second.length + 3, [
        { at: 0, log: view, from: 0, to: middle },
        { at, log: view, from: middle, to: end },
      ]);
      assert.equal(live(), 2 * end);
      log.takeBefore(middle).releaseAll();
      log.push(newSlab(7), 0, 7, undefined);
      const expected = new Uint8Array(retained.length);
      expected.set(first);
      expected.set(second, at);
      for (let again = 0; again < 2; again++) {
        assert.deepEqual(copySlices([...retained.parts()].map(sliceOf)), expected);
      }
      retained.release();
      assert.equal(live(), end - middle);
    }),
  );
});

Deno.test("RetainedRanges puts small chunks together, in parts of a bounded size", () => {
  const small = Array.from({ length: 70_000 }, (_, i) => 1 + i % 3);
  const lengths = [1, 31, 32, 4_095, 4_096, 2, 100_000, ...small, 31, 32, 4_096].map((n) => [n]);
  const { log, bytes } = logOf(lengths);
  const row = encodeRow(lengths.flat());
  const length = row.length + log.end;
  const retained = new RetainedRanges(length, [{ at: 0, log, from: 0, to: log.end }]);
  const parts = [...retained.parts()];
  assert.deepEqual(copySlices(parts.map(sliceOf)), copySlices([sliceOf(row), sliceOf(bytes)]));
  assert.ok(parts.length < 20, `${parts.length}`);
  assert.ok(parts.slice(1).every((part) => part.length <= 65_536 || part.length === 100_000));
});
