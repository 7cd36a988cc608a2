import {
  checkedParts,
  type ColdObject,
  type ColdStore,
  objectKey,
  storedBytes,
  unlessAborted,
} from "../../storage/cold/mod.ts";
import { ownBytes } from "../parcel.ts";
import { PEER_KINDS } from "../peer_kinds.ts";
import type { Peers } from "../peers.ts";
import { encodeRequest, PART_BYTES_MAX } from "./requests.ts";

/** Parts of an object that are asked for ahead: 2 MiB of it are on their way. */
const PARTS_AHEAD = 2;

/** A node did not give what it was asked for. */
class BadSource extends Error {}

/** Brings objects from other nodes' stores into this node's. */
export class PeerCopies {
  readonly #peers: Peers;
  readonly #store: ColdStore;
  /** The node that gave an object last comes first. */
  #nodes: readonly number[];

  /** @param nodes the other nodes */
  constructor(peers: Peers, nodes: readonly number[], store: ColdStore) {
    this.#peers = peers;
    this.#nodes = nodes;
    this.#store = store;
  }

  /** Is there anybody to ask at present? */
  get isAnybodyThere(): boolean {
    return this.#nodes.some((node) => this.#peers.peer(node) !== undefined);
  }

  /**
   * Puts an object into the store as another node has it, in the place of what is there. Nothing
   * that is not what was written is ever put.
   *
   * @param first the node to ask first
   * @returns the node that had it
   * @throws ColdError what the store says
   * @throws Error when nobody gives it
   */
  async fetch(object: ColdObject, signal: AbortSignal, first?: number): Promise<number> {
    let reason = "no other node is connected";
    const nodes = [...this.#nodes].sort((a, b) => Number(b === first) - Number(a === first));
    for (const node of nodes) {
      if (this.#peers.peer(node) === undefined) continue;
      try {
        const parts = this.#checked(node, object, signal);
        await this.#store.put(objectKey(object), storedBytes(object), parts, signal);
        this.#nodes = [node, ...this.#nodes.filter((other) => other !== node)];
        return node;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof BadSource)) throw error;
        reason = error.message;
        this.#nodes = [...this.#nodes.filter((other) => other !== node), node];
      }
    }
    throw new Error(`${objectKey(object)} can't be fetched: ${reason}`);
  }

  async *#checked(node: number, object: ColdObject, signal: AbortSignal) {
    try {
      yield* checkedParts(`node ${node}`, object, this.#parts(node, object, signal));
    } catch (error) {
      throw new BadSource(error instanceof Error ? error.message : String(error));
    }
  }

  async *#parts(node: number, object: ColdObject, signal: AbortSignal) {
    const size = storedBytes(object);
    const coming: Promise<Uint8Array | undefined>[] = [];
    for (let asked = 0; asked < size || coming.length > 0;) {
      while (asked < size && coming.length < PARTS_AHEAD) {
        const partBytes = Math.min(PART_BYTES_MAX, size - asked);
        coming.push(this.#part(node, object, asked, partBytes));
        asked += partBytes;
      }
      const part = await unlessAborted(coming.shift() ?? NONE, signal);
      if (part === undefined) throw new Error(`node ${node} does not give it`);
      yield part;
    }
  }

  /** Never rejects: whoever waits for an earlier part may give up this one. */
  async #part(
    node: number,
    { group, number, term, bytes }: ColdObject,
    offset: number,
    partBytes: number,
  ): Promise<Uint8Array | undefined> {
    const name = { group, number, term, length: bytes };
    const request = encodeRequest({ ask: "part", ...name, offset, partBytes });
    const answer = await this.#peers.call(node, PEER_KINDS.COLD, [request]);
    if (!(answer instanceof Uint8Array) || answer.length !== partBytes) return undefined;
    // Readers keep it.
    return ownBytes(answer);
  }
}

const NONE = Promise.resolve(undefined);
