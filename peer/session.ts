import { type Clock, type Connection, NetworkError } from "../io/mod.ts";
import { PING_TICKS_MAX, REPORT_BYTES, SILENT_TICKS_MAX } from "./bounds.ts";
import { FORMED, PING, READ } from "./frames.ts";
import { decodeId, type Hello, sameFormation } from "./hello.ts";
import { Incoming, ProtocolViolation } from "./incoming.ts";
import type { PlaneContext } from "./context.ts";
import { NOT_QUEUED, Outgoing } from "./outgoing.ts";
import { decodePing, encodePing } from "./ping.ts";
import type { CommandVersions, PeerInfo, PeerSelf } from "./types.ts";

const encoder = new TextEncoder();

/** {@linkcode PeerInfo} that follows what the peer says. */
class KnownPeer implements PeerInfo {
  readonly nodeId: number;
  readonly storeId: string;
  readonly commandVersions: CommandVersions;
  formationId: string;
  reaches: readonly number[] = [];
  draining = false;
  readonly #clock: Clock;
  /** What the peer's wall clock is ahead of our monotonic one: our own wall clock may jump. */
  #wallAheadMs = 0;

  constructor(hello: Hello, clock: Clock) {
    this.#clock = clock;
    this.nodeId = hello.nodeId;
    this.storeId = hello.storeId;
    this.commandVersions = hello.commandVersions;
    this.formationId = hello.formationId;
    this.hear(hello.wallMs);
  }

  get wallOffsetMs(): number {
    return this.#wallAheadMs + this.#clock.monotonicMs() - this.#clock.wallMs();
  }

  /** The peer's wall clock shows this now. */
  hear(wallMs: number): void {
    this.#wallAheadMs = wallMs - this.#clock.monotonicMs();
  }
}

/** What a session is to the end that holds it. */
export interface SessionOwner {
  /** Takes what the peer sent; throws {@linkcode ProtocolViolation} at types that are not for it. */
  take(type: number, kind: number, call: number, bytes: Uint8Array): void;
  /** The peer's formation has changed. */
  reformed(): void;
  /** The session is over; called once. */
  ended(reason: Error): void;
}

/** What a session needs of its plane. */
export type SessionContext = Pick<PlaneContext, "clock" | "reached" | "draining">;

/** A connection whose other end has shown who it is. */
export class Session {
  readonly outgoing: Outgoing;
  readonly #info: KnownPeer;
  readonly #connection: Connection;
  readonly #context: SessionContext;
  readonly #incoming: Incoming;
  readonly #owner: SessionOwner;
  #self: PeerSelf;
  #heard = true;
  #silentTicks = 0;
  #pinglessTicks = 0;
  /** Bytes that were read, and how many of them the other end knows of. */
  #readBytes = 0;
  #reportedBytes = 0;
  /** What the other end has said last that it has read, modulo 2^32. */
  #peerRead = 0;
  #ended = false;

  /** @param self what this end has said of itself in the handshake; @param hello what the other has */
  constructor(
    connection: Connection,
    context: SessionContext,
    self: PeerSelf,
    hello: Hello,
    owner: SessionOwner,
  ) {
    this.#connection = connection;
    const { clock } = context;
    this.#context = context;
    this.#self = self;
    this.#owner = owner;
    this.#info = new KnownPeer(hello, clock);
    this.outgoing = new Outgoing(connection, clock, (reason) => this.end(reason));
    this.#incoming = new Incoming(connection, this.#take, (count) => this.#hear(count));
  }

  /** Who is at the other end. */
  get info(): PeerInfo {
    return this.#info;
  }

  /** Is nothing more to come of it? */
  get isOver(): boolean {
    return this.#ended;
  }

  /** Begins to read; `self` is what is true of this end now. */
  start(self: PeerSelf): void {
    this.reform(self);
    if (this.#ended) return;
    this.#incoming.run().then(
      () =>
        this.end(new NetworkError("broken", this.#connection.remote, "closed by the other end")),
      (reason) => this.end(reason),
    );
  }

  /** Tells the peer of this end's formation where that is news; ends when the two don't agree. */
  reform(self: PeerSelf): void {
    const isNews = self.formationId !== this.#self.formationId;
    this.#self = self;
    if (isNews) this.outgoing.queue("control", FORMED, 0, 0, [encoder.encode(self.formationId)]);
    this.#checkFormation();
  }

  /** To be called every `TICK_MS`: sends pings, and ends what nothing comes from. */
  tick(): void {
    this.#silentTicks = this.#heard ? 0 : this.#silentTicks + 1;
    this.#heard = false;
    if (this.#silentTicks >= SILENT_TICKS_MAX) return this.end(new Error("nothing comes from it"));
    // The other end waits for it, should there have been no room when it was due.
    this.#report();
    const { outgoing } = this;
    const isDue = ++this.#pinglessTicks >= PING_TICKS_MAX || !outgoing.hasWritten;
    outgoing.hasWritten = false;
    if (!isDue) return;
    this.#pinglessTicks = 0;
    const { clock, draining, reached } = this.#context;
    const ping = encodePing({ wallMs: clock.wallMs(), draining, reaches: reached() });
    outgoing.queue("control", PING, 0, 0, [ping]);
  }

  /** Ends the session: what waits to be sent is lost. */
  end(reason: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#incoming.close();
    this.outgoing.close();
    this.#connection.close();
    this.#owner.ended(reason instanceof Error ? reason : new Error(String(reason)));
  }

  #hear(count: number): void {
    this.#heard = true;
    this.#readBytes += count;
    this.#report();
  }

  #report(): void {
    if (this.#readBytes - this.#reportedBytes < REPORT_BYTES) return;
    const order = this.outgoing.queue("control", READ, 0, this.#readBytes >>> 0, []);
    if (order !== NOT_QUEUED) this.#reportedBytes = this.#readBytes;
  }

  readonly #take = (type: number, kind: number, call: number, bytes: Uint8Array): void => {
    if (type > READ) return this.#owner.take(type, kind, call, bytes);
    if (type === PING) {
      const ping = decodePing(bytes);
      if (ping === undefined) throw new ProtocolViolation("sends a ping that can't be read");
      this.#info.hear(ping.wallMs);
      this.#info.reaches = ping.reaches;
      this.#info.draining = ping.draining;
    } else if (type === READ) {
      const count = (call - this.#peerRead) >>> 0;
      this.#peerRead = call;
      if (!this.outgoing.report(count)) throw new ProtocolViolation("has read what nobody sent");
    } else if (type === FORMED) {
      const formationId = decodeId(bytes);
      if (formationId === undefined) throw new ProtocolViolation("names a formation wrongly");
      this.#info.formationId = formationId;
      this.#checkFormation();
      if (!this.#ended) this.#owner.reformed();
    } else {
      throw new ProtocolViolation("sends a frame of unknown type");
    }
  };

  #checkFormation(): void {
    if (sameFormation(this.#self.formationId, this.#info.formationId)) return;
    this.end(new ProtocolViolation("is of another formation now"));
  }
}
