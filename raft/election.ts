import { appendOwn } from "./commit.ts";
import type { Core } from "./core.ts";
import { everyMember, isSoleVoter, isVoter } from "./membership.ts";
import type { PreVote, PreVoteResponse, TimeoutNow, Vote, VoteResponse } from "./messages.ts";
import { tally } from "./quorum.ts";
import type { MemberId, Payload } from "./types.ts";

/**
 * Was a leader heard from so lately that its lease may still hold? The start of a life counts as
 * having heard from one, since the life before may have.
 */
export function heardLately<P extends Payload>(core: Core<P>): boolean {
  return core.role === "leader" || core.nowMs - core.heardMs < core.config.electionTimeoutMs;
}

/** How long a reluctant member leaves it to the others, in election timeouts. */
const RELUCTANCE = 4;

/** Does this member leave it to others to campaign? */
export function holdsBack<P extends Payload>(core: Core<P>): boolean {
  return core.reluctant && !core.isNeeded &&
    core.nowMs - core.heardMs < RELUCTANCE * core.config.electionTimeoutMs;
}

function startedLately<P extends Payload>(core: Core<P>): boolean {
  return core.nowMs - core.startedMs < core.config.electionTimeoutMs;
}

/** Asks whether an election could be won (dissertation §9.6); a sole voter goes straight on. */
export function preCampaign<P extends Payload>(core: Core<P>): void {
  if (isSoleVoter(core.membership, core.id)) {
    campaign(core, false);
    return;
  }
  core.becomePreCandidate();
  core.votes.set(core.id, true);
  const { log } = core;
  for (const id of everyMember(core.membership)) {
    if (id === core.id || !isVoter(core.membership, id)) continue;
    core.send({
      type: "pre_vote",
      from: core.id,
      to: id,
      term: core.term + 1,
      lastIndex: log.last,
      lastTerm: log.lastTerm,
    });
  }
}

/**
 * Stands for election. Its requests wait until its own vote is durable, and with it the log that
 * they speak of: an answer that outlives a crash must not elect a shorter log.
 */
function campaign<P extends Payload>(core: Core<P>, transfer: boolean): void {
  core.becomeCandidate();
  // Nobody else can win. It leads in silence until its term is durable (see `Core.stableTerm`).
  if (isSoleVoter(core.membership, core.id)) {
    lead(core);
    return;
  }
  const { log, term, outbox } = core;
  for (const id of everyMember(core.membership)) {
    if (id === core.id || !isVoter(core.membership, id)) continue;
    outbox.sendWhenStable({
      type: "vote",
      from: core.id,
      to: id,
      term,
      lastIndex: log.last,
      lastTerm: log.lastTerm,
      transfer,
    });
  }
  outbox.sendWhenStable({ type: "vote_response", from: core.id, to: core.id, term, granted: true });
}

function lead<P extends Payload>(core: Core<P>): void {
  core.becomeLeader();
  appendOwn(core, { kind: "noop" });
}

/** Began this member to campaign so lately that it may still be getting answers? */
function campaignsItself<P extends Payload>(core: Core<P>): boolean {
  return core.role === "pre_candidate" &&
    core.nowMs - core.campaignedMs < core.config.electionTimeoutMs / 2;
}

/** May the vote that this member gave in its term, to another than `member`, still make a leader? */
function awaitsLeader<P extends Payload>(core: Core<P>, member: MemberId): boolean {
  const { votedFor, nowMs } = core;
  if (core.leader !== undefined || votedFor === undefined || votedFor === member) return false;
  if (core.role === "candidate") return nowMs < core.campaignDueMs;
  const isOut = core.isPromiseStable && nowMs - core.keptMs >= core.config.electionTimeoutMs;
  return core.role === "follower" && !isOut;
}

/**
 * Somebody asks whether it could win. Nobody's term or vote changes, but who could lead says so
 * with its next campaign: at most one of two members that ask each other is granted it, and who
 * grants it holds back, lest the votes be split.
 */
export function onPreVote<P extends Payload>(core: Core<P>, message: PreVote): void {
  const { log } = core;
  if (message.term > core.term) {
    if (heardLately(core)) return;
    const same = message.lastIndex === log.last && message.lastTerm === log.lastTerm;
    if (same && core.id < message.from && campaignsItself(core)) return;
  }
  const upToDate = log.isUpToDate(message.lastIndex, message.lastTerm);
  const granted = message.term > core.term && upToDate && !awaitsLeader(core, message.from);
  if (granted) core.stepAside();
  // It cannot win against this log, so time is lost until this member asks.
  else if (!upToDate && core.role === "follower" && !heardLately(core)) {
    core.isNeeded = true;
    core.retrySoon();
  }
  core.send({
    type: "pre_vote_response",
    from: core.id,
    to: message.from,
    term: granted ? message.term : core.term,
    granted,
  });
}

/** An answer to {@linkcode preCampaign}. */
export function onPreVoteResponse<P extends Payload>(
  core: Core<P>,
  message: PreVoteResponse,
): void {
  if (!message.granted && message.term > core.term) {
    core.becomeFollower(message.term, undefined);
    return;
  }
  if (core.role !== "pre_candidate") return;
  if (message.granted && message.term !== core.term + 1) return;
  core.votes.set(message.from, message.granted);
  const result = tally(core.membership, core.votes);
  if (result === "won") campaign(core, false);
  else if (result === "lost") lose(core);
}

function lose<P extends Payload>(core: Core<P>): void {
  core.becomeFollower(core.term, undefined);
  core.retrySoon();
}

/**
 * Somebody asks for the vote (paper §5.2, §5.4.1). One that a lease may rest on is not given,
 * unless the leader itself handed over; nor is any in the first election timeout of a life.
 */
export function onVote<P extends Payload>(core: Core<P>, message: Vote): void {
  if (message.term >= core.term) {
    if (startedLately(core) || (!message.transfer && heardLately(core))) return;
    if (message.term > core.term) core.becomeFollower(message.term, undefined);
  }
  const granted = message.term === core.term &&
    (core.votedFor === message.from ||
      (core.votedFor === undefined && core.leader === undefined)) &&
    core.log.isUpToDate(message.lastIndex, message.lastTerm);
  if (!granted) {
    core.send({
      type: "vote_response",
      from: core.id,
      to: message.from,
      term: core.term,
      granted: false,
    });
    return;
  }
  core.setHardState(core.term, message.from);
  core.resetElectionTimer();
  core.outbox.sendWhenStable({
    type: "vote_response",
    from: core.id,
    to: message.from,
    term: core.term,
    granted: true,
  });
}

/** An answer to {@linkcode campaign}, this member's own included. */
export function onVoteResponse<P extends Payload>(core: Core<P>, message: VoteResponse): void {
  if (core.role !== "candidate" || message.term !== core.term) return;
  core.votes.set(message.from, message.granted);
  const result = tally(core.membership, core.votes);
  if (result === "won") lead(core);
  else if (result === "lost") lose(core);
  // Votes are split, or its log is behind; who could decide it may be down.
  else if (!message.granted) core.retrySoon();
}

/** The leader hands over. */
export function onTimeoutNow<P extends Payload>(core: Core<P>, message: TimeoutNow): void {
  if (message.term !== core.term || core.role === "leader") return;
  if (!core.promotable || startedLately(core)) return;
  campaign(core, true);
}
