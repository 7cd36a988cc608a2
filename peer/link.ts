import type { Connection, Timer } from "../io/mod.ts";
import { BACKOFF_MS_MAX, BACKOFF_MS_MIN, HANDSHAKE_MS_MAX } from "./bounds.ts";
import { Calls, NOT_SENT } from "./calls.ts";
import type { PlaneContext } from "./context.ts";
import { ANSWER, CALL, MESSAGE } from "./frames.ts";
import { dial } from "./handshake.ts";
import type { Hello } from "./hello.ts";
import { ProtocolViolation } from "./incoming.ts";
import { NOT_QUEUED } from "./outgoing.ts";
import { Refusal } from "./refusal.ts";
import { Session, type SessionOwner } from "./session.ts";
import type { CallFailed, PeerAddress, PeerInfo, PeerKind, PeerLane } from "./types.ts";

/**
 * The way to one peer: dials it, again and again with growing pauses, and carries this node's own
 * messages and calls while a connection stands.
 */
export class Link implements SessionOwner {
  readonly #context: PlaneContext;
  readonly #address: PeerAddress;
  readonly #name: string;
  readonly #onChange: () => void;
  #session: Session | undefined;
  #calls: Calls;
  /** The connection whose handshake is under way. */
  #dialling: Connection | undefined;
  /** Of the pause between attempts, or of the attempt. */
  #timer: Timer | undefined;
  #isPausing = false;
  #pauseMs = BACKOFF_MS_MIN;
  /** Counts attempts: what comes of one that was given up is nobody's. */
  #attempt = 0;
  #upSinceMs = 0;
  #closed = false;

  /** @param onChange the peer came, went, or changed what it says of itself */
  constructor(context: PlaneContext, address: PeerAddress, onChange: () => void) {
    this.#context = context;
    this.#address = address;
    this.#name = `node ${address.nodeId}`;
    this.#onChange = onChange;
    this.#calls = new Calls(context.clock);
  }

  /** The peer, while it is connected. */
  get info(): PeerInfo | undefined {
    return this.#session?.info;
  }

  /** The session, while there is one. */
  get session(): Session | undefined {
    return this.#session;
  }

  /** Begins to dial; once. */
  start(): void {
    this.#dial();
  }

  /** Dials now where it would wait: there is a sign that the peer is there. */
  hurry(): void {
    if (!this.#isPausing || this.#closed) return;
    this.#timer?.cancel();
    this.#dial();
  }

  /** Copies a message into the lane; false where it is dropped. */
  send(lane: PeerLane, kind: PeerKind, parts: readonly Uint8Array[]): boolean {
    const session = this.#session;
    if (session === undefined) return false;
    return session.outgoing.queue(lane, MESSAGE, kind, 0, parts) !== NOT_QUEUED;
  }

  /** Sends a call, and resolves with its answer. */
  call(kind: PeerKind, parts: readonly Uint8Array[]): Promise<Uint8Array | CallFailed> {
    const session = this.#session;
    if (session === undefined) return Promise.resolve(NOT_SENT);
    return this.#calls.begin((call) => session.outgoing.queue("bulk", CALL, kind, call, parts));
  }

  /** To be called every `TICK_MS`. */
  tick(): void {
    this.#calls.expire();
    this.#session?.tick();
  }

  /** Ends the session, and dials no more. */
  close(): void {
    this.#closed = true;
    this.#attempt++;
    this.#timer?.cancel();
    this.#dialling?.close();
    this.#session?.end(new Error("this node closes it"));
  }

  take(type: number, _kind: number, call: number, bytes: Uint8Array): void {
    if (type !== ANSWER) throw new ProtocolViolation("sends what only who dials may send");
    this.#calls.answer(call, bytes);
  }

  reformed(): void {
    this.#onChange();
  }

  ended(reason: Error): void {
    const { clock, log } = this.#context;
    const session = this.#session;
    this.#session = undefined;
    const calls = this.#calls;
    this.#calls = new Calls(clock);
    if (session !== undefined) calls.fail((order) => session.outgoing.wasHanded(order));
    if (this.#closed) return;
    log(`the connection to ${this.#name} is lost: ${reason.message}`, "warn");
    if (clock.monotonicMs() - this.#upSinceMs >= BACKOFF_MS_MAX) this.#pauseMs = BACKOFF_MS_MIN;
    this.#pause();
    this.#onChange();
  }

  #dial(): void {
    const { clock, network } = this.#context;
    const attempt = ++this.#attempt;
    this.#isPausing = false;
    this.#timer = clock.setTimer(HANDSHAKE_MS_MAX, () => this.#giveUp(attempt));
    network.connect(this.#address).then((connection) => {
      if (attempt !== this.#attempt) return connection.close();
      this.#dialling = connection;
      this.#shakeHands(connection, attempt);
    }, (reason) => this.#failed(attempt, "unreachable", `can't be reached: ${messageOf(reason)}`));
  }

  async #shakeHands(connection: Connection, attempt: number): Promise<void> {
    const { clock, random, secret, self } = this.#context;
    const expects = (hello: Hello) => this.#expects(hello);
    try {
      const hello = await dial(connection, { self, secret, clock, random, expects });
      if (attempt !== this.#attempt) return connection.close();
      this.#timer?.cancel();
      this.#dialling = undefined;
      this.#begin(new Session(connection, this.#context, self, hello, this));
    } catch (reason) {
      if (reason instanceof Refusal) this.#failed(attempt, reason.kind, reason.message);
      else this.#failed(attempt, "handshake", `ends the handshake: ${messageOf(reason)}`);
    }
  }

  #begin(session: Session): void {
    const { clock, complaints, log, onSeen, self } = this.#context;
    this.#session = session;
    this.#upSinceMs = clock.monotonicMs();
    complaints.settle(this.#name);
    log(`connected to ${this.#name}`);
    session.start(self);
    if (session.isOver) return;
    onSeen(session.info);
    this.#onChange();
  }

  #expects(hello: Hello): Refusal | undefined {
    if (hello.nodeId === this.#address.nodeId) return undefined;
    return new Refusal("node", `says that it is node ${hello.nodeId}`);
  }

  #giveUp(attempt: number): void {
    const detail = this.#dialling === undefined
      ? "can't be reached: nobody answers"
      : "does not finish the handshake";
    this.#failed(attempt, "slow", detail);
  }

  #failed(attempt: number, kind: string, detail: string): void {
    if (attempt !== this.#attempt) return;
    this.#attempt++;
    this.#timer?.cancel();
    this.#dialling?.close();
    this.#dialling = undefined;
    const { hostname, port } = this.#address;
    const line = `${this.#name} at ${hostname}:${port} ${detail}`;
    this.#context.complaints.about(this.#name, kind, line);
    this.#pause();
  }

  #pause(): void {
    this.#isPausing = true;
    this.#timer = this.#context.clock.setTimer(this.#pauseMs, () => this.#dial());
    this.#pauseMs = Math.min(2 * this.#pauseMs, BACKOFF_MS_MAX);
  }
}

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
