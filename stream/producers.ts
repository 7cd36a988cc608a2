/**
 * Idempotent producers of one stream (P§5.2.1).
 *
 * @module
 */

import { ownText } from "./text.ts";
import type { ProducerStamp } from "./types.ts";

/** Producers that one stream remembers (SPEC section 3). */
export const PRODUCERS_PER_STREAM_MAX = 4096;

/** How long a producer must be idle before another may take its place, in ms: 7 days. */
export const PRODUCER_IDLE_MS = 7 * 24 * 60 * 60 * 1000;

/** What a stream knows of one producer. */
export interface ProducerState {
  epoch: number;
  /** Highest accepted sequence number of the epoch. */
  seq: number;
  /** Stamp of the last accepted request, in ms. */
  usedMs: number;
}

/** By producer id, in order of first use. */
export type Producers = Map<string, ProducerState>;

/** What the producer headers of a request mean. */
export type ProducerVerdict =
  | "accept"
  | "duplicate"
  | "producer_epoch_stale"
  | "producer_epoch_start"
  | "producer_gap"
  | "producer_limit";

/** Judges a request; changes nothing. An unknown producer starts at 0, in any epoch. */
export function judgeProducer(
  producers: Producers | undefined,
  stamp: ProducerStamp,
  nowMs: number,
): ProducerVerdict {
  const state = producers?.get(stamp.id);
  if (state === undefined) {
    if (stamp.seq !== 0) return "producer_gap";
    return producers !== undefined && producers.size >= PRODUCERS_PER_STREAM_MAX &&
        evictable(producers, nowMs) === undefined
      ? "producer_limit"
      : "accept";
  }
  if (stamp.epoch < state.epoch) return "producer_epoch_stale";
  if (stamp.epoch > state.epoch) return stamp.seq === 0 ? "accept" : "producer_epoch_start";
  if (stamp.seq <= state.seq) return "duplicate";
  return stamp.seq === state.seq + 1 ? "accept" : "producer_gap";
}

/** Records an accepted request, in place of the one idle longest where the table is full. */
export function acceptProducer(producers: Producers, stamp: ProducerStamp, nowMs: number): void {
  const state = producers.get(stamp.id);
  if (state !== undefined) {
    state.epoch = stamp.epoch;
    state.seq = stamp.seq;
    state.usedMs = nowMs;
    return;
  }
  if (producers.size >= PRODUCERS_PER_STREAM_MAX) {
    const idle = evictable(producers, nowMs);
    if (idle === undefined) throw new Error("producer accepted into a full table");
    producers.delete(idle);
  }
  producers.set(ownText(stamp.id), { epoch: stamp.epoch, seq: stamp.seq, usedMs: nowMs });
}

/** The producer idle longest, if idle long enough; of several the one that came first. */
function evictable(producers: Producers, nowMs: number): string | undefined {
  let oldest: string | undefined;
  let oldestMs = nowMs - PRODUCER_IDLE_MS + 1;
  for (const [id, state] of producers) {
    if (state.usedMs < oldestMs) {
      oldest = id;
      oldestMs = state.usedMs;
    }
  }
  return oldest;
}
