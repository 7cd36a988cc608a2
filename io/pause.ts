import type { Clock } from "./mod.ts";

/** Resolves when the time is over, or at once when the signal says so. */
export function pause(
  clock: Pick<Clock, "setTimer">,
  delayMs: number,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    if (signal === undefined) return void clock.setTimer(delayMs, resolve);
    if (signal.aborted) return resolve();
    const over = () => {
      timer.cancel();
      signal.removeEventListener("abort", over);
      resolve();
    };
    const timer = clock.setTimer(delayMs, over);
    signal.addEventListener("abort", over);
  });
}
