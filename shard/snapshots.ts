import type { Group } from "../group/mod.ts";
import type { Journal } from "../storage/journal/mod.ts";
import type { RaftSnapshots } from "../storage/raft_snapshots/mod.ts";
import type { Lane } from "./lane.ts";
import { storedMark } from "./replica.ts";

/** A group's log may grow to this before a RaftSnapshot is taken (SPEC section 9), in bytes. */
export const SNAPSHOT_LOG_BYTES_MIN = 16 * 1024 * 1024;
/** Or to so many times its last RaftSnapshot, whichever is more. */
const LOG_TO_SNAPSHOT_MAX = 2;

/**
 * Takes RaftSnapshots of a lane's groups, one at a time, so that what a start replays and what the
 * journal keeps stay bounded.
 */
export class Snapshots {
  readonly #store: RaftSnapshots;
  readonly #lane: Lane;
  readonly #journal: Journal;
  readonly #journalBytesMax: number;
  readonly #logBytesMin: number;
  readonly #onFatal: (reason: Error) => void;
  readonly #sizes = new Map<number, number>();
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(options: {
    store: RaftSnapshots;
    lane: Lane;
    journal: Journal;
    /** A larger journal is shortened, whatever its groups' logs. */
    journalBytesMax: number;
    logBytesMin: number;
    onFatal: (reason: Error) => void;
  }) {
    this.#store = options.store;
    this.#lane = options.lane;
    this.#journal = options.journal;
    this.#journalBytesMax = options.journalBytesMax;
    this.#logBytesMin = options.logBytesMin;
    this.#onFatal = options.onFatal;
    this.#measure();
  }

  /** Looks at groups that have just written. */
  consider(groups: readonly Group[]): void {
    if (this.#running !== undefined || this.#stopped) return;
    for (const group of groups) {
      // What is pinned would be written once more; mostly it goes soon, and then out of the log.
      const bytes = group.logBytes - group.state.cold.pinnedBytes;
      if (bytes <= this.#logBytesMax(group.id) || isBusy(group)) continue;
      return this.#start(group);
    }
    if (this.#journal.usage().diskBytes > this.#journalBytesMax) this.#start(this.#longest());
  }

  /**
   * Takes one of a group once none is under way, nor goes to a member; answers the index that it
   * covers, undefined where none is taken any more.
   */
  async takeNow(group: Group): Promise<number | undefined> {
    while (this.#running !== undefined || group.exports.underWay !== undefined) {
      await (this.#running ?? group.exports.underWay);
    }
    if (this.#stopped) return undefined;
    const { appliedIndex, snapshotIndex } = group.status();
    if (appliedIndex <= snapshotIndex || group.core.installing) return snapshotIndex;
    this.#run(group);
    await this.#running;
    return group.status().snapshotIndex;
  }

  /** Waits for the one under way and takes no more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  #logBytesMax(group: number): number {
    return Math.max(this.#logBytesMin, LOG_TO_SNAPSHOT_MAX * (this.#sizes.get(group) ?? 0));
  }

  /** Of those that have the time. */
  #longest(): Group | undefined {
    let longest: Group | undefined;
    for (const group of this.#lane.groups) {
      if (isBusy(group)) continue;
      if (longest === undefined || group.logBytes > longest.logBytes) longest = group;
    }
    return longest;
  }

  #start(group: Group | undefined): void {
    if (group !== undefined && group.logBytes > 0) this.#run(group);
  }

  #run(group: Group): void {
    this.#running = this.#take(group)
      .catch((reason) => {
        this.#stopped = true;
        this.#onFatal(reason);
      })
      .finally(() => {
        this.#running = undefined;
        // Others may have passed their bound meanwhile, and write no more.
        this.consider(this.#lane.groups);
      });
  }

  async #take(group: Group): Promise<void> {
    const covered = group.logBytes;
    const { mark, chunks } = group.snapshot();
    await this.#store.write(group.id, storedMark(mark), chunks);
    this.#measure();
    this.#journal.putSnapshotMark(group.id, mark.index, mark.term);
    group.compact(mark, covered);
    this.#lane.nudge();
  }

  #measure(): void {
    for (const { group, bytes } of this.#store.list()) this.#sizes.set(group, bytes);
  }
}

/**
 * One RaftSnapshot goes to a member, for as long as that likes, or another is being taken over, which
 * covers more than what is applied: the log can wait.
 */
function isBusy(group: Group): boolean {
  return group.exports.underWay !== undefined || group.core.installing;
}
