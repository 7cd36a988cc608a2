import type { NetworkAddress, NetworkListener, Timer } from "../io/mod.ts";
import { CLOSE_MS_MAX, TICK_MS } from "./bounds.ts";
import { NOT_SENT } from "./calls.ts";
import { Complaints } from "./complaints.ts";
import type { PlaneContext } from "./context.ts";
import { Guests } from "./guests.ts";
import { Link } from "./link.ts";
import type { Session } from "./session.ts";
import type { CallFailed, PeerInfo, PeerKind, PeerLane, PeerPlaneOptions } from "./types.ts";

/** One shard's connections with all peers of its node; the room's text says what it promises. */
export class PeerPlane {
  readonly #context: PlaneContext;
  readonly #onPeer: (nodeId: number) => void;
  readonly #links = new Map<number, Link>();
  readonly #guests: Guests;
  readonly #listeners: NetworkListener[] = [];
  #timer: Timer | undefined;
  #closed = false;

  /** Begins to dial the peers. */
  constructor(options: PeerPlaneOptions) {
    const { self, io, secret, log, onMessage, onCall, onPeer = () => {} } = options;
    const peers = new Map(options.peers.map((peer) => [peer.nodeId, peer]));
    peers.delete(self.nodeId);
    const complaints = new Complaints(log);
    const onSeen = (info: PeerInfo) => this.#seen(info);
    const reached = () => this.#reached();
    this.#context = {
      self,
      draining: false,
      peers,
      ...io,
      secret,
      log,
      complaints,
      reached,
      onSeen,
    };
    this.#onPeer = onPeer;
    this.#guests = new Guests(this.#context, onMessage, onCall);
    for (const [nodeId, address] of peers) {
      const link = new Link(this.#context, address, () => this.#onPeer(nodeId));
      this.#links.set(nodeId, link);
      link.start();
    }
    this.#setTimer();
  }

  /**
   * Lets peers connect; answers where, should the port have been 0.
   * @param shared the planes of the node's other shards listen there as well
   * @throws NetworkError `in_use` when the address is taken
   */
  async listen(address: NetworkAddress, shared: boolean): Promise<NetworkAddress> {
    const listener = await this.#context.network.listen(address, shared, this.#guests.accept);
    if (this.#closed) await listener.close();
    else this.#listeners.push(listener);
    return { hostname: listener.hostname, port: listener.port };
  }

  /**
   * Sends a message, at the end of this turn. The bytes are copied at once.
   * @returns false where it was dropped: no such peer, not connected, too much waits already, or
   * above 52 MiB. True says only that it was queued.
   */
  send(nodeId: number, lane: PeerLane, kind: PeerKind, parts: readonly Uint8Array[]): boolean {
    const link = this.#links.get(nodeId);
    return link !== undefined && link.send(lane, kind, parts);
  }

  /**
   * Sends a call, in the bulk lane, and resolves with its answer, or with why there is none: after
   * 30 s at the latest. Never rejects.
   */
  call(
    nodeId: number,
    kind: PeerKind,
    parts: readonly Uint8Array[],
  ): Promise<Uint8Array | CallFailed> {
    return this.#links.get(nodeId)?.call(kind, parts) ?? Promise.resolve(NOT_SENT);
  }

  /** The peer that messages would go to now; undefined while this node has no connection to it. */
  peer(nodeId: number): PeerInfo | undefined {
    return this.#links.get(nodeId)?.info;
  }

  /** This node is being drained, or no more: peers hear of it within a second. */
  set draining(draining: boolean) {
    this.#context.draining = draining;
  }

  /** The cluster has formed: peers are told, and those of another formation are left. */
  formed(formationId: string): void {
    const self = this.#context.self = { ...this.#context.self, formationId };
    for (const session of this.#sessions()) session.reform(self);
  }

  /**
   * Takes no connections any more, lets what is queued leave (for half a second at most) and ends
   * every connection. Calls that are under way are answered that they failed. Leaves no timer.
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const shut = this.#listeners.map((listener) => listener.close());
    this.#guests.shut();
    const drained = this.#sessions().map(({ outgoing }) => outgoing.drained());
    await this.#atMost(Promise.all([...shut, ...drained]), CLOSE_MS_MAX);
    this.#timer?.cancel();
    for (const link of this.#links.values()) link.close();
    this.#guests.close();
  }

  #sessions(): Session[] {
    const sessions = Array.from(this.#guests.all, ({ session }) => session);
    for (const { session } of this.#links.values()) {
      if (session !== undefined) sessions.push(session);
    }
    return sessions;
  }

  #reached(): number[] {
    const reached: number[] = [];
    for (const [nodeId, { session }] of this.#links) {
      if (session !== undefined) reached.push(nodeId);
    }
    return reached;
  }

  #seen(info: PeerInfo): void {
    this.#guests.dropOthers(info);
    const link = this.#links.get(info.nodeId);
    if (link?.info !== undefined && link.info.storeId !== info.storeId) {
      link.session?.end(new Error("the node came back with another store"));
    }
    link?.hurry();
  }

  #setTimer(): void {
    this.#timer = this.#context.clock.setTimer(TICK_MS, () => {
      this.#setTimer();
      for (const link of this.#links.values()) link.tick();
      this.#guests.tick();
    });
  }

  #atMost(work: Promise<unknown>, limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#context.clock.setTimer(limitMs, resolve);
      work.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}
