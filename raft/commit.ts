import type { Core } from "./core.ts";
import { isJoint, isVoter, leaveJoint } from "./membership.ts";
import { answerAskedFreely } from "./read_index.ts";
import { flushAppends, voidLease } from "./replication.ts";
import { mostCaughtUpVoter } from "./transfer.ts";
import type { Entry, Membership, Payload } from "./types.ts";

/** What a leader appends, apart from index and term. */
type Content<P extends Payload> =
  | { readonly kind: "command"; readonly payload: P }
  | { readonly kind: "noop" }
  | { readonly kind: "membership"; readonly membership: Membership };

/** A leader appends an entry of its own term. */
export function appendOwn<P extends Payload>(core: Core<P>, content: Content<P>): Entry<P> {
  const { log, term } = core;
  const index = log.last + 1;
  let entry: Entry<P>;
  if (content.kind === "command") {
    entry = { index, term, kind: "command", payload: content.payload };
  } else if (content.kind === "noop") {
    entry = { index, term, kind: "noop" };
  } else {
    entry = { index, term, kind: "membership", membership: content.membership };
  }
  const bytesBefore = log.bytes;
  log.append(entry);
  core.uncommittedBytes += log.bytes - bytesBefore;
  if (content.kind === "membership") {
    core.tracker.configure(content.membership, index, core.nowMs);
    // The lease was given by the old membership's majority.
    voidLease(core);
  }
  core.replicationWanted = core.tracker.others.length > 0;
  return entry;
}

/** Takes over a commit index that is known to hold here. */
export function commitTo<P extends Payload>(core: Core<P>, index: number): void {
  const { log } = core;
  if (index <= log.committed) return;
  if (core.role === "leader") core.uncommittedBytes -= log.bytesBetween(log.committed, index);
  log.committed = index;
}

/** A leader commits what a majority holds, counting only entries of its own term (paper §5.4.2). */
export function advanceCommit<P extends Payload>(core: Core<P>): void {
  const { log, tracker } = core;
  const matched = tracker.matched;
  if (matched <= log.committed || log.term(matched) !== core.term) return;
  commitTo(core, matched);
  core.replicationWanted = tracker.others.length > 0;
  if (!core.committedInTerm) {
    core.committedInTerm = true;
    answerAskedFreely(core);
  }
  const { latest, latestIndex } = log.memberships;
  if (latestIndex <= log.committed && latestIndex !== core.settledMembershipIndex) {
    core.settledMembershipIndex = latestIndex;
    membershipCommitted(core, latest);
  }
}

function membershipCommitted<P extends Payload>(core: Core<P>, membership: Membership): void {
  if (isJoint(membership)) {
    appendOwn(core, { kind: "membership", membership: leaveJoint(membership) });
    return;
  }
  core.pruneWanted = true;
  if (isVoter(membership, core.id)) return;
  // Paper §6: the leader that is not part of the new membership steps down once it is committed.
  flushAppends(core);
  const heir = mostCaughtUpVoter(core);
  if (heir !== undefined) {
    core.send({ type: "timeout_now", from: core.id, to: heir, term: core.term });
  }
  core.becomeFollower(core.term, undefined);
}
