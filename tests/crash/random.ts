/**
 * Randomness that a printed seed repeats, as far as real processes let it.
 *
 * @module
 */

/** The run's seed: `URSULA_CRASH_SEED`, else the clock. */
export const SEED = Number(Deno.env.get("URSULA_CRASH_SEED") ?? Date.now() % 2 ** 31);

/** Numbers in [0, 1) from a seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Resolves after so many milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
