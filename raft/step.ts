import type { Core } from "./core.ts";
import { onPreVote, onPreVoteResponse, onTimeoutNow, onVote, onVoteResponse } from "./election.ts";
import { answerHeartbeat, onAppend, onCommit, onHeartbeat, onSnapshot } from "./follower.ts";
import { onAppendAck, onAppendReject, onHeartbeatResponse } from "./leader.ts";
import type { Message } from "./messages.ts";
import { askLeader } from "./read_index.ts";
import type { Payload } from "./types.ts";

/** Elections settle terms by rules of their own. */
function stepElection<P extends Payload>(core: Core<P>, message: Message<P>): boolean {
  switch (message.type) {
    case "pre_vote":
      onPreVote(core, message);
      return true;
    case "pre_vote_response":
      onPreVoteResponse(core, message);
      return true;
    case "vote":
      onVote(core, message);
      return true;
    default:
      return false;
  }
}

/** Does only a leader say this? */
function isLeaders<P extends Payload>(message: Message<P>): boolean {
  switch (message.type) {
    case "append":
    case "commit":
    case "heartbeat":
    case "snapshot":
      return true;
    default:
      return false;
  }
}

/** Brings terms in line (paper §5.1); false when the message is of an older one. */
function settleTerm<P extends Payload>(core: Core<P>, message: Message<P>): boolean {
  if (message.term > core.term) {
    core.becomeFollower(message.term, isLeaders(message) ? message.from : undefined);
    return true;
  }
  if (message.term === core.term) return true;
  // A leader of an older term would never learn of this one from silence, and this member,
  // which cannot go back, would be without a leader for good.
  if (isLeaders(message)) answerHeartbeat(core, message.from, 0, 0);
  return false;
}

/** Takes one message. */
export function step<P extends Payload>(core: Core<P>, message: Message<P>): void {
  if (stepElection(core, message) || !settleTerm(core, message)) return;
  switch (message.type) {
    case "append":
      return onAppend(core, message);
    case "append_ack":
      return onAppendAck(core, message);
    case "append_reject":
      return onAppendReject(core, message);
    case "commit":
      return onCommit(core, message);
    case "heartbeat":
      return onHeartbeat(core, message);
    case "heartbeat_response":
      return onHeartbeatResponse(core, message);
    case "snapshot":
      return onSnapshot(core, message);
    case "vote_response":
      return onVoteResponse(core, message);
    case "timeout_now":
      return onTimeoutNow(core, message);
    case "read_index":
      if (core.role === "leader") askLeader(core, message.from, message.id);
      return;
    case "read_index_response":
      core.reads.forwardedAnswer(message.id, message.index);
      return;
  }
}
