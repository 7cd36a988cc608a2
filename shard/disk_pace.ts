import type { LogLine } from "./log_line.ts";

/** A disk that takes so long for a write is slow ... */
export const SLOW_MS = 1_000;
/** ... and well again when it did not for so long. */
export const WELL_MS = 30_000;
/** Other nodes have heard by then that the disk is slow, and this one whether theirs are. */
export const TOLD_MS = 2_000;
/** A disk that takes so long for a write hangs. */
export const HANG_MS = 5_000;
/** What a tick counts at most: a thread that was held up has not heard what ended meanwhile. */
const TICK_MS_MAX = 100;

/** Where writes go, as far as their pace matters. */
export interface Writing {
  /** A number for the oldest write under way, another one for each; 0 where there is none. */
  readonly oldestWrite: number;
}

/** Writes of one journal. */
interface Watched {
  readonly lane: Writing;
  /** The oldest one under way. */
  write: number;
  /** For how long it was seen. */
  ageMs: number;
}

/**
 * Watches how long the writes to a shard's journals are under way.
 *
 * A leader needs no disk to stay one, so a disk that hangs would keep all groups led here from being
 * written to, for as long as it likes, while the other nodes' are well. Whether that is so the other
 * nodes are told, see `Caretaker.seeDisk`. The node itself stays: disks come back, and where all of
 * them hang, as they may if they are a network's, nobody would be there any more when they do.
 */
export class DiskPace {
  /** Did a write take {@linkcode SLOW_MS} of late, or does one now? Other nodes are to know. */
  slow = false;
  /** Does one now, and do others know? Then what they can lead is theirs. */
  hampers = false;
  /** Has one taken {@linkcode HANG_MS} and not ended? Then nothing new is seen on this node. */
  hangs = false;
  readonly #watched: Watched[];
  readonly #log: LogLine;
  #tickedMs = Infinity;
  /** When a write was seen last that took so long, and since when `slow` is what it is. */
  #slowMs = -Infinity;
  #sinceMs = -Infinity;

  constructor(lanes: readonly Writing[], log: LogLine) {
    this.#watched = lanes.map((lane) => ({ lane, write: 0, ageMs: 0 }));
    this.#log = log;
  }

  /** Looks; to be called several times a second. */
  tick(nowMs: number): void {
    const passedMs = Math.min(Math.max(0, nowMs - this.#tickedMs), TICK_MS_MAX);
    this.#tickedMs = nowMs;
    for (const watched of this.#watched) watch(watched, passedMs);
    const ageMs = Math.max(...this.#watched.map((watched) => watched.ageMs));
    if (ageMs >= SLOW_MS) this.#slowMs = nowMs;
    this.hangs = ageMs >= HANG_MS;
    this.#judge(nowMs - this.#slowMs < WELL_MS, nowMs);
    this.hampers = nowMs - this.#slowMs < SLOW_MS && nowMs - this.#sinceMs >= TOLD_MS;
  }

  #judge(slow: boolean, nowMs: number): void {
    if (slow === this.slow) return;
    this.slow = slow;
    this.#sinceMs = nowMs;
    this.#log(
      slow
        ? `disk slow: a write to the journal has taken ${SLOW_MS} ms; what others can lead they shall`
        : `disk well again: no write to the journal has taken ${SLOW_MS} ms for ${WELL_MS} ms`,
      slow ? "warn" : "info",
    );
  }
}

function watch(watched: Watched, passedMs: number): void {
  const write = watched.lane.oldestWrite;
  watched.ageMs = write === watched.write && write > 0 ? watched.ageMs + passedMs : 0;
  watched.write = write;
}
