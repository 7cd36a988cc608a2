/**
 * Consensus for one group, after "In Search of an Understandable Consensus Algorithm" (_paper_) and
 * Ongaro's dissertation (_dissertation_).
 *
 * A {@linkcode Raft} is a state machine and nothing else: it reads no clock, opens no file, sends
 * nothing and waits for nothing. Its caller tells it what happened and does what it asks.
 *
 * ## What the caller tells
 *
 * - {@linkcode Raft.tick} at {@linkcode Raft.nextTickMs}, or every few milliseconds.
 * - {@linkcode Raft.step} for each message. Messages may be lost, doubled, late and out of order.
 * - {@linkcode Raft.propose}, {@linkcode Raft.readIndex}, {@linkcode Raft.proposeMembership},
 *   {@linkcode Raft.transferLeadership} as wanted. A refusal means that nothing was done.
 * - A group's only voter calls {@linkcode Raft.campaign} once after the start, and leads at once.
 *
 * Times are one monotonic clock's, read after the event at hand arrived: a lease trusts them.
 *
 * ## What the caller does: a turn
 *
 * ```ts ignore
 * while (raft.hasReady) {
 *   const ready = raft.ready();
 *   if (ready === undefined) break;
 *   send(ready.messages); // at once: none of them promises anything that is not durable
 *   if (ready.durable) {
 *     journal.put(ready.hardState, ready.snapshot, ready.entries); // in this order
 *     batch.push(ready);
 *   }
 * }
 * for (const fetch of raft.takeFetches()) readBack(fetch); // later: raft.provide(fetch, entries)
 *
 * // Once the batch is durable. More readies may have been taken meanwhile; the order stays.
 * send(raft.stable(batch));
 * const entries = raft.takeCommitted();
 * for (const entry of entries) apply(entry);
 * if (entries.length > 0) raft.applied(entries[entries.length - 1].index);
 * for (const { context, index } of raft.takeReads()) serveOnceApplied(context, index);
 * ```
 *
 * - {@linkcode Raft.stable} may bring new work (a commit to tell of): look at `hasReady` again.
 * - Entries replace what the journal held from the first one's index on.
 * - A leader's appends go out before its own write is durable, and it does not count itself before
 *   (dissertation §10.2.1). Votes, vote requests and acknowledgements wait inside until `stable`.
 * - Every entry comes out of `takeCommitted`, also the `noop` that begins a term and the
 *   `membership` ones, which take effect by themselves when they enter a log (paper §6). A proposal
 *   has succeeded when the entry at its index has its term, and has failed when it has another one.
 * - An answered read may be served once its `index` is applied. `index` undefined: ask again.
 *
 * ## RaftSnapshots and memory
 *
 * The caller decides when to write one: of the applied state, for {@linkcode Raft.markAt} of the
 * applied index. Once it is durable, {@linkcode Raft.compact} says so.
 *
 * Entries may leave memory once {@linkcode Raft.release} says so. The newest of them stay while the
 * group has other members, within `retainedBytesMax`, or `followingBytesMax` on members that do not
 * lead, so that one that is restarted is fed from memory, whoever leads then. What followers need
 * beyond that is asked for by {@linkcode Raft.takeFetches} as far as it lies above the RaftSnapshot,
 * which is what followers get that are further behind.
 *
 * A `snapshot` message in a ready is a wish: send the newest RaftSnapshot's bytes to that member, at
 * any pace, with that message (its `mark` set to what is really sent) as the end of them. Call
 * {@linkcode Raft.beginSnapshot} when that mark is known, so that what follows it is kept, and
 * {@linkcode Raft.reportSnapshot} when they went out or could not; until then that member is sent
 * nothing else. A member that answers before that may bring up another wish: then only that one's
 * end counts. The receiving caller keeps the bytes aside and steps the message once it has them
 * all. If the next ready has a `snapshot`, that is the order to put it in place of log and state
 * before `stable`; if not, it was not needed any more, and the bytes can go.
 *
 * ## After a crash
 *
 * Start anew with what is durable. The commit index is not kept: it is found again from the leader,
 * and entries after the RaftSnapshot come out of `takeCommitted` again. A member without its data
 * must not come back under its old id.
 *
 * @module
 */

export type { RaftConfig } from "./config.ts";
export type { Fetch, Role } from "./core.ts";
export { everyMember, isJoint, isMember, isVoter, type MembershipChange } from "./membership.ts";
export type * from "./messages.ts";
export type { Ready } from "./outbox.ts";
export { type Proposed, Raft, type RefusalReason, type Refused } from "./raft.ts";
export type { ReadAnswer } from "./read_queue.ts";
export type { MemberStatus, RaftStatus } from "./status.ts";
export type { ProgressState } from "./tracker/progress.ts";
export type * from "./types.ts";
