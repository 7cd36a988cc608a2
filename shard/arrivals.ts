/**
 * Takes in RaftSnapshots that leaders send: see `transfers.ts`.
 *
 * @module
 */

import { type Group, readMessage, splitBatch } from "../group/mod.ts";
import { type Clock, DiskError, type LogLine } from "../io/mod.ts";
import type { MemberId } from "../raft/mod.ts";
import type { RaftSnapshotMark, RaftSnapshots } from "../storage/raft_snapshots/mod.ts";
import type { ShardSetup } from "./setup.ts";
import { importState, storedMark } from "./replica.ts";
import { TRANSFER, TRANSFER_HEAD_BYTES, TRANSFER_OK } from "./transfers.ts";

/** Groups that take in a RaftSnapshot at a time; further ones are refused, and come again. */
const ARRIVALS_MAX = 8;
/** A transfer that brings nothing for so long has ended. */
const SILENCE_MS = 30_000;

const OK = Uint8Array.of(TRANSFER_OK);
const REFUSED = Uint8Array.of(0);

/** Where the bytes of one arrival go. */
interface Landing {
  append(chunk: Uint8Array): Promise<void>;
  /** All is there; what comes back is the state's bytes. */
  finish(mark: RaftSnapshotMark): Promise<AsyncIterable<Uint8Array> | Iterable<Uint8Array>>;
  abort(): Promise<void>;
}

interface Arrival {
  readonly from: MemberId;
  readonly transfer: number;
  readonly landing: Landing;
  /** The step before the next one. */
  tail: Promise<boolean>;
  lastMs: number;
}

/** What arrives for the groups of a shard. */
export class Arrivals {
  readonly #clock: Clock;
  readonly #setup: Pick<ShardSetup, "formation" | "cold">;
  readonly #storeOf: (group: number) => RaftSnapshots | undefined;
  readonly #log: LogLine;
  readonly #onFatal: (reason: Error) => void;
  readonly #arrivals = new Map<number, Arrival>();
  #stopped = false;

  constructor(options: {
    clock: Clock;
    /** What the states are made with. */
    setup: Pick<ShardSetup, "formation" | "cold">;
    /** Where a group's RaftSnapshots lie; undefined in memory mode. */
    storeOf: (group: number) => RaftSnapshots | undefined;
    log: LogLine;
    /** A file could not be written, synced or read: as with any other of the node's. */
    onFatal: (reason: Error) => void;
  }) {
    this.#clock = options.clock;
    this.#setup = options.setup;
    this.#storeOf = options.storeOf;
    this.#log = options.log;
    this.#onFatal = options.onFatal;
  }

  /** Takes one step of a transfer for a group of this shard; answers what to say. */
  async take(group: Group, from: MemberId, bytes: Uint8Array): Promise<Uint8Array> {
    if (this.#stopped || bytes.length < TRANSFER_HEAD_BYTES) return REFUSED;
    const transfer = transferOf(bytes);
    if (bytes[0] === TRANSFER.BEGIN) return await this.#begin(group, from, transfer);
    const arrival = this.#arrivals.get(group.id);
    if (arrival === undefined || arrival.from !== from || arrival.transfer !== transfer) {
      return REFUSED;
    }
    const rest = bytes.subarray(TRANSFER_HEAD_BYTES);
    const before = arrival.tail;
    arrival.lastMs = this.#clock.monotonicMs();
    arrival.tail = before.then((ok) => ok && this.#step(group, arrival, bytes[0] ?? 0, rest))
      .catch((reason) => {
        this.#failed(group.id, reason);
        this.#drop(group.id, arrival);
        return false;
      });
    return await arrival.tail ? OK : REFUSED;
  }

  /** Gives up transfers that have gone silent. */
  tick(nowMs: number): void {
    for (const [group, arrival] of this.#arrivals) {
      if (nowMs - arrival.lastMs > SILENCE_MS) this.#drop(group, arrival);
    }
  }

  /** Takes no more, and waits for what is being written. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const arrivals = [...this.#arrivals];
    await Promise.all(arrivals.map(([, { tail }]) => tail));
    await Promise.all(arrivals.map(([group, arrival]) => this.#drop(group, arrival)));
  }

  async #begin(group: Group, from: MemberId, transfer: number): Promise<Uint8Array> {
    const older = this.#arrivals.get(group.id);
    if (older !== undefined) {
      // Its leader has begun anew, or another one has: what is being written comes to its end first.
      await older.tail;
      await this.#drop(group.id, older);
    }
    if (this.#arrivals.size >= ARRIVALS_MAX || this.#arrivals.has(group.id)) return REFUSED;
    const store = this.#storeOf(group.id);
    const landing = store === undefined ? inMemory() : onDisk(store, group.id);
    const lastMs = this.#clock.monotonicMs();
    this.#arrivals.set(group.id, {
      from,
      transfer,
      landing,
      tail: Promise.resolve(true),
      lastMs,
    });
    return OK;
  }

  async #step(group: Group, arrival: Arrival, step: number, bytes: Uint8Array): Promise<boolean> {
    if (step === TRANSFER.CHUNK) {
      await arrival.landing.append(bytes);
      return true;
    }
    const [item] = splitBatch(bytes);
    const message = item && readMessage(item, arrival.from, group.member);
    if (message?.type !== "snapshot") throw new Error("not the end of a RaftSnapshot");
    if (message.mark.index <= group.status().commitIndex) {
      // All of that is here, under a newer RaftSnapshot perhaps: Raft says so to the leader.
      await this.#drop(group.id, arrival);
      if (!this.#stopped) group.step(message, this.#clock.monotonicMs());
      return true;
    }
    const chunks = await arrival.landing.finish(storedMark(message.mark));
    this.#arrivals.delete(group.id);
    const state = await importState(group.id, this.#setup, chunks);
    if (!this.#stopped) group.install(message, state, this.#clock.monotonicMs());
    return true;
  }

  async #drop(group: number, arrival: Arrival): Promise<void> {
    if (this.#arrivals.get(group) !== arrival) return;
    this.#arrivals.delete(group);
    await arrival.landing.abort().catch((reason) => this.#failed(group, reason));
  }

  /** It comes again where it was no good, found no room, or was overtaken by a newer one. */
  #failed(group: number, reason: unknown): void {
    if (reason instanceof DiskError && reason.code === "failed") return this.#onFatal(reason);
    this.#log(`a RaftSnapshot of group ${group} could not be taken in: ${reason}`, "warn");
  }
}

/** The group that a step is for. */
export function groupOfTransfer(bytes: Uint8Array): number {
  if (bytes.length < TRANSFER_HEAD_BYTES) return -1;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(5);
}

function transferOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
}

function inMemory(): Landing {
  const chunks: Uint8Array[] = [];
  return {
    append(chunk) {
      chunks.push(chunk);
      return Promise.resolve();
    },
    finish: () => Promise.resolve(chunks),
    abort: () => Promise.resolve(),
  };
}

function onDisk(store: RaftSnapshots, group: number): Landing {
  const incoming = store.receive(group);
  return {
    append: (chunk) => incoming.append(chunk),
    async finish(mark) {
      await incoming.finish(mark);
      const found = await store.load(group);
      if (found === undefined || found.index !== mark.index) {
        throw new Error("a newer RaftSnapshot is there");
      }
      return found.chunks;
    },
    abort: () => incoming.abort(),
  };
}
