import type { Core, Fetch } from "./core.ts";
import { invariant } from "./invariant.ts";
import { entrySize } from "./log/entry_size.ts";
import type { Progress } from "./tracker/progress.ts";
import type { Entry, Payload, SnapshotMark } from "./types.ts";

/** A leader brings every follower as far as the bounds let it. */
export function flushAppends<P extends Payload>(core: Core<P>): void {
  // A sole voter leads before its term is durable, and must not be heard of in it before.
  if (core.stableTerm < core.term) return;
  core.replicationWanted = false;
  for (const progress of core.tracker.others) {
    while (sendAppend(core, progress));
    tellCommit(core, progress);
  }
  if (core.pruneWanted) {
    core.pruneWanted = false;
    core.tracker.prune(core.membership);
  }
}

/** Sends one append, if there is anything to say and room to say it; says whether to go on. */
function sendAppend<P extends Payload>(core: Core<P>, progress: Progress): boolean {
  if (progress.paused) return false;
  const { log } = core;
  if (progress.state === "replicate" && progress.next > log.last) return false;
  const prevTerm = log.term(progress.next - 1);
  if (progress.next < log.first || prevTerm === undefined) {
    requestOlder(core, progress);
    return false;
  }
  const { inflights } = progress;
  const entries = progress.next > log.last ? [] : log.sliceWithin(
    progress.next,
    Math.min(core.config.messageBytesMax, inflights.bytesLeft),
    inflights.entriesLeft,
  );
  sendEntries(core, progress, progress.next - 1, prevTerm, entries);
  return progress.state === "replicate";
}

/**
 * A follower that no entries go to still hears at once what it may apply. With entries under way it
 * hears it when it has acknowledged them, unless more of them, or a heartbeat, say it before.
 */
function tellCommit<P extends Payload>(core: Core<P>, progress: Progress): void {
  if (progress.state !== "replicate" || progress.inflights.entries > 0) return;
  const commit = Math.min(core.log.committed, progress.match);
  if (progress.toldCommit >= commit) return;
  progress.toldCommit = commit;
  core.send({ type: "commit", from: core.id, to: progress.id, term: core.term, commit });
}

function sendEntries<P extends Payload>(
  core: Core<P>,
  progress: Progress,
  prevIndex: number,
  prevTerm: number,
  entries: readonly Entry<P>[],
): void {
  let bytes = 0;
  for (const entry of entries) bytes += entrySize(entry);
  const commit = core.log.committed;
  core.send({
    type: "append",
    from: core.id,
    to: progress.id,
    term: core.term,
    prevIndex,
    prevTerm,
    entries,
    commit,
  });
  progress.sent(prevIndex + entries.length, entries.length, bytes);
  progress.toldCommit = Math.min(commit, prevIndex + entries.length);
}

/** The follower needs what left memory: the journal has it, or only a RaftSnapshot does. */
function requestOlder<P extends Payload>(core: Core<P>, progress: Progress): void {
  const { log } = core;
  const prev = progress.next - 1;
  if (prev < log.snapshot.index) {
    sendSnapshot(core, progress, log.snapshot);
    return;
  }
  progress.fetching = true;
  core.fetches.push({
    to: progress.id,
    from: log.term(prev) === undefined ? prev : progress.next,
    through: Math.min(log.last, prev + progress.inflights.entriesLeft),
    bytesMax: core.config.messageBytesMax,
  });
}

/** What a RaftSnapshot stands for that the caller would take now. */
function appliedMark<P extends Payload>({ log }: Core<P>): SnapshotMark {
  const { applied } = log;
  const term = log.term(applied);
  invariant(term !== undefined, "the last applied entry's term is known");
  return { index: applied, term, membership: log.memberships.at(applied) };
}

function sendSnapshot<P extends Payload>(
  core: Core<P>,
  progress: Progress,
  mark: SnapshotMark,
): void {
  // Bytes for a member that may be gone are wasted; its next answer brings us back here.
  if (core.nowMs - progress.activeMs > core.config.electionTimeoutMs) {
    progress.becomeProbe();
    progress.probing = true;
    return;
  }
  progress.becomeSnapshot(mark.index);
  core.send({
    type: "snapshot",
    from: core.id,
    to: progress.id,
    term: core.term,
    mark,
  });
}

/** The caller read `entries` back, from `fetch.from` on; undefined when it can't any more. */
export function provideEntries<P extends Payload>(
  core: Core<P>,
  fetch: Fetch,
  entries: readonly Entry<P>[] | undefined,
): void {
  const progress = core.role === "leader" ? core.tracker.get(fetch.to) : undefined;
  if (progress === undefined || !progress.fetching) return;
  progress.fetching = false;
  core.replicationWanted = true;
  const { log } = core;
  const prev = progress.next - 1;
  const first = entries?.[0];
  if (entries === undefined || first === undefined) {
    sendSnapshot(core, progress, prev < log.snapshot.index ? log.snapshot : appliedMark(core));
    return;
  }
  const prevTerm = log.term(prev) ?? (first.index === prev ? first.term : undefined);
  const skip = prev + 1 - first.index;
  // Meanwhile the follower moved, or leadership changed hands and came back: ask anew.
  if (prevTerm === undefined || skip < 0 || skip > entries.length) return;
  let end = skip;
  let bytes = 0;
  for (; end < entries.length; end++) {
    const entry = entries[end];
    if (entry === undefined || entry.index > log.last) break;
    bytes += entrySize(entry);
    if (end > skip && bytes > core.config.messageBytesMax) break;
  }
  if (end === skip && entries.length > 0 && progress.state === "replicate") return;
  sendEntries(core, progress, prev, prevTerm, entries.slice(skip, end));
}

/** Asks with an empty append whether all that was sent arrived: a refusal starts over. */
export function probeLoss<P extends Payload>(core: Core<P>, progress: Progress): void {
  const prevTerm = core.log.term(progress.next - 1);
  if (prevTerm === undefined) progress.becomeProbe();
  else sendEntries(core, progress, progress.next - 1, prevTerm, []);
}

/** Sends heartbeats to everybody, as one round that also answers the reads asked so far. */
export function flushHeartbeats<P extends Payload>(core: Core<P>): void {
  if (core.stableTerm < core.term) return;
  core.heartbeatWanted = false;
  core.heartbeatDueMs = core.nowMs + core.config.heartbeatIntervalMs;
  const { log, tracker, nowMs } = core;
  const round = core.reads.startRound(core.committedInTerm ? log.committed : undefined);
  tracker.self.ackedRound = round;
  tracker.self.ackedSentMs = nowMs;
  for (const progress of tracker.others) {
    core.send({
      type: "heartbeat",
      from: core.id,
      to: progress.id,
      term: core.term,
      round,
      sentMs: nowMs,
      commit: Math.min(log.committed, progress.match),
    });
  }
}

/** The lease ends now; later heartbeats may give another. */
export function voidLease<P extends Payload>(core: Core<P>): void {
  core.leaseUntilMs = -Infinity;
  for (const progress of core.tracker.others) progress.ackedSentMs = -Infinity;
}
