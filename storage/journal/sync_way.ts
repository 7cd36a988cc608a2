/** While the end of a sync is noticed sooner, nothing is to be gained. */
const BUSY_MS = 4;
/** What takes longer than this is the disk's doing, and to find that out nobody is kept waiting. */
const DISK_MS = 100;
/** A loop that waits does nothing else: what it saves has to be this many times as much. */
const GAIN = 16;
/** So many on the event loop, then one beside it: it may have become idle. */
const RUN = 32;
/** After one that saved nothing none is tried for so long, and twice as long each time. */
const AGAIN_MS = { least: 1_000, most: 60_000 };
/** How much of what is new the time until a sync is noticed takes over. */
const SHARE = 1 / 2;

/**
 * Where the next sync is waited for: beside the event loop, which is told when it is over, or on it.
 *
 * Told is the rule: others go on meanwhile. But it costs two switches of threads, and a busy loop
 * hears of it only when it comes round: on a fast disk that takes many times as long as the sync, and
 * all its batch waits. So where a sync takes a small part of that time, the loop waits for it; a disk
 * that is slow, or becomes so, is found out by one sync, and then left alone for a while.
 */
export class SyncWay {
  #toldMs = 0;
  /** How many more are made on the event loop. */
  #left = 0;
  #triesAtMs = 0;
  #againMs = AGAIN_MS.least;

  /** Is the next sync to be made on the event loop? */
  holds(nowMs: number): boolean {
    if (this.#left > 0) return true;
    return this.#toldMs >= BUSY_MS && this.#toldMs <= DISK_MS && nowMs >= this.#triesAtMs;
  }

  /** One beside the event loop was noticed after so long. */
  told(tookMs: number): void {
    const beforeMs = this.#toldMs === 0 ? tookMs : this.#toldMs;
    this.#toldMs = beforeMs + SHARE * (tookMs - beforeMs);
  }

  /** The event loop waited for one. */
  held(tookMs: number, nowMs: number): void {
    if (tookMs * GAIN > this.#toldMs) {
      this.#left = 0;
      this.#triesAtMs = nowMs + this.#againMs;
      this.#againMs = Math.min(this.#againMs * 2, AGAIN_MS.most);
    } else if (this.#left === 0) {
      this.#left = RUN;
    } else if (--this.#left === 0) {
      this.#toldMs = 0;
      this.#againMs = AGAIN_MS.least;
    }
  }
}
