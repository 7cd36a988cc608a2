import { type Clock, pause } from "../../io/mod.ts";

/** Waits between two looks at something that others bring about. */
export interface Pacing {
  /** Monotonic, in ms. */
  readonly nowMs: () => number;
  /** Resolves after so many ms. */
  readonly pause: (ms: number) => Promise<void>;
  /** The node is about to end: nothing is waited for. */
  readonly isOver: () => boolean;
}

/** {@linkcode Pacing} by a clock. */
export function pacingOf(clock: Clock, isOver: () => boolean): Pacing {
  return {
    nowMs: () => clock.monotonicMs(),
    pause: (ms) => pause(clock, ms),
    isOver,
  };
}
