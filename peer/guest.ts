import { CALLS_PENDING_MAX } from "./bounds.ts";
import { ANSWER, CALL, MESSAGE } from "./frames.ts";
import { ProtocolViolation } from "./incoming.ts";
import { NOT_QUEUED } from "./outgoing.ts";
import type { Session, SessionOwner } from "./session.ts";
import type { PeerPlaneOptions } from "./types.ts";

/** Calls of one guest under way: it may have given up some of those that it no longer counts. */
const CALLS_SERVED_MAX = 2 * CALLS_PENDING_MAX;

/** A peer that has connected to this node: it sends messages and calls, and gets answers. */
export class Guest implements SessionOwner {
  readonly session: Session;
  readonly #onMessage: PeerPlaneOptions["onMessage"];
  readonly #onCall: PeerPlaneOptions["onCall"];
  readonly #onEnd: (reason: Error) => void;
  #callsServed = 0;

  /** @param open makes the session, which this guest owns */
  constructor(
    open: (owner: Guest) => Session,
    onMessage: PeerPlaneOptions["onMessage"],
    onCall: PeerPlaneOptions["onCall"],
    onEnd: (reason: Error) => void,
  ) {
    this.session = open(this);
    this.#onMessage = onMessage;
    this.#onCall = onCall;
    this.#onEnd = onEnd;
  }

  take(type: number, kind: number, call: number, bytes: Uint8Array): void {
    const message = { from: this.session.info, kind, bytes };
    if (type === MESSAGE) return this.#onMessage(message);
    if (type !== CALL) throw new ProtocolViolation("sends what only who accepts may send");
    if (++this.#callsServed > CALLS_SERVED_MAX) throw new ProtocolViolation("calls too often");
    let isAnswered = false;
    this.#onCall(message, (answer) => {
      if (isAnswered) return;
      isAnswered = true;
      this.#callsServed--;
      this.#answer(call, answer);
    });
  }

  reformed(): void {}

  ended(reason: Error): void {
    this.#onEnd(reason);
  }

  #answer(call: number, answer: Uint8Array): void {
    const { session } = this;
    if (session.isOver) return;
    const order = session.outgoing.queue("bulk", ANSWER, 0, call, [answer]);
    // The caller must not wait for an answer that was dropped.
    if (order === NOT_QUEUED) session.end(new Error("it does not take its answers"));
  }
}
