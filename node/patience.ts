import type { Answer, Eventually } from "../group/mod.ts";
import { type Clock, pause } from "../io/mod.ts";
import type { GroupAccess } from "../shard/mod.ts";
import type { Command } from "../stream/mod.ts";

/** How long a request may wait for another one's steps, or for a leader, before it is refused. */
export const PATIENCE_MS = 5_000;
/** Pause before the next look. */
export const RETRY_MS = 10;

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

/**
 * Submits a command that may be applied any number of times, and late, with the effect of once: one
 * that a version or token guards. Where nobody knows what became of it, it is sent again.
 */
export function submitUntilKnown(
  access: GroupAccess,
  clock: Clock,
  group: number,
  command: Command,
): Promise<Answer> {
  return insist(
    clock,
    () => access.submit(group, command),
    (answer) => "unavailable" in answer && answer.unavailable === "outcome_unknown",
  );
}

/** Resolves as `outcome` does, or to undefined at `deadlineMs` of the monotonic clock. */
export function before<T>(
  clock: Clock,
  deadlineMs: number,
  outcome: Eventually<T>,
): Eventually<T | undefined> {
  if (!(outcome instanceof Promise)) return outcome;
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(deadlineMs - clock.monotonicMs(), () => resolve(undefined));
    outcome.then((value) => {
      timer.cancel();
      resolve(value);
    }, (reason) => {
      timer.cancel();
      reject(reason);
    });
  });
}
