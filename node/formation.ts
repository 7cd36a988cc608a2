/**
 * How a cluster forms (SPEC section 8, Formation), before the shards of a node start.
 *
 * ```text
 *   empty ── asks every listed peer what it holds, again and again
 *     │
 *     ├─ a peer has a formation that does not list this store ─► joins it, as a node that came later
 *     ├─ the node that formed the cluster offers it ───────────► takes its place in it
 *     └─ all hold nothing, this node has the lowest id and --raft-init-membership
 *                                                             ─► forms it: every store by its id
 *   formed ── offers it to each store of it that never confirmed; answers who asks, for ever
 * ```
 *
 * What a node tells of itself is durable before it is told. A formation names stores, and a store
 * takes one in its life: so no two formations can both have a majority of the same nodes, whatever
 * crashes, and no store that was emptied comes back as the one that it was.
 *
 * @module
 */

import type { Clock, LogLine, Random, Timer } from "../io/mod.ts";
import type { CallFailed, PeerInfo, PeerKind } from "../peer/mod.ts";
import type { FormationRecord } from "../storage/identity.ts";
import { memberOf, nodeOf } from "../storage/member.ts";
import type { ClusterConfig } from "./config/mod.ts";
import {
  decodeQuestion,
  decodeReport,
  encodeQuestion,
  encodeReport,
  type FormationReport,
} from "./formation_wire.ts";
import { newId, type Store } from "./store.ts";

/** Between two questions to one peer. */
const ASK_MS = 100;
/** Longest pause between two offers to one peer; the first is `ASK_MS`, and each doubles it. */
const OFFER_MS_MAX = 5_000;
/** An empty node that has waited so long says why, and waits for silent peers no more to join. */
const LATE_MS = 1_000;

/** What {@linkcode Formation} needs of a node. */
export interface FormationOptions {
  readonly store: Pick<Store, "member" | "directory" | "record" | "adopt">;
  readonly cluster: Pick<ClusterConfig, "nodeId" | "peers" | "initMembership">;
  /** Calls a peer; see `PeerPlane`. */
  readonly call: (
    nodeId: number,
    kind: PeerKind,
    parts: readonly Uint8Array[],
  ) => Promise<Uint8Array | CallFailed>;
  /** Kind of the calls. */
  readonly kind: PeerKind;
  readonly io: { readonly clock: Clock; readonly random: Random };
  /** Takes lines for the operator. */
  readonly log: LogLine;
  /** A confirmation could not be written down: the node can't go on. */
  readonly onFatal: (reason: Error) => void;
}

/** A node's part in how its cluster forms, and its answers to others ever after. */
export class Formation {
  readonly #options: FormationOptions;
  readonly #beganMs: number;
  /** Ids of all nodes, this one included, rising. */
  readonly #listed: readonly number[];
  readonly #others: readonly number[];
  /** What each peer said last; without those that did not answer the last time. */
  readonly #reports = new Map<number, FormationReport>();
  /** Peers whose first call has ended, well or not. */
  readonly #tried = new Set<number>();
  readonly #said = new Set<string>();
  readonly #pauses = new Set<{ readonly timer: Timer; readonly end: () => void }>();
  /** Changes of the store, one at a time; a failed one is the last. */
  #changing: Promise<void> = Promise.resolve();
  #wait: PromiseWithResolvers<FormationRecord> | undefined;
  #isClosed = false;

  constructor(options: FormationOptions) {
    const { cluster, io } = options;
    this.#options = options;
    this.#beganMs = io.clock.monotonicMs();
    this.#listed = cluster.peers.map(({ nodeId }) => nodeId).sort((a, b) => a - b);
    this.#others = this.#listed.filter((nodeId) => nodeId !== cluster.nodeId);
  }

  /**
   * Waits until this node belongs to a cluster that has formed, and has made that durable. Offers go
   * on in the background, also on a node that had formed its cluster in an earlier life. Call once.
   *
   * @throws DiskError when it can't be made durable; Error when closed before
   */
  form(): Promise<FormationRecord> {
    const { record } = this.#options.store;
    if (record !== undefined) {
      this.#offerToAll(record);
      return Promise.resolve(record);
    }
    this.#wait = Promise.withResolvers();
    for (const nodeId of this.#others) void this.#ask(nodeId);
    return this.#wait.promise;
  }

  /**
   * Answers a peer's call, at any time: before, during and after {@linkcode Formation.form}.
   *
   * @param from the caller, as the handshake said
   * @returns empty where the bytes are no question
   * @throws DiskError when an offer that was accepted can't be made durable
   */
  async answer(
    from: Pick<PeerInfo, "nodeId" | "storeId">,
    bytes: Uint8Array,
  ): Promise<Uint8Array> {
    const question = decodeQuestion(bytes);
    if (question === undefined) {
      this.#say(`node ${from.nodeId} asked something about formation that this node can't read`);
      return new Uint8Array();
    }
    const { formation } = question;
    const { cluster, store } = this.#options;
    // Only who forms a cluster offers it, and only to the stores that it found.
    const isOffer = formation !== undefined && formation.members.includes(memberOf(from)) &&
      formation.members.includes(store.member);
    if (isOffer) await this.#adopt({ ...formation, unconfirmed: [] });
    // Not before what is under way is durable: it would be said that nothing is held.
    await this.#changing;
    return encodeReport({
      member: store.member,
      formation: store.record,
      listed: this.#listed,
      mayForm: cluster.initMembership,
    });
  }

  /** Asks and offers no more; a {@linkcode Formation.form} that waits rejects. Answers go on. */
  close(): void {
    this.#isClosed = true;
    for (const { timer, end } of [...this.#pauses]) {
      timer.cancel();
      end();
    }
    this.#wait?.reject(new Error("the node stopped before its cluster had formed"));
  }

  get #isLate(): boolean {
    return this.#options.io.clock.monotonicMs() - this.#beganMs >= LATE_MS;
  }

  get #isEmpty(): boolean {
    return this.#options.store.record === undefined;
  }

  async #ask(nodeId: number): Promise<void> {
    const question = encodeQuestion({ formation: undefined });
    while (this.#isEmpty && !this.#isClosed) {
      const report = await this.#call(nodeId, question);
      this.#tried.add(nodeId);
      if (report === undefined) this.#reports.delete(nodeId);
      else this.#reports.set(nodeId, report);
      if (!this.#isEmpty || this.#isClosed) return;
      try {
        await this.#consider();
      } catch {
        return; // `form` has rejected.
      }
      await this.#pause(ASK_MS);
    }
  }

  /** Looks whether what is known suffices to form the cluster, or to join it. */
  async #consider(): Promise<void> {
    const { cluster, store } = this.#options;
    const reports = [...this.#reports.values()];
    const formations = reports.flatMap(({ formation }) => formation ?? []);
    const [formation] = formations;
    if (formation !== undefined) {
      // One round first: a peer with another cluster's data shall not take this node along.
      if (this.#tried.size < this.#others.length && !this.#isLate) return;
      const { id, members } = formation;
      if (formations.some((other) => other.id !== id)) {
        return this.#waitFor(
          "the peers are of different clusters: see which one's data is out of place",
        );
      }
      // In memory no store was ever more than it is now. On disk this may be an old copy of what has
      // confirmed and voted since: who formed the cluster knows.
      const mayTakePlace = store.directory === undefined;
      if (!members.includes(store.member) || mayTakePlace) {
        return await this.#adopt({ id, members, unconfirmed: [] });
      }
      return this.#waitFor(
        "a cluster formed with this store, and the node that formed it has to offer it; if that node " +
          "is lost, or this directory is an old copy, start on an empty directory",
      );
    }
    const reason = this.#whyNotForm();
    if (reason !== undefined) return this.#waitFor(reason);
    const members = [store.member, ...reports.map(({ member }) => member)]
      .sort((a, b) => nodeOf(a) - nodeOf(b));
    const unconfirmed = members.filter((member) => nodeOf(member) !== cluster.nodeId);
    await this.#adopt({ id: newId(this.#options.io), members, unconfirmed });
  }

  /** Why this node can't form the cluster now, where no peer belongs to one. */
  #whyNotForm(): string | undefined {
    const { nodeId, initMembership } = this.#options.cluster;
    const [lowest = nodeId] = this.#listed;
    if (lowest !== nodeId) {
      return this.#reports.get(lowest)?.mayForm === false
        ? `node ${lowest} has to be started with --raft-init-membership to form the cluster`
        : `node ${lowest} has to form the cluster, or another peer to belong to one`;
    }
    if (!initMembership) {
      return "no peer that answered belongs to a cluster; --raft-init-membership lets this node form one";
    }
    const silent = this.#others.filter((other) => !this.#reports.has(other));
    if (silent.length > 0) return `no answer from node ${silent.join(" and ")} yet`;
    for (const [other, { listed }] of this.#reports) {
      if (listed.join() === this.#listed.join()) continue;
      const ids = [listed, this.#listed].map((list) => list.join(", "));
      return `node ${other} was started with the peers ${ids[0]}, this one with ${ids[1]}`;
    }
    return undefined;
  }

  /** Takes a formation, unless there is one. */
  #adopt(record: FormationRecord): Promise<void> {
    return this.#change(() => this.#isEmpty ? record : undefined, (adopted) => {
      const { member } = this.#options.store;
      this.#options.log(
        adopted.unconfirmed.length > 0
          ? `formed the cluster ${adopted.id} of ${adopted.members.join(", ")}`
          : adopted.members.includes(member)
          ? `the cluster ${adopted.id} has formed, with this node`
          : `joined the cluster ${adopted.id} as ${member}, which it formed without`,
      );
      this.#wait?.resolve(adopted);
      this.#offerToAll(adopted);
    });
  }

  #offerToAll(record: FormationRecord): void {
    for (const member of record.unconfirmed) {
      if (this.#others.includes(nodeOf(member))) void this.#offer(record, member);
    }
  }

  async #offer({ id, members }: FormationRecord, member: string): Promise<void> {
    const offer = encodeQuestion({ formation: { id, members } });
    for (let pauseMs = ASK_MS; !this.#isClosed; pauseMs = Math.min(2 * pauseMs, OFFER_MS_MAX)) {
      const report = await this.#call(nodeOf(member), offer);
      if (this.#isClosed) return;
      // Another store of that node that belongs to the cluster: the one that was meant is gone.
      if (report?.formation?.id === id) return await this.#confirmed(member);
      if (report?.formation !== undefined) {
        this.#say(`node ${nodeOf(member)} belongs to another cluster, ${report.formation.id}`);
      }
      await this.#pause(pauseMs);
    }
  }

  async #confirmed(member: string): Promise<void> {
    try {
      await this.#change((record) =>
        record && {
          ...record,
          unconfirmed: record.unconfirmed.filter((other) => other !== member),
        }
      );
    } catch (reason) {
      if (!this.#isClosed) {
        this.#options.onFatal(reason instanceof Error ? reason : new Error(`${reason}`));
      }
    }
  }

  #change(
    make: (record: FormationRecord | undefined) => FormationRecord | undefined,
    onChanged?: (record: FormationRecord) => void,
  ): Promise<void> {
    const { store } = this.#options;
    const change = async (before: Promise<void>) => {
      try {
        await before;
        const next = make(store.record);
        if (next === undefined) return;
        await store.adopt(next);
        onChanged?.(next);
      } catch (reason) {
        this.#wait?.reject(reason);
        throw reason;
      }
    };
    return this.#changing = change(this.#changing);
  }

  async #call(nodeId: number, bytes: Uint8Array): Promise<FormationReport | undefined> {
    const answer = await this.#options.call(nodeId, this.#options.kind, [bytes]);
    return answer instanceof Uint8Array ? decodeReport(answer, nodeId) : undefined;
  }

  #pause(ms: number): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        this.#pauses.delete(pause);
        resolve();
      };
      const pause = { timer: this.#options.io.clock.setTimer(ms, end), end };
      this.#pauses.add(pause);
    });
  }

  #waitFor(reason: string): void {
    if (this.#isLate) this.#say(`this node belongs to no cluster yet: ${reason}`);
  }

  /** Says each thing once. */
  #say(line: string): void {
    if (this.#said.has(line)) return;
    this.#said.add(line);
    this.#options.log(line, "warn");
  }
}
