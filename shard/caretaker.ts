import type { Group } from "../group/mod.ts";
import type { MemberId, RaftStatus } from "../raft/mod.ts";
import { nodeOf, type Peers, presentMember } from "./peers.ts";

/** A learner that lacks fewer entries may vote: it is fed and keeps up. */
const LEARNER_LAG_ENTRIES_MAX = 256;
/** Whoever leads keeps a group at least this long before it gives it back. */
const SETTLED_MS = 5_000;
/** A voter that has been silent for longer is not given anything. */
const SILENT_MS_MAX = 300;

/**
 * Looks after the groups that this node leads: spreads leaderships over the nodes, and in memory
 * mode replaces a member whose node came back with nothing (SPEC section 8: it is a new member).
 */
export class Caretaker {
  readonly #peers: Peers;
  readonly #replaces: boolean;
  /** Since when this node leads a group, in ms. */
  readonly #leadsSince = new Map<number, number>();
  #retired = false;

  /** @param replaces whether members that lost their store are replaced without being asked */
  constructor(peers: Peers, replaces: boolean) {
    this.#peers = peers;
    this.#replaces = replaces;
  }

  /** Gives nothing away any more. */
  retire(): void {
    this.#retired = true;
  }

  /**
   * Looks after a group, if this node leads it; to be called every second or so.
   *
   * @param isDiskLow this node refuses what adds bytes, which another one might take
   */
  look(group: Group, nowMs: number, isDiskLow: boolean): void {
    if (!group.leads) {
      this.#leadsSince.delete(group.id);
      return;
    }
    const since = this.#leadsSince.get(group.id);
    if (since === undefined) {
      this.#leadsSince.set(group.id, nowMs);
      return;
    }
    if (this.#replaces) group.coverApplied();
    const status = group.status();
    const { membership, transferringTo } = status;
    if (membership.outgoing.length > 0 || transferringTo !== undefined || this.#retired) return;
    if (this.#replaces && this.#replace(group, status)) return;
    if (isDiskLow) {
      const heir = heirOf(status);
      if (heir !== undefined) group.transfer(heir);
      return;
    }
    if (nowMs - since >= SETTLED_MS) this.#giveBack(group, status);
  }

  /** One step of replacing a member: out and in as a learner, or a learner that may vote. */
  #replace(group: Group, { id: self, membership, others, commitIndex }: RaftStatus): boolean {
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
      const change = {
        voters: [...voters, learner],
        learners: learners.filter((id) => id !== learner),
      };
      return group.changeMembership(change) === undefined;
    }
    return false;
  }

  /** Each group has a voter that should lead it, so that every node leads as many. */
  #giveBack(group: Group, { id: self, membership, others, lastIndex }: RaftStatus): void {
    const voters = [...membership.voters].sort((one, other) => nodeOf(one) - nodeOf(other));
    const preferred = voters[group.id % voters.length];
    if (preferred === undefined || preferred === self) return;
    const known = others.find(({ id }) => id === preferred);
    if (known?.state !== "replicate" || known.full || known.silentMs > SILENT_MS_MAX) return;
    if (lastIndex - known.match <= LEARNER_LAG_ENTRIES_MAX) group.transfer(preferred);
  }
}

/** The voter to hand a group over to: it holds most of the log, has room, and was heard from. */
export function heirOf({ id: self, membership, others }: RaftStatus): MemberId | undefined {
  let heir: MemberId | undefined;
  let most = -1;
  for (const { id, match, silentMs, state, full } of others) {
    if (id === self || !membership.voters.includes(id) || state === "snapshot" || full) continue;
    if (silentMs > SILENT_MS_MAX || match <= most) continue;
    heir = id;
    most = match;
  }
  return heir;
}
