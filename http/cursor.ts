/** Length of one interval (P§10.1). */
const INTERVAL_MS = 20_000;
/** 2024-10-09T00:00:00Z, where intervals are counted from (P§10.1). */
const EPOCH_MS = 1_728_432_000_000;
/** Most seconds by which a cursor runs ahead of a client that is as far as we are (P§10.1). */
const JITTER_SECONDS_MAX = 3_600;

/**
 * The cursor of a live answer (P§10.1): the number of the present interval, or one beyond the
 * client's where that is not behind, so that it never goes back and never stands still.
 */
export function cursorAfter(client: number | undefined, wallMs: number, random: number): number {
  const interval = Math.floor((wallMs - EPOCH_MS) / INTERVAL_MS);
  if (client === undefined || client < interval) return interval;
  const jitterMs = (1 + Math.floor(random * JITTER_SECONDS_MAX)) * 1_000;
  return client + Math.max(1, Math.floor(jitterMs / INTERVAL_MS));
}
