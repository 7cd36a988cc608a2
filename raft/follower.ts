import { commitTo } from "./commit.ts";
import type { Core } from "./core.ts";
import type { Append, Commit, Heartbeat, InstallSnapshot } from "./messages.ts";
import { invariant } from "./invariant.ts";
import type { MemberId, Payload } from "./types.ts";

/** Acknowledges the log up to `match`, once it is durable. */
function acknowledge<P extends Payload>(core: Core<P>, to: MemberId, match: number): void {
  const ack = { type: "append_ack", from: core.id, to, term: core.term, match } as const;
  if (match <= core.log.stable && core.stableTerm === core.term) core.send(ack);
  else core.outbox.sendWhenStable(ack);
}

/** The leader's log goes on (paper §5.3). */
export function onAppend<P extends Payload>(core: Core<P>, message: Append<P>): void {
  core.heard(message.from);
  const { log } = core;
  const { entries } = message;
  const lastNew = message.prevIndex + entries.length;
  if (lastNew <= log.committed) {
    acknowledge(core, message.from, log.committed);
    return;
  }
  // What is committed is the same everywhere, so the comparison begins after it.
  const known = Math.max(message.prevIndex, log.committed);
  if (known === message.prevIndex && log.term(known) !== message.prevTerm) {
    reject(core, message);
    return;
  }
  if (!core.accepting && lastNew > log.last) {
    answerHeartbeat(core, message.from, 0, 0);
    return;
  }
  takeEntries(core, message, known - message.prevIndex);
  commitTo(core, Math.min(message.commit, lastNew));
  acknowledge(core, message.from, lastNew);
}

function takeEntries<P extends Payload>(core: Core<P>, message: Append<P>, skip: number): void {
  const { log } = core;
  for (let i = skip; i < message.entries.length; i++) {
    const entry = message.entries[i];
    invariant(entry !== undefined, "entries without holes");
    if (entry.index <= log.last) {
      if (log.term(entry.index) === entry.term) continue;
      log.truncate(entry.index);
      core.outbox.truncated(entry.index);
    }
    log.append(entry);
  }
}

/** Says where the logs may agree, skipping whole terms (paper §5.3, end). */
function reject<P extends Payload>(core: Core<P>, message: Append<P>): void {
  const { log } = core;
  const hintIndex = Math.max(
    log.lastAtOrBelowTerm(message.prevIndex, message.prevTerm),
    log.committed,
  );
  core.send({
    type: "append_reject",
    from: core.id,
    to: message.from,
    term: core.term,
    rejected: message.prevIndex,
    hintIndex,
    hintTerm: log.term(hintIndex) ?? 0,
  });
}

/** More is committed. */
export function onCommit<P extends Payload>(core: Core<P>, message: Commit | Heartbeat): void {
  core.heard(message.from);
  invariant(message.commit <= core.log.last, "a leader knows what this member holds");
  commitTo(core, message.commit);
}

/** The leader lives. */
export function onHeartbeat<P extends Payload>(core: Core<P>, message: Heartbeat): void {
  onCommit(core, message);
  answerHeartbeat(core, message.from, message.round, message.sentMs);
}

/** Answers a heartbeat; with round 0 it only says how this member stands. */
export function answerHeartbeat<P extends Payload>(
  core: Core<P>,
  to: MemberId,
  round: number,
  sentMs: number,
): void {
  core.send({
    type: "heartbeat_response",
    from: core.id,
    to,
    term: core.term,
    round,
    sentMs,
    full: !core.accepting,
  });
}

/** A RaftSnapshot arrived whole (paper §7). */
export function onSnapshot<P extends Payload>(core: Core<P>, message: InstallSnapshot): void {
  core.heard(message.from);
  const { log, outbox } = core;
  const { mark } = message;
  if (mark.index <= log.committed) {
    acknowledge(core, message.from, log.committed);
    return;
  }
  if (mark.index <= log.last && log.term(mark.index) === mark.term) {
    // The log goes as far as the RaftSnapshot: nothing to replace, it only proves the commit.
    commitTo(core, mark.index);
    acknowledge(core, message.from, mark.index);
    return;
  }
  log.restore(mark);
  outbox.install(mark);
  acknowledge(core, message.from, mark.index);
}
