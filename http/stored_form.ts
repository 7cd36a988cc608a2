import { joinSlices } from "../group/mod.ts";
import type { ReadPlan } from "../stream/mod.ts";

const EMPTY_ARRAY = new Uint8Array([0x5b, 0x5d]);
const OPEN = 0x5b;
const CLOSE = 0x5d;

/** What a client is sent for a stretch of a stream: JSON messages become one array (P§9.1.5). */
export function clientBytes(plan: ReadPlan): Uint8Array {
  const stored = joinSlices(plan.slices);
  return plan.facts.json ? jsonArray(stored) : stored;
}

/** Stored JSON messages, each followed by a comma, as an array: the last comma's place takes `]`. */
export function jsonArray(stored: Uint8Array): Uint8Array {
  if (stored.length === 0) return EMPTY_ARRAY;
  const array = new Uint8Array(stored.length + 1);
  array[0] = OPEN;
  array.set(stored, 1);
  array[stored.length] = CLOSE;
  return array;
}
