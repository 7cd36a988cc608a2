import type { Group } from "../../group/mod.ts";
import type { Clock } from "../../io/mod.ts";
import type { MemberId } from "../../raft/mod.ts";
import { type ColdObject, type ColdStore, objectKey } from "../../storage/cold/mod.ts";
import { nodeOf } from "../../storage/member.ts";
import type { ObjectName } from "../../stream/mod.ts";
import type { LogLine } from "../log_line.ts";
import { PEER_KINDS } from "../peer_kinds.ts";
import type { Peers } from "../peers.ts";
import { ColdFetcher } from "./fetcher.ts";
import type { Holdings } from "./holdings.ts";
import type { ColdJob } from "./job.ts";
import { Learners } from "./learners.ts";
import { PeerCopies } from "./peer_copies.ts";
import type { RepairOutcome } from "./object_bytes.ts";
import {
  decodeRequest,
  encodeRequest,
  NO,
  type TakeRequest,
  type WholeRequest,
  YES,
} from "./requests.ts";
import { ColdSource } from "./source.ts";
import { spreadObject } from "./spreading.ts";
import type { ColdTier } from "./tier.ts";

/**
 * Most bytes of an object that another node may have this one take; merged ones are no larger, and
 * a store may make room for all of it at once.
 */
const TAKEN_BYTES_MAX = 64 << 20;

/** What {@linkcode OwnCopies} works with. */
export interface OwnCopiesParts {
  readonly tier: ColdTier;
  readonly holdings: Holdings;
  readonly groups: readonly Group[];
  readonly peers: Peers;
  /** Ids of the other nodes. */
  readonly nodes: readonly number[];
  readonly clock: Clock;
  readonly log: LogLine;
}

/** The objects of a node with a cold store of its own, and what it gets from other nodes' stores. */
export class OwnCopies implements ColdJob {
  /** Says which learners have everything. */
  readonly learners: Learners;
  /** This node's store. */
  readonly store: ColdStore;
  readonly #parts: OwnCopiesParts;
  readonly #fetcher: ColdFetcher;
  readonly #source: ColdSource;
  readonly #stopping = new AbortController();
  /** Repairs under way, by key. */
  readonly #repairs = new Map<string, Promise<RepairOutcome>>();
  /** Groups whose replicas have had everything at some time. */
  readonly #caughtUp = new Set<number>();

  constructor(parts: OwnCopiesParts) {
    const { peers, nodes, tier } = parts;
    this.#parts = parts;
    this.store = tier.store;
    const copies = new PeerCopies(peers, nodes, tier.store);
    this.#fetcher = new ColdFetcher({ ...parts, copies });
    this.learners = new Learners(peers);
    this.#source = new ColdSource(tier);
  }

  look(nowMs: number): void {
    this.#fetcher.look(nowMs);
    for (const group of this.#parts.groups) this.hasCaughtUp(group);
  }

  /** How many objects a group's replica lacks. */
  lacking(group: number): number {
    return this.#fetcher.lacking(group);
  }

  /** Has the replica at some time since the start applied what was committed and lacked nothing? */
  hasCaughtUp(group: Group): boolean {
    if (this.#caughtUp.has(group.id)) return true;
    if (!group.caughtUp || !this.#isWhole(group)) return false;
    this.#caughtUp.add(group.id);
    return true;
  }

  /**
   * Puts a damaged or missing object anew, from another node. Whoever asks meanwhile waits for the
   * same.
   */
  repair(object: ColdObject): Promise<RepairOutcome> {
    const key = objectKey(object);
    let repair = this.#repairs.get(key);
    if (repair === undefined) {
      repair = this.#repair(object, key).finally(() => this.#repairs.delete(key));
      this.#repairs.set(key, repair);
    }
    return repair;
  }

  async #repair(object: ColdObject, key: string): Promise<RepairOutcome> {
    const { holdings, log } = this.#parts;
    // Until it is mended it lacks, so that it is tried again though this fails.
    holdings.lose(key);
    if (!await this.#fetcher.fetch(object)) {
      return await this.#isLost(object) ? "lost" : "out_of_reach";
    }
    log(`${key} was damaged or missing here, and was fetched anew`, "warn");
    return "repaired";
  }

  /** Do all other voters say themselves that they don't have it? */
  async #isLost(object: ColdObject): Promise<boolean> {
    const { groups, peers } = this.#parts;
    const group = groups.find(({ id }) => id === object.group);
    if (group === undefined) return false;
    const { voters, outgoing } = group.status().membership;
    const nodes = new Set([...voters, ...outgoing].map(nodeOf));
    nodes.delete(nodeOf(group.member));
    const { number, term, bytes: length } = object;
    const request = encodeRequest({ ask: "lost", group: group.id, number, term, length });
    const answers = await Promise.all(
      Array.from(nodes, (node) => peers.call(node, PEER_KINDS.COLD, [request])),
    );
    return answers.every((answer) => answer instanceof Uint8Array && answer[0] === 1);
  }

  /**
   * Has the other voters take an object that lies in this node's store, and to which nothing refers
   * yet. True once a majority of voters, this one included, hold it durably.
   */
  async spread(group: Group, object: ObjectName): Promise<boolean> {
    const { holdings, peers, clock } = this.#parts;
    if (!holdings.has(group.id, object)) return false;
    const { signal } = this.#stopping;
    return await spreadObject(group, object, { peers, clock, signal });
  }

  /** Answers another node. @throws Error when the request is malformed */
  answer(group: Group, from: MemberId, bytes: Uint8Array): Promise<Uint8Array> {
    const request = decodeRequest(bytes);
    if (this.#stopping.signal.aborted) return Promise.resolve(NO);
    switch (request.ask) {
      case "part":
        return this.#source.give(group, request);
      case "whole":
        return Promise.resolve(this.#hasAll(group, request) ? YES : NO);
      case "take":
        return this.#take(group, from, request);
      case "lost":
        return this.#source.lacks(group, request).then((lacks) => lacks ? YES : NO);
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#source.stop();
    await this.#fetcher.stop();
  }

  #isWhole({ id }: Group): boolean {
    return this.#parts.holdings.isListed(id) && this.lacking(id) === 0;
  }

  #hasAll(group: Group, { index }: WholeRequest): boolean {
    return group.status().appliedIndex >= index && this.#isWhole(group);
  }

  async #take(group: Group, from: MemberId, request: TakeRequest): Promise<Uint8Array> {
    const { tier, holdings } = this.#parts;
    if (request.length > Math.max(TAKEN_BYTES_MAX, tier.setup.flushMaxBytes)) return NO;
    const { objects } = group.state.cold;
    const known = objects.get(request.number);
    const fits = known === undefined
      ? objects.isFree(request.number)
      : known.term === request.term && known.length === request.length;
    if (!fits) return NO;
    if (holdings.has(group.id, request)) return YES;
    const object = tier.object(group.id, request);
    return await this.#fetcher.fetch(object, nodeOf(from)) ? YES : NO;
  }
}
