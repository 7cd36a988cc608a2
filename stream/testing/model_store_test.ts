/**
 * Objects as a map, and reading with them as a node would.
 *
 * @module
 */

import assert from "node:assert/strict";
import { settleRead, type Settling } from "../cold_read.ts";
import type { ColdPiece } from "../cold_types.ts";
import { decodeRow } from "../packed.ts";
import { copySlices } from "../slab.ts";
import type { ReadRefusal } from "../stretch.ts";
import type { ReadPlan } from "../types.ts";

/** What was uploaded, by number. */
export class ModelStore {
  readonly payloads = new Map<number, Uint8Array>();

  /** Bytes of an object. */
  bytes({ number, objectBytes }: ColdPiece, at: number, length: number): Uint8Array {
    const payload = this.payloads.get(number);
    assert.ok(payload !== undefined, `object ${number} is missing`);
    assert.equal(payload.length, objectBytes);
    assert.ok(at >= 0 && at + length <= payload.length, "a piece lies outside of its object");
    return payload.subarray(at, at + length);
  }

  /** Ends of the messages of a range. */
  ends(piece: ColdPiece): Uint32Array {
    const row = this.bytes(piece, piece.at, piece.rowBytes);
    const ends = decodeRow(row, piece.rangeTo - piece.rangeFrom);
    assert.ok(ends !== undefined, "a row is damaged");
    return ends;
  }

  /** The bytes of a part of a range. */
  part(piece: ColdPiece, from: number, to: number): Uint8Array {
    return this.bytes(piece, piece.at + piece.rowBytes + from - piece.rangeFrom, to - from);
  }

  /** Fetches what a plan needs to be settled. */
  settle(plan: ReadPlan): ReadPlan | ReadRefusal {
    const { cold } = plan;
    if (cold === undefined) return plan;
    const found: { -readonly [K in keyof Settling]: Settling[K] } = {};
    if (cold.startsIn !== undefined) found.startEnds = this.ends(cold.startsIn);
    if (cold.endsIn !== undefined) found.endEnds = this.ends(cold.endsIn);
    let settled = settleRead(plan, found);
    if ("wanted" in settled) {
      const { piece, from, to } = settled.wanted;
      found.bytes = this.part(piece, from, to);
      settled = settleRead(plan, found);
    }
    assert.ok(!("wanted" in settled), "bytes are wanted twice");
    return settled;
  }

  /** The bytes of a settled plan. */
  read(plan: ReadPlan): Uint8Array {
    if (plan.cold === undefined) return copySlices(plan.slices);
    assert.throws(() => plan.slices);
    assert.ok(plan.cold.startsIn === undefined && plan.cold.endsIn === undefined);
    const parts: number[] = [];
    let at = plan.from;
    for (const piece of plan.cold.pieces) {
      if ("slab" in piece) {
        parts.push(...copySlices([piece]));
      } else {
        assert.equal(piece.from, at, "a gap");
        assert.ok(piece.rangeFrom <= piece.from && piece.to <= piece.rangeTo);
        assert.equal(piece.length, piece.rowBytes + piece.rangeTo - piece.rangeFrom);
        parts.push(...this.part(piece, piece.from, piece.to));
      }
      at = plan.from + parts.length;
    }
    assert.equal(at, plan.next);
    return Uint8Array.from(parts);
  }
}
