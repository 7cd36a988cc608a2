import type { MemberId } from "../types.ts";
import { Inflights } from "./inflights.ts";

/**
 * How the leader feeds a follower. `probe`: one append at a time, to find where the logs agree.
 * `replicate`: a stream of appends, within the bounds on what is under way. `snapshot`: a
 * RaftSnapshot is under way, and nothing else.
 */
export type ProgressState = "probe" | "replicate" | "snapshot";

/** What a leader knows of one member. Invariant: `match < next`. */
export class Progress {
  readonly id: MemberId;
  state: ProgressState = "probe";
  /** The member holds the leader's log up to here, durably. */
  match = 0;
  /** The next entry to send. */
  next: number;
  /** A probe is under way: wait for its answer, or for a heartbeat's. */
  probing = false;
  /** Index of the RaftSnapshot under way, in state `snapshot`. */
  pendingSnapshot = 0;
  /**
   * Entries after this one stay in memory for it: a RaftSnapshot up to here is on its way to it, or
   * it catches up from there. Infinity where nothing does.
   */
  keepsAfter = Infinity;
  /** Entries for it are being read back from the journal. */
  fetching = false;
  /** It said that it has no room for entries. */
  full = false;
  /** Commit index that it was told, if nothing was lost. */
  toldCommit = 0;
  /** `match` at the last heartbeat's answer; no progress since hints at lost appends. */
  matchAtHeartbeat = -1;
  /** When it was last heard from in this term. */
  activeMs: number;
  /** Highest heartbeat round that it answered. */
  ackedRound = 0;
  /** Leader's clock when the newest heartbeat that it answered was sent. */
  ackedSentMs = -Infinity;
  /** Appends under way in state `replicate`. */
  readonly inflights: Inflights;

  constructor(
    id: MemberId,
    next: number,
    nowMs: number,
    inflightEntriesMax: number,
    inflightBytesMax: number,
  ) {
    this.id = id;
    this.next = next;
    this.activeMs = nowMs;
    this.inflights = new Inflights(inflightEntriesMax, inflightBytesMax);
  }

  /** No append may go now. */
  get paused(): boolean {
    if (this.full || this.fetching || this.state === "snapshot") return true;
    return this.state === "probe" ? this.probing : this.inflights.full;
  }

  #enter(state: ProgressState): void {
    this.state = state;
    this.probing = false;
    this.pendingSnapshot = 0;
    this.fetching = false;
    this.inflights.clear();
  }

  /** Finds out where the logs agree, starting after what is known to match. */
  becomeProbe(): void {
    this.next = this.match + 1;
    this.#enter("probe");
  }

  /** Sends freely from after what is known to match. */
  becomeReplicate(): void {
    this.next = this.match + 1;
    this.#enter("replicate");
  }

  /** Waits for a RaftSnapshot at `index` to arrive. */
  becomeSnapshot(index: number): void {
    this.#enter("snapshot");
    this.pendingSnapshot = index;
    this.keepsAfter = Infinity;
  }

  /** The RaftSnapshot that it waits for is the one at `index`, and what follows has to come after. */
  snapshotBegun(index: number): void {
    this.pendingSnapshot = Math.max(this.pendingSnapshot, index);
    this.keepsAfter = index;
  }

  /** The RaftSnapshot went out whole, or not; either way the member is probed at its next word. */
  snapshotSent(ok: boolean): void {
    const pending = this.pendingSnapshot;
    this.becomeProbe();
    if (ok) this.next = Math.max(this.next, pending + 1);
    else this.keepsAfter = Infinity;
    this.probing = true;
  }

  /** An append with entries up to `last` went out. */
  sent(last: number, entries: number, bytes: number): void {
    if (this.state === "replicate") {
      if (entries > 0) {
        this.next = last + 1;
        this.inflights.add(last, entries, bytes);
      }
    } else {
      this.probing = true;
    }
  }

  /** An acknowledgement up to `match` came; says whether it told anything new. */
  acknowledged(match: number): boolean {
    if (match < this.match) return false;
    const fresh = match > this.match;
    if (fresh) {
      this.match = match;
      this.next = Math.max(this.next, match + 1);
    }
    switch (this.state) {
      case "probe":
        this.becomeReplicate();
        return true;
      case "snapshot":
        if (match < this.pendingSnapshot) return fresh;
        this.becomeReplicate();
        return true;
      case "replicate":
        this.inflights.free(match);
        return fresh;
    }
  }

  /**
   * The append after `rejected` was refused, and the logs may agree at `hint` at best; false when
   * that refusal is old news.
   */
  refused(rejected: number, hint: number): boolean {
    if (this.state === "snapshot") return false;
    if (this.state === "replicate") {
      if (rejected <= this.match) return false;
      this.becomeProbe();
      return true;
    }
    if (rejected !== this.next - 1) return false;
    this.next = Math.max(Math.min(rejected, hint + 1), this.match + 1);
    this.probing = false;
    this.fetching = false;
    return true;
  }
}
