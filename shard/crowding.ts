import type { Clock, CoreTime } from "../io/mod.ts";

/** How often the thread's time is looked at. */
const LOOK_MS = 100;
/** Who neither runs nor waits for less than this part of a look has no rest ... */
const BUSY_MIN = 0.88;
/** ... and who does so for more than this has some. */
const RESTED_MAX = 0.8;
/** Others want the core, too, where waiting for it takes this part of the time that it is had. */
const WAITED_MIN = 0.5;
/** How much longer, or shorter, the gap is after each look. */
const GAP_STEP_MS = 1;
const GAP_MS_MAX = 8;

/**
 * Whether a shard's thread shares its core with others that want as much of it.
 *
 * Each write to a journal costs its sync, two switches of threads, and on a follower an
 * acknowledgement of its own. A thread that has its core to itself pays that from time in which it
 * would do nothing else. On a full core that others wait for, too, it pays with their time, and they
 * may be who it waits for. So there journals are written less often, each time with more; as much
 * less as leaves the thread a little rest, since beyond that everybody waits for the clock alone.
 */
export class Crowding {
  /** What lies between two writes to a journal at least, in ms; 0 on a core that is not crowded. */
  gapMs = 0;
  readonly #clock: Clock;
  #before: CoreTime | undefined;
  #lookedMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lookedMs = clock.monotonicMs();
    this.#before = clock.coreTime?.();
  }

  /** Looks, if it is time to. */
  tick(nowMs: number): void {
    const tookMs = nowMs - this.#lookedMs;
    if (tookMs < LOOK_MS) return;
    const before = this.#before;
    const now = this.#clock.coreTime?.();
    this.#lookedMs = nowMs;
    this.#before = now;
    if (before === undefined || now === undefined) return;
    const ranMs = now.ranMs - before.ranMs;
    const waitedMs = now.waitedMs - before.waitedMs;
    const busy = (ranMs + waitedMs) / tookMs;
    if (waitedMs < ranMs * WAITED_MIN || busy < RESTED_MAX) {
      this.gapMs = Math.max(0, this.gapMs - GAP_STEP_MS);
    } else if (busy > BUSY_MIN) {
      this.gapMs = Math.min(GAP_MS_MAX, this.gapMs + GAP_STEP_MS);
    }
  }
}
