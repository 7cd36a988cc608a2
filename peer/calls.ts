import type { Clock } from "../io/mod.ts";
import { CALL_MS_MAX, CALLS_PENDING_MAX } from "./bounds.ts";
import type { CallFailed } from "./types.ts";

/** Nothing of the call reached the peer. */
export const NOT_SENT: CallFailed = { failed: "not_sent" };
/** Nobody knows what became of the call. */
export const UNANSWERED: CallFailed = { failed: "unanswered" };

interface PendingCall {
  readonly resolve: (answer: Uint8Array | CallFailed) => void;
  /** Of the bulk block where the call begins. */
  readonly order: number;
  readonly sinceMs: number;
}

/** Answered ones at the front of the window that are kept until they are half of it. */
const ANSWERED_MAX = 256;

/**
 * The calls of one connection that have no answer yet.
 *
 * A window over the numbers, from the oldest call without an answer on. A `Map` of what comes and goes
 * by the thousand leaves tables behind that keep calls alive, and all who wait for them, until the
 * whole heap is collected.
 */
export class Calls {
  readonly #clock: Clock;
  /** From `#head` on, in the order of their numbers; undefined once answered. */
  readonly #window: (PendingCall | undefined)[] = [];
  #head = 0;
  /** The call at `#head`, modulo 2^32. */
  #first = 0;
  #size = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Sends a call; `queue` copies it under its number and answers the order of its block, or -1. */
  begin(queue: (call: number) => number): Promise<Uint8Array | CallFailed> {
    if (this.#size >= CALLS_PENDING_MAX) return Promise.resolve(NOT_SENT);
    const order = queue((this.#first + this.#window.length - this.#head) >>> 0);
    if (order < 0) return Promise.resolve(NOT_SENT);
    this.#size++;
    return new Promise((resolve) => {
      this.#window.push({ resolve, order, sinceMs: this.#clock.monotonicMs() });
    });
  }

  /** An answer has come; one to a call that was given up is dropped. */
  answer(call: number, bytes: Uint8Array): void {
    const at = this.#head + ((call - this.#first) >>> 0);
    const pending = this.#window[at];
    if (pending === undefined) return;
    this.#window[at] = undefined;
    this.#size--;
    if (at === this.#head) this.#advance();
    pending.resolve(bytes);
  }

  /** Gives up calls that have waited for too long. */
  expire(): void {
    const beforeMs = this.#clock.monotonicMs() - CALL_MS_MAX;
    for (let next = this.#window[this.#head]; next; next = this.#window[this.#head]) {
      if (next.sinceMs > beforeMs) return;
      this.#window[this.#head] = undefined;
      this.#size--;
      this.#advance();
      next.resolve(UNANSWERED);
    }
  }

  /** The connection is over; `wasHanded` says which blocks may have reached the peer. */
  fail(wasHanded: (order: number) => boolean): void {
    const pending = this.#window.filter((call) => call !== undefined);
    this.#window.length = this.#head = this.#size = 0;
    for (const { resolve, order } of pending) resolve(wasHanded(order) ? UNANSWERED : NOT_SENT);
  }

  /** Goes on to the oldest call without an answer. */
  #advance(): void {
    const window = this.#window;
    const before = this.#head;
    while (this.#head < window.length && window[this.#head] === undefined) this.#head++;
    this.#first = (this.#first + this.#head - before) >>> 0;
    if (this.#head === window.length) {
      window.length = this.#head = 0;
    } else if (this.#head > ANSWERED_MAX && this.#head * 2 > window.length) {
      window.splice(0, this.#head);
      this.#head = 0;
    }
  }
}
