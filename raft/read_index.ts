import type { Core } from "./core.ts";
import { isSoleVoter } from "./membership.ts";
import type { MemberId, Payload } from "./types.ts";

/**
 * May the leader answer reads without asking (dissertation §6.4.1)? From when the heartbeats that a
 * majority answered were sent, nobody of that majority votes for an election timeout.
 */
export function leaseHolds<P extends Payload>(core: Core<P>): boolean {
  return core.config.readLease && !core.leaseVoid && core.transfer === undefined &&
    core.nowMs < core.leaseUntilMs;
}

/** Nobody else can lead, or nobody else does for sure. */
function leadsForSure<P extends Payload>(core: Core<P>): boolean {
  return isSoleVoter(core.membership, core.id) || leaseHolds(core);
}

function answerRemote<P extends Payload>(
  core: Core<P>,
  to: MemberId,
  id: number,
  index: number,
): void {
  core.send({ type: "read_index_response", from: core.id, to, term: core.term, id, index });
}

/** A leader is asked, by its own caller (`from` undefined) or a follower. */
export function askLeader<P extends Payload>(
  core: Core<P>,
  from: MemberId | undefined,
  context: number,
): void {
  // Before the first commit of its term a leader does not know how far others committed (§6.4).
  if (core.committedInTerm && leadsForSure(core)) {
    if (from === undefined) core.reads.answer(context, core.log.committed);
    else answerRemote(core, from, context, core.log.committed);
    return;
  }
  core.reads.ask(from, context);
}

/** The first entry of the term is committed: some reads need no round. */
export function answerAskedFreely<P extends Payload>(core: Core<P>): void {
  if (!core.reads.waiting || !leadsForSure(core)) return;
  core.reads.answerAsked(
    core.log.committed,
    (to, id, index) => answerRemote(core, to, id, index),
  );
}

/** Reads wait for a round that can go out now. */
export function needsRound<P extends Payload>(core: Core<P>): boolean {
  return core.role === "leader" && core.committedInTerm && core.reads.waiting;
}

/** A follower answered a heartbeat: rounds may be confirmed, the lease may reach further. */
export function heartbeatsConfirmed<P extends Payload>(core: Core<P>): void {
  const { tracker, config } = core;
  core.reads.confirm(
    tracker.ackedRound,
    (to, id, index) => answerRemote(core, to, id, index),
  );
  const until = tracker.ackedSentMs + config.electionTimeoutMs - config.leaseDriftMs;
  if (until > core.leaseUntilMs) core.leaseUntilMs = until;
}

/** A follower passes its caller's questions on, all in one. */
export function flushForwardedReads<P extends Payload>(core: Core<P>): void {
  if (!core.reads.unsent || core.leader === undefined) return;
  const id = core.reads.sendForwarded(core.nowMs + core.config.heartbeatIntervalMs);
  sendReadIndex(core, core.leader, id);
}

/** A follower asks again what got no answer. */
export function resendForwardedReads<P extends Payload>(core: Core<P>): void {
  const id = core.reads.resend(core.nowMs + core.config.heartbeatIntervalMs);
  if (id !== undefined && core.leader !== undefined) sendReadIndex(core, core.leader, id);
}

function sendReadIndex<P extends Payload>(core: Core<P>, to: MemberId, id: number): void {
  core.send({ type: "read_index", from: core.id, to, term: core.term, id });
}
