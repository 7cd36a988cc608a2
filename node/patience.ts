import type { Clock } from "../io/mod.ts";

/** How long a request may wait for another one's steps, or for a leader, before it is refused. */
export const PATIENCE_MS = 5_000;
const RETRY_MS = 10;

/** Resolves after `delayMs`. */
export function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => clock.setTimer(delayMs, resolve));
}

/**
 * Calls `attempt` until its answer is no longer one to wait out, or patience is over; the last
 * answer is returned either way.
 */
export async function insist<T>(
  clock: Clock,
  attempt: () => Promise<T>,
  waitOut: (answer: T) => boolean,
): Promise<T> {
  const deadline = clock.monotonicMs() + PATIENCE_MS;
  let answer = await attempt();
  while (waitOut(answer) && clock.monotonicMs() < deadline) {
    await pause(clock, RETRY_MS);
    answer = await attempt();
  }
  return answer;
}
