/**
 * The journal: where the entries, terms and votes of a shard's groups become durable.
 *
 * How to use it: lay down records, then flush.
 *
 * ```ts
 * const { journal, groups } = await Journal.open({ disk, directory, number: 0, sync: true, ... });
 * // `groups` is what was durable. Then, once per turn:
 * const space = journal.reserve(length);
 * // ... fill space.slab.bytes from space.start to space.end, without giving up the thread ...
 * journal.sealEntry(space, group, index, term, "command");
 * journal.putHardState(group, term, votedFor);
 * await journal.flush(); // one write and one fdatasync for all of the turn
 * ```
 *
 * - A reserved space that is not sealed before the next `reserve`, `put…` or `flush` is forgotten.
 * - Several flushes may be under way; they end in their order. One that fails is the last: the
 *   journal takes nothing more, and the node must end.
 * - A mark may be put only for a RaftSnapshot that is durable. Segments without live entries go
 *   by themselves.
 * - Entries that are durable and live may be read back at any time, beside everything else.
 * - Sealed bytes must not be changed; they may be read for as long as somebody wants to.
 *
 * @module
 */

export { JournalDamaged } from "./damaged.ts";
export { FIRST_SEGMENT_BYTES, SEGMENT_BYTES, SLAB_BYTES } from "./format.ts";
export { Journal } from "./journal.ts";
export { MemoryLog } from "./memory_log.ts";
export type { JournalOptions, JournalUsage } from "./options.ts";
