/**
 * Nodes of one shard each, in memory or on disk, and links between them that a test may break or
 * bend.
 *
 * @module
 */

import { type Answer, type Group, splitBatch } from "../../group/mod.ts";
import type { CallFailed, PeerInfo } from "../../peer/mod.ts";
import { type OpenShard, openShard, PEER_KINDS, type Peers } from "../../shard/mod.ts";
import type { ColdWork } from "../../shard/cold/work.ts";
import {
  type ColdObject,
  type ColdStore,
  FsColdStore,
  MemoryColdStore,
  prepareColdFolder,
} from "../../storage/cold/mod.ts";
import { memberOf } from "../../storage/member.ts";
import type { Command } from "../../stream/mod.ts";
import { SimClock } from "../sim/clock.ts";
import { SimDisk } from "../sim/disk.ts";
import { SimRandom } from "../sim/random.ts";
import { joined } from "./bytes.ts";
import { COLD_FORMATION, coldSetupOf, setupOf } from "./shard.ts";

/** Time that a message takes. */
const WAY_MS = 1;
const LOOK_MS = 20;
const PATIENCE_MS = 60_000;
const DIRECTORY = "/data";
const UNANSWERED: CallFailed = { failed: "unanswered" };
const NOT_SENT: CallFailed = { failed: "not_sent" };

/** Where a node keeps what it has. */
interface Place {
  readonly disk?: SimDisk;
  readonly directory?: string;
  readonly hasStarted?: boolean;
  readonly segmentBytes?: number;
}

/** A node that runs. */
export interface GivenNode {
  readonly id: number;
  readonly storeId: string;
  readonly member: string;
  readonly open: OpenShard;
  readonly group: Group;
  readonly cold: ColdWork;
  readonly store: ColdStore;
  readonly disk: SimDisk;
  readonly lines: readonly string[];
}

/** What a node says to a call about objects, or what else arrives in its place. */
export type Bend = (
  call: { readonly from: number; readonly to: number; readonly request: Uint8Array },
  answer: () => Promise<Uint8Array>,
) => Promise<Uint8Array | CallFailed>;

/** See the module's text. */
export class GivenShards {
  /** How long what nothing refers to any more is kept, of nodes that start from now on. */
  keepsMs: number = Number.MAX_SAFE_INTEGER;
  readonly clock = new SimClock();
  readonly random = new SimRandom(11);
  /** Is nothing heard between the two? */
  cut: (from: number, to: number) => boolean = () => false;
  /** What becomes of calls about objects. */
  bend: Bend = (_call, answer) => answer();
  /** Nodes that say that they are being drained. */
  readonly draining = new Set<number>();
  /** Calls about objects, in order. */
  readonly asked: { readonly from: number; readonly to: number; readonly request: Uint8Array }[] =
    [];
  readonly #nodes = new Map<number, GivenNode>();
  readonly #founders: readonly string[];

  /** @param nodeIds of the cluster, all of them voters with the store `a` */
  constructor(readonly nodeIds: readonly number[]) {
    this.#founders = nodeIds.map((nodeId) => memberOf({ nodeId, storeId: "a" }));
  }

  /** A node that runs. */
  at(id: number): GivenNode {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Error(`node ${id} does not run`);
    return node;
  }

  /** The node that leads and can prove it. */
  get leader(): GivenNode {
    const found = [...this.#nodes.values()].find(({ group }) => group.leads && group.ready);
    if (found === undefined) throw new Error("nobody leads");
    return found;
  }

  /** Starts a node on a disk: an empty one, or one where it has been before. */
  async startOnDisk(
    id: number,
    storeId = "a",
    disk: SimDisk = new SimDisk({ random: this.random, clock: this.clock }),
  ): Promise<GivenNode> {
    const { clock, random } = this;
    const hasStarted = disk.paths().length > 0;
    const root = `${DIRECTORY}/cold`;
    await clock.until(prepareColdFolder(disk, root));
    const store = new FsColdStore({ disk, random, root });
    const segmentBytes = 8 << 20;
    const place = { disk, directory: DIRECTORY, hasStarted, segmentBytes };
    return await this.start(id, storeId, store, place);
  }

  /** Starts a node, in memory mode, with a store that is empty unless one is given. */
  async start(
    id: number,
    storeId = "a",
    store: ColdStore = new MemoryColdStore(),
    { disk = new SimDisk({ random: this.random }), ...more }: Place = {},
  ): Promise<GivenNode> {
    const lines: string[] = [];
    const groups: Group[] = [];
    const member = memberOf({ nodeId: id, storeId });
    const self = {
      nodeId: id,
      storeId,
      formationId: COLD_FORMATION,
      clusterId: "c",
      groupCount: 1,
      commandVersions: { min: 1, max: 2 },
      coldStore: "own",
    };
    const { clock, random } = this;
    const listen = { hostname: `node${id}`, port: 1 };
    const setup = setupOf({
      ...more,
      member,
      voters: this.#founders.includes(member) ? this.#founders : [],
      cluster: {
        self,
        peers: this.nodeIds.map((nodeId) => ({ nodeId, hostname: `node${nodeId}`, port: 1 })),
        listen,
        shared: false,
        secret: undefined,
        formationReport: new Uint8Array(0),
        readLease: true,
      },
      cold: coldSetupOf({
        flushIntervalMs: 100,
        // What is flushed is flushed by the test.
        flushMinHotBytes: Number.MAX_SAFE_INTEGER,
        flushesMax: 1,
        hotBytesPerGroupMax: 1 << 30,
        keepsMs: this.keepsMs,
      }),
    });
    const openCold = () => Promise.resolve(store);
    const open = await clock.until(openShard(setup, { clock, random, disk, openCold }, {
      onFatal(reason) {
        throw reason;
      },
      log: (line) => lines.push(line),
      onGroup: (group) => groups.push(group),
    }, this.#peersOf(id, storeId)));
    const [group] = groups;
    const { cold } = open.shard;
    if (group === undefined || cold === undefined) throw new Error("a shard without its parts");
    const node = { id, storeId, member, open, group, cold, store, disk, lines };
    this.#nodes.set(id, node);
    return node;
  }

  /** Ends a node without a word; answers its disk, as the next process finds it. */
  kill(id: number): SimDisk {
    const { open, disk } = this.at(id);
    open.abandon();
    this.#nodes.delete(id);
    return disk.kill();
  }

  /** Ends all nodes. */
  async stop(): Promise<void> {
    for (const { open } of this.#nodes.values()) await this.clock.until(open.stop());
  }

  /** Lets time go by until something holds. */
  async until(holds: () => boolean, limitMs = PATIENCE_MS): Promise<void> {
    const endMs = this.clock.monotonicMs() + limitMs;
    while (!holds()) {
      if (this.clock.monotonicMs() >= endMs) throw new Error(`it never held: ${holds}`);
      await this.clock.run(LOOK_MS);
    }
  }

  /** Resolves once some node leads for sure. */
  elected(): Promise<void> {
    return this.until(() => [...this.#nodes.values()].some(({ group: g }) => g.leads && g.ready));
  }

  /** Has the leader's group decide. */
  submit(command: Command): Promise<Answer> {
    return this.clock.until(this.leader.open.shard.submit(0, command));
  }

  /** Resolves once every node that runs has applied all that is committed. */
  async settled(): Promise<void> {
    const { commitIndex } = this.leader.group.status();
    const nodes = [...this.#nodes.values()];
    await this.until(() => nodes.every(({ group }) => group.status().appliedIndex >= commitIndex));
  }

  /** An object of the group's state, as a node's store knows it. */
  object(number: number): ColdObject {
    const known = this.leader.group.state.cold.objects.get(number);
    if (known === undefined) throw new Error(`no object ${number}`);
    return { formation: COLD_FORMATION, group: 0, number, term: known.term, bytes: known.length };
  }

  #hears(from: number, to: number): GivenNode | undefined {
    return this.cut(from, to) || this.cut(to, from) ? undefined : this.#nodes.get(to);
  }

  #peersOf(id: number, storeId: string): Peers {
    const from = memberOf({ nodeId: id, storeId });
    const { draining } = this;
    return {
      set draining(isDraining: boolean) {
        if (isDraining) draining.add(id);
        else draining.delete(id);
      },
      peer: (nodeId) => this.#infoOf(id, nodeId),
      send: (nodeId, _lane, kind, parts) => {
        const bytes = joined(parts);
        this.clock.setTimer(WAY_MS, () => {
          const target = this.#hears(id, nodeId);
          if (target === undefined || kind !== PEER_KINDS.RAFT) return;
          for (const item of splitBatch(bytes)) {
            target.open.shard.step(item, from);
          }
        });
        return true;
      },
      call: async (nodeId, kind, parts) => {
        const target = this.#hears(id, nodeId);
        if (target === undefined) return NOT_SENT;
        const request = joined(parts);
        await this.#way();
        const { shard } = target.open;
        const answer = kind === PEER_KINDS.SNAPSHOT
          ? await shard.arrive(0, from, request)
          : await this.#cold({ from: id, to: nodeId, request }, () =>
            shard.answerCold(0, from, request));
        await this.#way();
        return this.#hears(id, nodeId) === target ? answer : UNANSWERED;
      },
    };
  }

  #cold(call: Parameters<Bend>[0], answer: () => Promise<Uint8Array>) {
    this.asked.push(call);
    return this.bend(call, answer);
  }

  #infoOf(id: number, nodeId: number): PeerInfo | undefined {
    const found = this.#hears(id, nodeId);
    return found && {
      nodeId,
      storeId: found.storeId,
      formationId: COLD_FORMATION,
      commandVersions: { min: 1, max: 2 },
      wallOffsetMs: 0,
      draining: this.draining.has(nodeId),
      reaches: this.nodeIds.filter((other) => this.#hears(nodeId, other) !== undefined),
    };
  }

  #way(): Promise<void> {
    return new Promise((resolve) => this.clock.setTimer(WAY_MS, resolve));
  }
}
