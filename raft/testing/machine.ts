/**
 * A member as tests run it: the core, a disk that forgets what was not made durable, and a state
 * machine that is a list of texts.
 *
 * @module
 */

import {
  type Entry,
  type Fetch,
  type HardState,
  type MemberId,
  type Message,
  type Payload,
  Raft,
  type RaftConfig,
  type ReadAnswer,
  type Ready,
  type SnapshotMark,
} from "../mod.ts";

/** A command: a text. */
export class Text implements Payload {
  readonly length: number;
  constructor(readonly text: string) {
    this.length = text.length;
  }
}

/** A message under way, with a RaftSnapshot's content where it needs one. */
export interface Packet {
  readonly message: Message<Text>;
  readonly state?: readonly string[];
}

/** What survives a crash. */
export interface Disk {
  hardState: HardState;
  snapshot: SnapshotMark;
  snapshotState: readonly string[];
  /** From `snapshot.index + 1` on. */
  entries: Entry<Text>[];
}

/** The settings of a core that tests choose. */
export type Settings = Omit<
  RaftConfig<Text>,
  "id" | "hardState" | "snapshot" | "entries" | "nowMs"
>;

/** Small numbers, so that bounds are met soon. */
export const SETTINGS: Settings = {
  electionTimeoutMs: 100,
  heartbeatIntervalMs: 20,
  leaseDriftMs: 10,
  inflightEntriesMax: 64,
  inflightBytesMax: 16384,
  messageBytesMax: 4096,
  uncommittedEntriesMax: 1024,
  uncommittedBytesMax: 1 << 20,
  retainedBytesMax: 4096,
  followingBytesMax: 4096,
  catchUpBytesMax: 1 << 20,
  random: () => 0,
  readLease: true,
};

/** The disk of a member that starts for the first time. */
export function emptyDisk(voters: readonly MemberId[], learners: readonly MemberId[] = []): Disk {
  return {
    hardState: { term: 0, votedFor: undefined },
    snapshot: { index: 0, term: 0, membership: { voters, outgoing: [], learners } },
    snapshotState: [],
    entries: [],
  };
}

/** One life of a member. */
export class Machine {
  readonly raft: Raft<Text>;
  /** Taken, not yet durable; oldest first. */
  readonly outstanding: Ready<Text>[] = [];
  /** The applied state. */
  state: string[];
  readonly reads: ReadAnswer[] = [];
  readonly fetches: Fetch[] = [];
  /** Received RaftSnapshots that are not installed yet, by index. */
  readonly #staged = new Map<number, readonly string[]>();

  constructor(readonly id: MemberId, readonly disk: Disk, settings: Settings, nowMs: number) {
    this.raft = new Raft({
      ...settings,
      id,
      nowMs,
      hardState: disk.hardState,
      snapshot: disk.snapshot,
      entries: disk.entries,
    });
    this.state = [...disk.snapshotState];
  }

  #pack(messages: readonly Message<Text>[]): Packet[] {
    return messages.map((message) => {
      if (message.type !== "snapshot") return { message };
      const { snapshot, snapshotState } = this.disk;
      this.raft.beginSnapshot(message.to, snapshot);
      return { message: { ...message, mark: snapshot }, state: snapshotState };
    });
  }

  /** Steps a message. */
  receive(packet: Packet, nowMs: number): void {
    if (packet.message.type === "snapshot" && packet.state !== undefined) {
      this.#staged.set(packet.message.mark.index, packet.state);
    }
    this.raft.step(packet.message, nowMs);
  }

  /** Takes one ready; answers what may go at once. */
  takeReady(): { ready: Ready<Text>; packets: Packet[] } | undefined {
    if (!this.raft.hasReady) return undefined;
    const ready = this.raft.ready();
    this.fetches.push(...this.raft.takeFetches());
    if (ready === undefined) return undefined;
    if (ready.durable) this.outstanding.push(ready);
    return { ready, packets: this.#pack(ready.messages) };
  }

  #write(ready: Ready<Text>, entriesMax: number): void {
    const { disk } = this;
    if (ready.hardState !== undefined) disk.hardState = ready.hardState;
    if (ready.snapshot !== undefined) {
      const state = this.#staged.get(ready.snapshot.index);
      if (state === undefined) throw new Error("a RaftSnapshot without bytes");
      disk.snapshot = ready.snapshot;
      disk.snapshotState = state;
      disk.entries = [];
    }
    for (const entry of ready.entries.slice(0, entriesMax)) {
      disk.entries.length = Math.min(disk.entries.length, entry.index - disk.snapshot.index - 1);
      if (entry.index !== disk.snapshot.index + disk.entries.length + 1) {
        throw new Error(`a gap on disk before ${entry.index}`);
      }
      disk.entries.push(entry);
    }
  }

  /** The oldest readies are durable, written as one batch; answers what had to wait. */
  completeOldest(count = 1): Packet[] {
    const batch = this.outstanding.splice(0, count);
    for (const ready of batch) {
      this.#write(ready, Infinity);
      if (ready.snapshot !== undefined) this.state = [...this.disk.snapshotState];
    }
    return this.#pack(this.raft.stable(batch));
  }

  /** Applies what may be; answers the entries. */
  apply(limit?: number): readonly Entry<Text>[] {
    const entries = this.raft.takeCommitted(limit);
    for (const entry of entries) {
      if (entry.kind === "command") this.state.push(entry.payload.text);
    }
    const last = entries[entries.length - 1];
    if (last !== undefined) this.raft.applied(last.index);
    this.reads.push(...this.raft.takeReads());
    return entries;
  }

  /** Writes a RaftSnapshot of the applied state, durably; entries in memory stay. */
  snapshot(): void {
    const { raft, disk } = this;
    if (raft.appliedIndex <= disk.snapshot.index) return;
    const mark = raft.markAt(raft.appliedIndex);
    disk.entries = disk.entries.filter((entry) => entry.index > mark.index);
    disk.snapshot = mark;
    disk.snapshotState = [...this.state];
    raft.compact(mark);
  }

  /** Reads back what was asked for. */
  provide(fetch: Fetch): void {
    const start = fetch.from - this.disk.snapshot.index - 1;
    const end = fetch.through - this.disk.snapshot.index;
    const entries = start < 0 ? undefined : this.disk.entries.slice(start, end);
    this.raft.provide(fetch, entries === undefined || entries.length === 0 ? undefined : entries);
  }

  /**
   * Dies; `survives` says how many of the readies under way reached the disk, and `torn` how many
   * entries of the next one did, or undefined when nothing of it.
   */
  crash(survives: number, torn: number | undefined): Disk {
    for (const ready of this.outstanding.slice(0, survives)) this.#write(ready, Infinity);
    const next = this.outstanding[survives];
    if (torn !== undefined && next !== undefined) this.#write(next, torn);
    return this.disk;
  }
}
