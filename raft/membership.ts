import type { MemberId, Membership } from "./types.ts";

/** The membership that is wanted in the end. */
export interface MembershipChange {
  readonly voters: readonly MemberId[];
  readonly learners: readonly MemberId[];
}

/** Do two halves decide at present? */
export function isJoint(membership: Membership): boolean {
  return membership.outgoing.length > 0;
}

/** Does `id` vote in either half? */
export function isVoter(membership: Membership, id: MemberId): boolean {
  return membership.voters.includes(id) || membership.outgoing.includes(id);
}

/** Is `id` part of it in any way? */
export function isMember(membership: Membership, id: MemberId): boolean {
  return isVoter(membership, id) || membership.learners.includes(id);
}

/** Does `id` decide everything alone? */
export function isSoleVoter(membership: Membership, id: MemberId): boolean {
  return membership.voters.length === 1 && membership.voters[0] === id &&
    (membership.outgoing.length === 0 ||
      (membership.outgoing.length === 1 && membership.outgoing[0] === id));
}

/** Everybody, each once: voters, then voters being left, then learners. */
export function everyMember(membership: Membership): MemberId[] {
  return [...new Set([...membership.voters, ...membership.outgoing, ...membership.learners])];
}

/** The membership after a joint one. */
export function leaveJoint(membership: Membership): Membership {
  return { voters: membership.voters, outgoing: [], learners: membership.learners };
}

function sameMembers(a: readonly MemberId[], b: readonly MemberId[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id));
}

/**
 * The next step from `current` (not joint) towards `change`. When at most one voter comes or goes
 * any two majorities overlap, so the change takes one step (dissertation §4.1); otherwise it goes
 * through a joint membership (§4.3). A voter that turns learner votes in the half that it leaves.
 */
export function nextMembership(
  current: Membership,
  change: MembershipChange,
): Membership | "invalid" | "unchanged" {
  const voters = [...new Set(change.voters)];
  const learners = [...new Set(change.learners)];
  if (voters.length === 0 || learners.some((id) => voters.includes(id))) return "invalid";
  if (sameMembers(voters, current.voters) && sameMembers(learners, current.learners)) {
    return "unchanged";
  }
  const coming = voters.filter((id) => !current.voters.includes(id)).length;
  const going = current.voters.filter((id) => !voters.includes(id)).length;
  return { voters, outgoing: coming + going > 1 ? current.voters : [], learners };
}
