import { everyMember, isMember } from "../membership.ts";
import { majorityReached } from "../quorum.ts";
import type { MemberId, Membership } from "../types.ts";
import { Progress } from "./progress.ts";

/** 1 where there is room for entries, else 0. */
const readRoom = (progress: Progress): number => progress.full ? 0 : 1;
const readMatch = (progress: Progress): number => progress.match;
const readRound = (progress: Progress): number => progress.ackedRound;
const readSentMs = (progress: Progress): number => progress.ackedSentMs;
const readActiveMs = (progress: Progress): number => progress.activeMs;

/** What a leader knows of everybody. Empty elsewhere. */
export class Tracker {
  readonly #self: MemberId;
  readonly #inflightEntriesMax: number;
  readonly #inflightBytesMax: number;
  readonly #members = new Map<MemberId, Progress>();
  #voters: Progress[] = [];
  #outgoing: Progress[] = [];
  /** Everybody but this member, in the order in which they are served. */
  others: readonly Progress[] = [];
  /** This member's own, whose `match` is what its journal holds. */
  self: Progress;

  constructor(self: MemberId, inflightEntriesMax: number, inflightBytesMax: number) {
    this.#self = self;
    this.#inflightEntriesMax = inflightEntriesMax;
    this.#inflightBytesMax = inflightBytesMax;
    this.self = new Progress(self, 1, 0, inflightEntriesMax, inflightBytesMax);
  }

  /** Knows nothing any more. */
  clear(): void {
    this.#members.clear();
    this.#voters = [];
    this.#outgoing = [];
    this.others = [];
  }

  /**
   * Takes over a membership. New members are probed from `next`. Members that are not in it any
   * more are served on until {@linkcode prune}, so that they learn of it.
   */
  configure(membership: Membership, next: number, nowMs: number): void {
    for (const id of everyMember(membership)) {
      if (this.#members.has(id)) continue;
      const progress = new Progress(
        id,
        next,
        nowMs,
        this.#inflightEntriesMax,
        this.#inflightBytesMax,
      );
      this.#members.set(id, progress);
      if (id === this.#self) this.self = progress;
    }
    this.#voters = this.#select(membership.voters);
    this.#outgoing = this.#select(membership.outgoing);
    this.#listOthers();
  }

  #select(ids: readonly MemberId[]): Progress[] {
    const selected: Progress[] = [];
    for (const id of ids) {
      const progress = this.#members.get(id);
      if (progress !== undefined) selected.push(progress);
    }
    return selected;
  }

  #listOthers(): void {
    this.others = [...this.#members.values()].filter((progress) => progress.id !== this.#self);
  }

  /** Forgets who is not in `membership`. */
  prune(membership: Membership): void {
    for (const id of this.#members.keys()) {
      if (!isMember(membership, id)) this.#members.delete(id);
    }
    this.#listOthers();
  }

  /** What is known of `id`, if it is a member. */
  get(id: MemberId): Progress | undefined {
    return this.#members.get(id);
  }

  #reached(read: (progress: Progress) => number): number {
    return Math.min(majorityReached(this.#voters, read), majorityReached(this.#outgoing, read));
  }

  /** A majority has room for entries, as far as is known. */
  get hasRoom(): boolean {
    return this.#reached(readRoom) > 0;
  }

  /** Everybody else holds everything up to here; Infinity where there is nobody else. */
  get othersMatch(): number {
    let match = Infinity;
    for (const progress of this.others) match = Math.min(match, progress.match);
    return match;
  }

  /** The highest index that a majority holds durably. */
  get matched(): number {
    return this.#reached(readMatch);
  }

  /** The highest heartbeat round that a majority answered. */
  get ackedRound(): number {
    return this.#reached(readRound);
  }

  /** The latest time by which a majority had not moved on, on this member's clock. */
  get ackedSentMs(): number {
    return this.#reached(readSentMs);
  }

  /** The latest time since which a majority was heard from. */
  get activeMs(): number {
    return this.#reached(readActiveMs);
  }
}
