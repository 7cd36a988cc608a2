import type { Group } from "../../group/mod.ts";
import type { MemberId, MembershipChange, RaftStatus } from "../../raft/mod.ts";
import { nodeOf } from "../../storage/member.ts";
import { isFit, LEARNER_LAG_ENTRIES_MAX, type LearnersSource } from "../caretaker.ts";
import type { Pacing } from "./pacing.ts";
import { transfer } from "./transfer.ts";
import type { Members, OrderAnswer, OrderRefused } from "./types.ts";

/** A change is committed within this, or who ordered it is told that nobody knows. */
const SETTLE_MS_MAX = 5_000;
const SETTLE_LOOK_MS = 5;
/** New nodes are waited for this long; then they stay learners, and the order can be given again. */
export const CATCH_UP_MS_MAX = 30_000;
const CATCH_UP_LOOK_MS = 100;

/** What changes of membership need beside the group. */
export interface MembershipOptions {
  readonly pacing: Pacing;
  /** The member on a node now; undefined while it is not connected. */
  readonly present: (node: number) => MemberId | undefined;
  /** Says which learners have all objects; undefined where none can lack. */
  readonly learners: LearnersSource | undefined;
}

/**
 * Changes who takes part in groups that this node leads, when an operator says so. A node whose
 * store is not the one that the group knows is a new member: the old one goes out, whatever becomes
 * of it, and the present one comes in as a learner.
 */
export class Memberships {
  readonly #options: MembershipOptions;
  /** Groups that are being changed: two orders would undo each other's steps. */
  readonly #busy = new Set<number>();

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** Adds a node that does not vote; one that is a member already stays what it is. */
  addLearner(group: Group, node: number): Promise<OrderAnswer<"learner">> {
    return this.#alone(group, () => {
      const members = this.#membersOn([node]);
      return "refused" in members ? members : this.#settle(group, (now) => joined(now, members));
    });
  }

  /** Has these nodes vote, and no others: new ones once they have caught up as learners. */
  setVoters(group: Group, nodes: readonly number[]): Promise<OrderAnswer<"membership">> {
    return this.#alone(group, async () => {
      const voters = this.#membersOn(nodes);
      if ("refused" in voters) return voters;
      const known = await this.#settle(group, (now) => joined(now, voters));
      if ("refused" in known) return known;
      const coming = voters.filter((member) => !known.voters.includes(member));
      const obstacle = await this.#caughtUp(group, coming) ?? await this.#leave(group, voters);
      return obstacle ?? await this.#settle(group, ({ learners }) => ({
        voters,
        learners: learners.filter((member) => !voters.includes(member)),
      }));
    });
  }

  async #alone<T>(group: Group, work: () => T | Promise<T>): Promise<T | OrderRefused> {
    if (!group.leads) return notLeader(group.status());
    if (this.#busy.has(group.id)) return { refused: "membership_busy" };
    this.#busy.add(group.id);
    try {
      return await work();
    } finally {
      this.#busy.delete(group.id);
    }
  }

  /** The members on these nodes, all of which must be there. */
  #membersOn(nodes: readonly number[]): MemberId[] | OrderRefused {
    const members = nodes.map((node) => this.#options.present(node));
    const absent = nodes.filter((_, at) => members[at] === undefined);
    if (absent.length > 0) return { refused: "node_absent", nodes: absent };
    return members.filter((member) => member !== undefined);
  }

  /**
   * Brings a group to a membership, and waits until that is committed and no joint one any more.
   *
   * @param aim what is wanted, as it follows from what there is
   */
  async #settle(
    group: Group,
    aim: (now: RaftStatus["membership"]) => MembershipChange,
  ): Promise<Members | OrderRefused> {
    const { pacing } = this.#options;
    const untilMs = pacing.nowMs() + SETTLE_MS_MAX;
    let isProposed = false;
    while (!pacing.isOver()) {
      const status = group.status();
      const change = aim(status.membership);
      if (isSettled(status) && isSame(status.membership, change)) return change;
      if (!group.leads) return notLeader(status);
      // Refused as long as an earlier change, a joint one's second half included, is not committed.
      if (group.changeMembership(change) === undefined) isProposed = true;
      if (pacing.nowMs() >= untilMs) {
        return { refused: isProposed ? "outcome_unknown" : "membership_busy" };
      }
      await pacing.pause(SETTLE_LOOK_MS);
    }
    return { refused: "shutting_down" };
  }

  /** Waits for learners that are to vote; answers why it did so in vain. */
  async #caughtUp(group: Group, coming: readonly MemberId[]): Promise<OrderRefused | undefined> {
    const { pacing, present } = this.#options;
    const untilMs = pacing.nowMs() + CATCH_UP_MS_MAX;
    while (!pacing.isOver()) {
      if (!group.leads) return notLeader(group.status());
      const gone = coming.filter((member) => present(nodeOf(member)) !== member);
      if (gone.length > 0) return { refused: "node_absent", nodes: gone.map(nodeOf) };
      const nowMs = pacing.nowMs();
      const late = coming.filter((member) => !this.#mayVote(group, member, nowMs));
      if (late.length === 0) return undefined;
      if (nowMs >= untilMs) return { refused: "not_caught_up", nodes: late.map(nodeOf) };
      await pacing.pause(CATCH_UP_LOOK_MS);
    }
    return { refused: "shutting_down" };
  }

  /**
   * A leader that is to go hands over to one that stays, who is then to be given the order: what it
   * had under way when it was gone nobody would tell it of. Where none of the voters stays it goes
   * in the end, and that costs an election.
   */
  async #leave(group: Group, voters: readonly MemberId[]): Promise<OrderRefused | undefined> {
    if (voters.includes(group.member)) return undefined;
    const status = group.status();
    const heirs = voters.filter((id) => status.membership.voters.includes(id) && isFit(id, status));
    const heir = heirs[group.id % heirs.length];
    if (heir === undefined) return undefined;
    const moved = await transfer(group, nodeOf(heir), this.#options.pacing);
    return "leader" in moved ? { refused: "not_leader", leader: moved.leader } : undefined;
  }

  #mayVote(group: Group, member: MemberId, nowMs: number): boolean {
    // Asked in any case: its answer takes a while.
    const isWhole = this.#options.learners?.isWhole(group, member, nowMs) ?? true;
    return isWhole && group.core.caughtUp(member, LEARNER_LAG_ENTRIES_MAX);
  }
}

/** The membership with these members in it, and no other stores of their nodes. */
function joined({ voters, learners }: Members, members: readonly MemberId[]): MembershipChange {
  const stays = (id: MemberId) =>
    members.includes(id) || !members.some((member) => nodeOf(member) === nodeOf(id));
  const isNew = (id: MemberId) => !voters.includes(id) && !learners.includes(id);
  return {
    voters: voters.filter(stays),
    learners: [...learners.filter(stays), ...members.filter(isNew)],
  };
}

function isSettled({ membership, membershipIndex, commitIndex }: RaftStatus): boolean {
  return membership.outgoing.length === 0 && membershipIndex <= commitIndex;
}

function isSame(one: Members, other: Members): boolean {
  const same = (a: readonly MemberId[], b: readonly MemberId[]) =>
    a.length === b.length && a.every((id) => b.includes(id));
  return same(one.voters, other.voters) && same(one.learners, other.learners);
}

function notLeader({ leader }: RaftStatus): OrderRefused {
  return { refused: "not_leader", leader };
}
