/**
 * Applying deletes, touches and expiries (P§5.4; SPEC section 3, TTL).
 *
 * @module
 */

import { coarseIntervalMs, deadlineOf } from "./deadlines.ts";
import type { Stream } from "./stream.ts";
import { refuse, type Tables } from "./tables.ts";
import type { DeleteStream, ExpireStreams, Outcome, TouchStreams } from "./types.ts";

/** Deletes a stream; one whose forks live on is hidden instead. */
export function applyDelete(tables: Tables, command: DeleteStream): Outcome {
  const stream = tables.streams.get(command.key);
  if (stream === undefined) return tables.absent(command.key);
  if (stream.softDeleted) return { refused: "stream_gone" };
  if (command.incarnation !== undefined && command.incarnation !== stream.incarnation) {
    return refuse("incarnation_mismatch", stream);
  }
  retire(tables, stream);
  return { ok: "deleted", incarnation: stream.incarnation };
}

/** Pushes the deadlines of the named streams back. */
export function applyTouch(tables: Tables, command: TouchStreams, stampMs: number): Outcome {
  for (const key of command.keys) {
    const stream = tables.streams.get(key);
    if (stream?.rare?.ttlSeconds === undefined || stream.softDeleted) continue;
    tables.beforeChange(stream);
    stream.rare.touchedMs = stampMs;
  }
  return { ok: "done" };
}

/** Ends those of the named streams whose deadline has passed. */
export function applyExpire(tables: Tables, command: ExpireStreams, stampMs: number): Outcome {
  for (const key of command.keys) {
    const stream = tables.streams.get(key);
    if (stream === undefined || stream.softDeleted || deadlineOf(stream.rare) > stampMs) continue;
    retire(tables, stream);
  }
  return { ok: "done" };
}

/** Is a read of the stream worth a replicated touch? */
export function touchWanted(stream: Stream, nowMs: number): boolean {
  const rare = stream.rare;
  if (rare?.ttlSeconds === undefined || stream.softDeleted) return false;
  return nowMs - rare.touchedMs >= coarseIntervalMs(rare.ttlSeconds);
}

function retire(tables: Tables, stream: Stream): void {
  const forks = stream.rare?.forks ?? 0;
  if (forks > 0) tables.softDelete(stream);
  else tables.end(stream);
}
