import { type Connection, NetworkError } from "../io/mod.ts";
import { GUESTS_MAX, HANDSHAKE_MS_MAX, STRANGERS_MAX } from "./bounds.ts";
import type { PlaneContext } from "./context.ts";
import { Guest } from "./guest.ts";
import { welcome } from "./handshake.ts";
import type { Hello } from "./hello.ts";
import { Refusal } from "./refusal.ts";
import { Session } from "./session.ts";
import type { PeerInfo, PeerPlaneOptions } from "./types.ts";

/** Those who connect to this node: strangers until they have shown who they are, then guests. */
export class Guests {
  readonly #context: PlaneContext;
  readonly #onMessage: PeerPlaneOptions["onMessage"];
  readonly #onCall: PeerPlaneOptions["onCall"];
  readonly #strangers = new Set<Connection>();
  readonly #guests = new Set<Guest>();
  #closed = false;

  constructor(
    context: PlaneContext,
    onMessage: PeerPlaneOptions["onMessage"],
    onCall: PeerPlaneOptions["onCall"],
  ) {
    this.#context = context;
    this.#onMessage = onMessage;
    this.#onCall = onCall;
  }

  /** The guests, in the order in which they came. */
  get all(): Iterable<Guest> {
    return this.#guests;
  }

  /** Takes a connection that somebody has opened. */
  readonly accept = (connection: Connection): void => {
    const { complaints } = this.#context;
    if (this.#closed) return connection.close();
    if (this.#strangers.size >= STRANGERS_MAX || this.#guests.size >= GUESTS_MAX) {
      complaints.about("strangers", "many", "too many connections come to the peer port");
      return connection.close();
    }
    this.#meet(connection);
  };

  /** Sends away those who are of another store of the same node. */
  dropOthers(info: PeerInfo): void {
    for (const { session } of this.#guests) {
      const { nodeId, storeId } = session.info;
      if (nodeId === info.nodeId && storeId !== info.storeId) {
        session.end(new Error("the node came back with another store"));
      }
    }
  }

  /** To be called every `TICK_MS`. */
  tick(): void {
    for (const { session } of this.#guests) session.tick();
  }

  /** Takes nobody any more; guests stay until {@linkcode Guests.close}. */
  shut(): void {
    this.#closed = true;
    for (const connection of this.#strangers) connection.close();
    this.#strangers.clear();
  }

  /** Ends all sessions. */
  close(): void {
    this.shut();
    for (const { session } of this.#guests) session.end(new Error("this node closes it"));
  }

  async #meet(connection: Connection): Promise<void> {
    const { clock, complaints, random, secret, self } = this.#context;
    this.#strangers.add(connection);
    const timer = clock.setTimer(HANDSHAKE_MS_MAX, () => connection.close());
    const expects = (hello: Hello) => this.#expects(hello, connection);
    try {
      const hello = await welcome(connection, { self, secret, clock, random, expects });
      if (this.#closed) return connection.close();
      const guest: Guest = new Guest(
        (owner) => new Session(connection, this.#context, self, hello, owner),
        this.#onMessage,
        this.#onCall,
        (reason) => this.#ended(guest, reason),
      );
      this.#guests.add(guest);
      guest.session.start(this.#context.self);
      if (!guest.session.isOver) this.#context.onSeen(guest.session.info);
    } catch (reason) {
      connection.close();
      if (!(reason instanceof Refusal)) return;
      const isKnown = reason.nodeId !== undefined && this.#context.peers.has(reason.nodeId);
      const who = isKnown ? `node ${reason.nodeId}` : "strangers";
      const line = isKnown
        ? `node ${reason.nodeId}, which has connected from ${connection.remote}, ${reason.message}`
        : `somebody who has connected from ${connection.remote} ${reason.message}`;
      complaints.about(who, reason.kind, line);
    } finally {
      timer.cancel();
      this.#strangers.delete(connection);
    }
  }

  #ended(guest: Guest, reason: Error): void {
    this.#guests.delete(guest);
    // Connections break, and the link to the same peer says so; what a peer does wrong is said here.
    if (reason instanceof NetworkError || this.#closed) return;
    const { nodeId } = guest.session.info;
    this.#context.log(`the connection from node ${nodeId} is closed: ${reason.message}`, "warn");
  }

  #expects(hello: Hello, connection: Connection): Refusal | undefined {
    const peer = this.#context.peers.get(hello.nodeId);
    if (peer !== undefined) {
      // The certificate that it would have to show if it were dialled.
      if (connection.vouchesFor?.(peer.hostname) !== false) return undefined;
      return new Refusal("node", `shows a certificate that is not for ${peer.hostname}`);
    }
    const detail = hello.nodeId === this.#context.self.nodeId
      ? `has this node's own id, ${hello.nodeId}`
      : `is node ${hello.nodeId}, which is none of this cluster's peers`;
    return new Refusal("node", detail);
  }
}
