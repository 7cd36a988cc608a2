import type { Clock } from "../io/mod.ts";
import { REPORT_BYTES, WINDOW_BYTES_MAX, WINDOW_BYTES_MIN, WINDOW_DELAY_MS_MAX } from "./bounds.ts";

/**
 * How much of the bulk lane may be on its way at once: bytes that were handed to the connection, and
 * that the other end has yet to say it has read.
 *
 * What the system has taken can't be overtaken any more. It takes megabytes, which on a slow link are
 * seconds of which a heartbeat behind them would be late. So the window is as wide as what it takes to
 * keep the link busy, and a little more: the delay that it causes by itself, over the shortest there
 * was, stays near `WINDOW_DELAY_MS_MAX` (the idea is LEDBAT's, RFC 6817).
 */
export class Window {
  readonly #clock: Pick<Clock, "monotonicMs">;
  #bytesMax = WINDOW_BYTES_MIN;
  /** Handed over and not reported as read. */
  #onTheWay = 0;
  /** The window was full with so much: how long that takes is known once `#untilTimed` more is read. */
  #timedBytes = 0;
  #untilTimed = 0;
  #sinceMs = 0;
  #shortestMs = Infinity;

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** Whether so many bytes of bulk may follow now. Less on the way than is reported at once is none. */
  takes(bytes: number): boolean {
    if (this.#onTheWay < REPORT_BYTES || this.#onTheWay + bytes <= this.#bytesMax) return true;
    if (this.#untilTimed === 0) {
      this.#timedBytes = this.#onTheWay;
      // The last of it need not be reported before more follows.
      this.#untilTimed = this.#onTheWay - REPORT_BYTES + 1;
      this.#sinceMs = this.#clock.monotonicMs();
    }
    return false;
  }

  /** So many bytes, of whichever lane, are handed to the connection. */
  hand(bytes: number): void {
    this.#onTheWay += bytes;
  }

  /** The other end has read so many more bytes; false where that is more than it was sent. */
  report(bytes: number): boolean {
    if (bytes > this.#onTheWay) return false;
    this.#onTheWay -= bytes;
    if (this.#untilTimed === 0) return true;
    this.#untilTimed = Math.max(0, this.#untilTimed - bytes);
    if (this.#untilTimed === 0) this.#adapt(this.#clock.monotonicMs() - this.#sinceMs);
    return true;
  }

  #adapt(delayMs: number): void {
    this.#shortestMs = Math.min(this.#shortestMs, delayMs);
    const factor = Math.min(2, (this.#shortestMs + WINDOW_DELAY_MS_MAX) / delayMs);
    const bytes = this.#timedBytes * factor;
    this.#bytesMax = Math.min(WINDOW_BYTES_MAX, Math.max(WINDOW_BYTES_MIN, bytes));
  }
}
