import type { Group } from "../group/mod.ts";
import type { MemberId, RaftStatus } from "../raft/mod.ts";
import { nodeOf } from "../storage/member.ts";
import type { DiskPace } from "./disk_pace.ts";
import { type Peers, presentMember } from "./peers.ts";

/** A learner that lacks fewer entries may vote: it is fed and keeps up. */
export const LEARNER_LAG_ENTRIES_MAX = 256;
/**
 * Whoever leads keeps a group at least this long before it gives it back, and to a voter that has
 * been fit for as long: one that has just started refuses, and the group would wait in vain.
 */
const SETTLED_MS = 5_000;
/** Groups given back at one look: so many, or this part of those led here, whichever is more. */
const GIVEN_BACK_MIN = 4;
const GIVEN_BACK_PART = 1 / 16;
/** A voter that has been silent for longer is not given anything. */
const SILENT_MS_MAX = 300;
/** A voter that has been silent for longer may be better off with another leader. */
const UNHEARD_MS = 5_000;

/** Says which learners have every object of their groups in a store of their own. */
export interface LearnersSource {
  /** Asked every second for as long as somebody wants to know. */
  isWhole(group: Group, learner: MemberId, nowMs: number): boolean;
}

/** A group that this node leads. */
interface Led {
  /** In ms, as the other. */
  readonly sinceMs: number;
  /** Since when the voter that should lead it could; undefined while it can't. */
  fitSinceMs: number | undefined;
}

/**
 * Looks after the groups that this node leads: spreads leaderships over the nodes, leaves them to
 * whoever reaches more of the others, and in memory mode replaces a member whose node came back with
 * nothing (SPEC section 8: it is a new member).
 */
export class Caretaker {
  readonly #peers: Peers;
  readonly #replaces: boolean;
  readonly #learners: LearnersSource | undefined;
  readonly #led = new Map<number, Led>();
  /** How many groups were given back at the look of this time. */
  #givenBack = 0;
  #lookedMs = -Infinity;
  #retired = false;
  #draining = false;
  #diskSlow = false;
  #diskHampers = false;

  /**
   * @param replaces whether members that lost their store are replaced without being asked
   * @param learners where each node keeps objects of its own; undefined where nothing can lack
   */
  constructor(peers: Peers, replaces: boolean, learners?: LearnersSource) {
    this.#peers = peers;
    this.#learners = learners;
    this.#replaces = replaces;
  }

  /** Gives nothing away any more. */
  retire(): void {
    this.#retired = true;
  }

  /** Whether this node wants to lead as little as it can; others are told. */
  get draining(): boolean {
    return this.#draining;
  }

  set draining(draining: boolean) {
    this.#draining = draining;
    this.#tellPeers();
  }

  /** How the disk here is: a slow one makes others keep what they lead, and get what is led here. */
  seeDisk({ slow, hampers }: Pick<DiskPace, "slow" | "hampers">): void {
    this.#diskHampers = hampers;
    this.#diskSlow = slow;
    this.#tellPeers();
  }

  #tellPeers(): void {
    this.#peers.draining = this.#draining || this.#diskSlow;
  }

  /**
   * The voter to hand a group over to, should this node be about to end: rather one that is not
   * being drained.
   */
  heirOf(status: RaftStatus): MemberId | undefined {
    return this.#willingHeirOf(status) ?? heirOf(status);
  }

  /**
   * Begins to hand a group over because this node is being drained, or sees to it that this goes on;
   * says whether to wait for it. There is time: who could not lead at once is not given it.
   */
  sheds(group: Group): boolean {
    if (!group.leads) return false;
    const status = group.status();
    if (status.transferringTo !== undefined) return true;
    const heirs = othersOf(status).filter(({ id }) => isFit(id, status) && !this.#isDraining(id));
    const heir = heirs[group.id % heirs.length];
    return heir !== undefined && group.transfer(heir.id) === undefined;
  }

  /**
   * Looks after a group, if this node leads it; to be called every second or so.
   *
   * @param isDiskLow this node refuses what adds bytes, which another one might take
   */
  look(group: Group, nowMs: number, isDiskLow: boolean): void {
    if (!group.leads) {
      this.#led.delete(group.id);
      return;
    }
    const leaves = this.#draining || this.#diskHampers;
    if (leaves && !this.#retired && this.sheds(group)) return;
    const led = this.#led.get(group.id);
    if (led === undefined) {
      this.#led.set(group.id, { sinceMs: nowMs, fitSinceMs: undefined });
      return;
    }
    const status = group.status();
    const { membership, transferringTo } = status;
    if (membership.outgoing.length > 0 || transferringTo !== undefined || this.#retired) return;
    if (this.#replaces && this.#replace(group, status, nowMs)) return;
    if (isDiskLow) {
      const heir = this.#willingHeirOf(status);
      if (heir !== undefined) group.transfer(heir);
      return;
    }
    if (this.#yield(group, status)) return;
    this.#giveBack(group, status, led, nowMs);
  }

  /** One step of replacing a member: out and in as a learner, or a learner that may vote. */
  #replace(group: Group, status: RaftStatus, nowMs: number): boolean {
    const { id: self, membership, others, commitIndex } = status;
    const { voters, learners } = membership;
    for (const member of [...voters, ...learners]) {
      if (member === self) continue;
      const present = presentMember(this.#peers, nodeOf(member));
      if (present === undefined || present === member) continue;
      const stay = (id: MemberId) => nodeOf(id) !== nodeOf(member);
      const change = { voters: voters.filter(stay), learners: [...learners.filter(stay), present] };
      return group.changeMembership(change) === undefined;
    }
    for (const learner of learners) {
      const known = others.find(({ id }) => id === learner);
      if (known?.state !== "replicate") continue;
      if (commitIndex - known.match > LEARNER_LAG_ENTRIES_MAX) continue;
      if (this.#learners?.isWhole(group, learner, nowMs) === false) continue;
      const change = {
        voters: [...voters, learner],
        learners: learners.filter((id) => id !== learner),
      };
      return group.changeMembership(change) === undefined;
    }
    return false;
  }

  /**
   * A node without a link to the leader can't serve the group, though it may have one to a voter that
   * the leader hears. That one leads for all.
   */
  #yield(group: Group, status: RaftStatus): boolean {
    const unheard = othersOf(status).filter(({ id, silentMs }) =>
      silentMs > UNHEARD_MS && !this.#isGone(id)
    );
    if (unheard.length === 0) return false;
    const heir = othersOf(status).find(({ id }) =>
      isFit(id, status) && !this.#isDraining(id) && this.#reachesAll(id, status) &&
      unheard.some((other) => this.#reaches(id, other.id))
    );
    return heir !== undefined && group.transfer(heir.id) === undefined;
  }

  /** Has the member's node come back with another store, so that nobody reaches the member? */
  #isGone(member: MemberId): boolean {
    const present = presentMember(this.#peers, nodeOf(member));
    return present !== undefined && present !== member;
  }

  #isDraining(member: MemberId): boolean {
    return this.#peers.peer(nodeOf(member))?.draining ?? false;
  }

  #willingHeirOf(status: RaftStatus): MemberId | undefined {
    return heirOf(status, (member) => this.#isDraining(member));
  }

  /** Is the voter connected to every other one that this node hears? */
  #reachesAll(voter: MemberId, status: RaftStatus): boolean {
    return othersOf(status).every(({ id, silentMs }) =>
      id === voter || silentMs > UNHEARD_MS || this.#reaches(voter, id)
    );
  }

  #reaches(from: MemberId, to: MemberId): boolean {
    return this.#peers.peer(nodeOf(from))?.reaches.includes(nodeOf(to)) ?? false;
  }

  /**
   * Each group has a voter that should lead it, so that every node leads as many. They go back a
   * few at a time, as each takes no commands while it does; to a node that is being drained not at
   * all.
   */
  #giveBack(group: Group, status: RaftStatus, led: Led, nowMs: number): void {
    const preferred = preferredOf(group.id, status);
    if (preferred === status.id) return;
    const isReady = isFit(preferred, status) && !this.#isDraining(preferred) &&
      this.#reachesAll(preferred, status);
    if (!isReady) {
      led.fitSinceMs = undefined;
      return;
    }
    led.fitSinceMs ??= nowMs;
    if (nowMs - Math.max(led.sinceMs, led.fitSinceMs) < SETTLED_MS) return;
    if (this.#lookedMs !== nowMs) this.#givenBack = 0;
    this.#lookedMs = nowMs;
    if (this.#givenBack >= Math.max(GIVEN_BACK_MIN, this.#led.size * GIVEN_BACK_PART)) return;
    this.#givenBack++;
    group.transfer(preferred);
  }
}

/** The voter that should lead a group. */
function preferredOf(group: number, { id, membership }: RaftStatus): MemberId {
  const voters = [...membership.voters].sort((one, other) => nodeOf(one) - nodeOf(other));
  return voters[group % voters.length] ?? id;
}

/** The voters but this node's. */
function othersOf({ membership, others }: RaftStatus): RaftStatus["others"] {
  return others.filter(({ id }) => membership.voters.includes(id));
}

/** Could the voter lead at once? */
export function isFit(voter: MemberId, { others, lastIndex }: RaftStatus): boolean {
  const known = others.find(({ id }) => id === voter);
  if (known?.state !== "replicate" || known.full || known.silentMs > SILENT_MS_MAX) return false;
  return lastIndex - known.match <= LEARNER_LAG_ENTRIES_MAX;
}

/**
 * The voter to hand a group over to: it holds most of the log, has room, and was heard from.
 *
 * @param avoids whom to leave out
 */
export function heirOf(
  status: RaftStatus,
  avoids: (member: MemberId) => boolean = () => false,
): MemberId | undefined {
  let heir: MemberId | undefined;
  let most = -1;
  for (const { id, match, silentMs, state, full } of othersOf(status)) {
    if (state === "snapshot" || full || silentMs > SILENT_MS_MAX || match <= most) continue;
    if (avoids(id)) continue;
    heir = id;
    most = match;
  }
  return heir;
}
