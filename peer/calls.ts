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

/** The calls of one connection that have no answer yet. */
export class Calls {
  readonly #clock: Clock;
  readonly #pending = new Map<number, PendingCall>();
  #nextCall = 1;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Sends a call; `queue` copies it under its number and answers the order of its block, or -1. */
  begin(queue: (call: number) => number): Promise<Uint8Array | CallFailed> {
    if (this.#pending.size >= CALLS_PENDING_MAX) return Promise.resolve(NOT_SENT);
    const call = this.#nextCall;
    const order = queue(call);
    if (order < 0) return Promise.resolve(NOT_SENT);
    // Numbers come round after 2^32 calls: long after a call of the same number was given up.
    this.#nextCall = call === 0xffff_ffff ? 1 : call + 1;
    return new Promise((resolve) => {
      this.#pending.set(call, { resolve, order, sinceMs: this.#clock.monotonicMs() });
    });
  }

  /** An answer has come; one to a call that was given up is dropped. */
  answer(call: number, bytes: Uint8Array): void {
    const pending = this.#pending.get(call);
    this.#pending.delete(call);
    pending?.resolve(bytes);
  }

  /** Gives up calls that have waited for too long. */
  expire(): void {
    const beforeMs = this.#clock.monotonicMs() - CALL_MS_MAX;
    for (const [call, { resolve, sinceMs }] of this.#pending) {
      if (sinceMs > beforeMs) return;
      this.#pending.delete(call);
      resolve(UNANSWERED);
    }
  }

  /** The connection is over; `wasHanded` says which blocks may have reached the peer. */
  fail(wasHanded: (order: number) => boolean): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { resolve, order } of pending) resolve(wasHanded(order) ? UNANSWERED : NOT_SENT);
  }
}
