/** Pins what lies on disk: when one of these fails, old data directories can't be read any more. */

import assert from "node:assert/strict";
import { FORMAT_VERSION } from "./format.ts";
import { openRecord, RECORD_HEADER_BYTES, recordBytes, sealRecord } from "./record.ts";
import { COMMAND_KIND } from "./records/command.ts";
import { ENTRY_COPIED, entryKindId, entryKindOf } from "./records/entry.ts";
import { decodeVote, encodeVote, HARD_STATE_KIND } from "./records/hard_state.ts";
import { MEMBERSHIP_KIND } from "./records/membership.ts";
import { NOOP_KIND } from "./records/noop.ts";
import { SNAPSHOT_MARK_DISCARDS, SNAPSHOT_MARK_KIND } from "./records/snapshot_mark.ts";
import { openSegmentHeader, putSegmentHeader, SEGMENT_HEADER_BYTES } from "./segment_header.ts";
import { Slab } from "./slab.ts";
import { openWriteHeader, putWriteHeader, WRITE_HEADER_BYTES } from "./write_header.ts";

const SALT = 0xc0ffee;

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

Deno.test("ids and sizes on disk stay as they are", () => {
  assert.deepEqual(
    {
      FORMAT_VERSION,
      COMMAND_KIND,
      NOOP_KIND,
      MEMBERSHIP_KIND,
      HARD_STATE_KIND,
      SNAPSHOT_MARK_KIND,
    },
    {
      FORMAT_VERSION: 1,
      COMMAND_KIND: 1,
      NOOP_KIND: 2,
      MEMBERSHIP_KIND: 3,
      HARD_STATE_KIND: 4,
      SNAPSHOT_MARK_KIND: 5,
    },
  );
  assert.deepEqual([ENTRY_COPIED, SNAPSHOT_MARK_DISCARDS], [1, 1]);
  assert.deepEqual([RECORD_HEADER_BYTES, WRITE_HEADER_BYTES, SEGMENT_HEADER_BYTES], [32, 32, 64]);
  assert.deepEqual([0, 1, 8, 9].map(recordBytes), [32, 40, 40, 48]);
  for (const kind of ["command", "noop", "membership"] as const) {
    assert.equal(entryKindOf(entryKindId(kind)), kind);
  }
  assert.equal(entryKindOf(HARD_STATE_KIND), undefined);
});

Deno.test("sealRecord() lays a record down like this", () => {
  const { bytes, view } = new Slab(40);
  bytes.set([1, 2, 3], 32);
  const index = 2 ** 40 + 5;
  sealRecord(bytes, view, 0, 3, 7, COMMAND_KIND, ENTRY_COPIED, index, 9, SALT);
  assert.equal(
    hex(bytes),
    "c39da0bf03000000070000000101000005000000000100000900000000000000" + "0102030000000000",
  );
  const expected = { length: 3, group: 7, kind: COMMAND_KIND, flags: ENTRY_COPIED, index, term: 9 };
  assert.deepEqual(openRecord(bytes, view, 0, SALT), expected);
});

Deno.test("openRecord() refuses when any bit of it differs, or the salt", () => {
  const { bytes, view } = new Slab(40);
  bytes.set([1, 2, 3], 32);
  sealRecord(bytes, view, 0, 3, 7, COMMAND_KIND, 0, 5, 9, SALT);
  assert.equal(openRecord(bytes, view, 0, SALT + 1), undefined);
  for (let at = 0; at < 35; at++) {
    // A length is bounded by who reads it, before it gets here.
    if (at >= 5 && at < 8) continue;
    for (let bit = 0; bit < (at === 4 ? 3 : 8); bit++) {
      const before = bytes[at] ?? 0;
      bytes[at] = before ^ (1 << bit);
      assert.equal(openRecord(bytes, view, 0, SALT), undefined, `byte ${at} bit ${bit}`);
      bytes[at] = before;
    }
  }
});

Deno.test("putWriteHeader() lays a header down like this, which holds only where it stands", () => {
  const { bytes, view } = new Slab(40);
  putWriteHeader(bytes, view, 8, SALT, 4_000, 72, 64);
  assert.equal(
    hex(bytes.subarray(8)),
    "5572735791e7a3e5eeffc000a00f000048000000000000004000000000000000",
  );
  assert.deepEqual(openWriteHeader(bytes, view, 8, SALT, 72), { length: 4_000, synced: 64 });
  assert.equal(openWriteHeader(bytes, view, 8, SALT, 80), undefined);
  assert.equal(openWriteHeader(bytes, view, 8, SALT + 1, 72), undefined);
});

Deno.test("putSegmentHeader() lays a header down like this", () => {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  const header = { journal: 3, sequence: 12, previousEnd: 4_096, restatementEnd: 200, salt: SALT };
  putSegmentHeader(bytes, header);
  assert.equal(
    hex(bytes),
    "5572734ab9b1d4f201000000030000000c000000000000000010000000000000" +
      "c800000000000000eeffc0000000000000000000000000000000000000000000",
  );
  assert.deepEqual(openSegmentHeader(bytes), { version: 1, ...header });
  for (let at = 0; at < SEGMENT_HEADER_BYTES; at++) {
    const rotten = bytes.slice();
    rotten[at] = (rotten[at] ?? 0) ^ 4;
    assert.equal(openSegmentHeader(rotten), undefined, `byte ${at}`);
  }
});

Deno.test("encodeVote() tells nobody, and members of any name", () => {
  assert.equal(hex(encodeVote(undefined)), "");
  assert.equal(hex(encodeVote("1/ä")), "01312fc3a4");
  for (const vote of [undefined, "", "1/ä"]) assert.equal(decodeVote(encodeVote(vote)), vote);
});
