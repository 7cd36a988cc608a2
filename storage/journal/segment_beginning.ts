/**
 * What is laid down at the start of a segment: its header, and a restatement of every group.
 *
 * @module
 */

import type { Part } from "./batch.ts";
import type { GroupTrack } from "./group_track.ts";
import { RECORD_HEADER_BYTES, recordBytes, sealRecord } from "./record.ts";
import { encodeVote, HARD_STATE_KIND } from "./records/hard_state.ts";
import { SNAPSHOT_MARK_KIND } from "./records/snapshot_mark.ts";
import { putSegmentHeader, SEGMENT_HEADER_BYTES } from "./segment_header.ts";
import type { Segment } from "./segment.ts";
import { Slab } from "./slab.ts";
import { WRITE_HEADER_BYTES } from "./write_header.ts";

interface Statement {
  readonly group: number;
  readonly kind: number;
  readonly index: number;
  readonly term: number;
  readonly payload: Uint8Array;
}

/** The first bytes of a segment, before it exists. */
export interface Beginning {
  readonly length: number;
  readonly statements: readonly Statement[];
}

/** Says what must be restated of `groups` in a new segment. */
export function beginningOf(groups: Iterable<GroupTrack>): Beginning {
  const statements: Statement[] = [];
  for (const { group, term, votedFor, markIndex, markTerm } of groups) {
    if (term > 0 || votedFor !== undefined) {
      statements.push({
        group,
        kind: HARD_STATE_KIND,
        index: 0,
        term,
        payload: encodeVote(votedFor),
      });
    }
    if (markIndex > 0) {
      const payload = new Uint8Array(0);
      statements.push({
        group,
        kind: SNAPSHOT_MARK_KIND,
        index: markIndex,
        term: markTerm,
        payload,
      });
    }
  }
  const bytes = statements.reduce((sum, { payload }) => sum + recordBytes(payload.length), 0);
  return { length: SEGMENT_HEADER_BYTES + WRITE_HEADER_BYTES + bytes, statements };
}

/** The header of `segment`, ready to be written at its position 0. */
export function headerOf(
  segment: Segment,
  beginning: Beginning,
  journal: number,
  previousEnd: number,
): Uint8Array {
  const { sequence, salt } = segment;
  const header = new Uint8Array(SEGMENT_HEADER_BYTES);
  const restatementEnd = beginning.length;
  putSegmentHeader(header, { journal, sequence, previousEnd, restatementEnd, salt });
  return header;
}

/** The restatement as a write of its own, right after the header. */
export function restatementOf(segment: Segment, beginning: Beginning): Part {
  const length = beginning.length - SEGMENT_HEADER_BYTES;
  const slab = new Slab(length);
  let at = WRITE_HEADER_BYTES;
  for (const { group, kind, index, term, payload } of beginning.statements) {
    slab.bytes.set(payload, at + RECORD_HEADER_BYTES);
    const { bytes, view } = slab;
    sealRecord(bytes, view, at, payload.length, group, kind, 0, index, term, segment.salt);
    at += recordBytes(payload.length);
  }
  const ranges = [{ slab, start: 0, end: length }];
  return { segment, position: SEGMENT_HEADER_BYTES, length, ranges, ticket: 0 };
}
