/**
 * Puts a group together again from its records.
 *
 * Old segments go first, so what is read is a suffix of what was once written: entries may be
 * missing at the front until a mark or a copied entry accounts for them.
 *
 * @module
 */

import type { StoredEntry, StoredGroup } from "../types.ts";
import { JournalDamaged } from "./damaged.ts";
import { GroupTrack } from "./group_track.ts";
import { recordBytes, type RecordHeader } from "./record.ts";
import { ENTRY_COPIED, entryKindOf } from "./records/entry.ts";
import { decodeVote, HARD_STATE_KIND } from "./records/hard_state.ts";
import { SNAPSHOT_MARK_DISCARDS, SNAPSHOT_MARK_KIND } from "./records/snapshot_mark.ts";
import { type Slab, Space } from "./slab.ts";

/** One group while the journal is read. A million entries pass through here: they lie in arrays. */
class GroupReplay {
  readonly track: GroupTrack;
  /** A mark known beforehand: entries up to it need not be kept. */
  floor = 0;
  /** Index of the first slot of `entries`. */
  base = 0;
  /** Entries found so far; an empty slot where one is missing, perhaps only yet. */
  entries: (StoredEntry | undefined)[] = [];
  /** Number of the segment of each, and its position there. */
  sequences: number[] = [];
  positions: number[] = [];

  constructor(group: number) {
    this.track = new GroupTrack(group);
  }

  truncate(index: number): void {
    const kept = Math.max(0, index - this.base);
    if (kept >= this.entries.length) return;
    this.entries.length = kept;
    this.sequences.length = kept;
    this.positions.length = kept;
  }

  mark(index: number, term: number, discards: boolean): void {
    const { track } = this;
    if (index > track.markIndex) {
      track.markIndex = index;
      track.markTerm = term;
    }
    if (discards) this.truncate(0);
    const gone = index + 1 - this.base;
    if (gone <= 0) return;
    this.entries.splice(0, gone);
    this.sequences.splice(0, gone);
    this.positions.splice(0, gone);
    this.base += gone;
  }

  keeps(index: number): boolean {
    return index > this.floor && index > this.track.markIndex;
  }

  put(entry: StoredEntry, sequence: number, position: number): void {
    if (this.entries.length === 0) this.base = entry.index;
    if (entry.index < this.base) this.#extendTo(entry.index);
    const { entries, sequences, positions } = this;
    while (this.base + entries.length < entry.index) {
      entries.push(undefined);
      sequences.push(0);
      positions.push(0);
    }
    entries[entry.index - this.base] = entry;
    sequences[entry.index - this.base] = sequence;
    positions[entry.index - this.base] = position;
  }

  /** Copied entries come after the later ones that they stand before. */
  #extendTo(index: number): void {
    const count = this.base - index;
    this.entries = [...new Array<undefined>(count).fill(undefined), ...this.entries];
    this.sequences = [...new Array<number>(count).fill(0), ...this.sequences];
    this.positions = [...new Array<number>(count).fill(0), ...this.positions];
    this.base = index;
  }
}

/** Hears of an entry: its group, the number of its segment, its index, bytes, and position there. */
export type EntryVisitor = (
  track: GroupTrack,
  sequence: number,
  index: number,
  bytes: number,
  position: number,
) => void;

/** All groups of a journal, while it is read and when it was. */
export class Replay {
  #groups = new Map<number, GroupReplay>();

  /** Takes in the newest restatement ahead of everything else: what its marks cover is not kept. */
  foresee(record: RecordHeader): void {
    if (record.kind === SNAPSHOT_MARK_KIND) this.#of(record.group).floor = record.index;
  }

  /** Takes in the next record; true when it keeps a view of the slab. */
  take(
    record: RecordHeader,
    slab: Slab,
    start: number,
    sequence: number,
    position: number,
  ): boolean {
    const group = this.#of(record.group);
    if (record.kind === HARD_STATE_KIND) {
      group.track.term = record.term;
      group.track.votedFor = decodeVote(slab.bytes.subarray(start, start + record.length));
      return false;
    }
    if (record.kind === SNAPSHOT_MARK_KIND) {
      group.mark(record.index, record.term, (record.flags & SNAPSHOT_MARK_DISCARDS) !== 0);
      return false;
    }
    const kind = entryKindOf(record.kind);
    if (kind === undefined) throw new Error(`unknown record kind ${record.kind}`);
    const { index, term } = record;
    const isCopied = (record.flags & ENTRY_COPIED) !== 0;
    if (!isCopied) group.truncate(index);
    if (!group.keeps(index)) return false;
    const payload = new Space(slab, start, start + record.length);
    group.put({ index, term, kind, payload }, sequence, position);
    return true;
  }

  /**
   * Ends the reading.
   * @param oldest path of the first segment, to be named when entries are missing
   * @param pin hears of every live entry
   */
  finish(
    oldest: string,
    pin: EntryVisitor,
  ): { groups: Map<number, StoredGroup>; tracks: Map<number, GroupTrack> } {
    const groups = new Map<number, StoredGroup>();
    const tracks = new Map<number, GroupTrack>();
    for (const [id, replay] of [...this.#groups].sort(([one], [other]) => one - other)) {
      const { track } = replay;
      track.last = track.markIndex;
      track.lastTerm = track.markTerm;
      const entries = wholeLog(replay, id, oldest);
      let at = 0;
      for (const { index, term, payload } of entries) {
        track.append(index, term);
        const sequence = replay.sequences[at] ?? 0;
        const position = replay.positions[at++] ?? 0;
        pin(track, sequence, index, recordBytes(payload.end - payload.start), position);
      }
      tracks.set(id, track);
      groups.set(id, {
        term: track.term,
        votedFor: track.votedFor,
        snapshotIndex: track.markIndex,
        snapshotTerm: track.markTerm,
        entries,
      });
    }
    return { groups, tracks };
  }

  #of(group: number): GroupReplay {
    let found = this.#groups.get(group);
    if (found === undefined) this.#groups.set(group, found = new GroupReplay(group));
    return found;
  }
}

/** The entries from the mark on, once it is sure that none is missing. */
function wholeLog(replay: GroupReplay, group: number, oldest: string): StoredEntry[] {
  const { base, entries, track } = replay;
  const isWhole = (log: (StoredEntry | undefined)[]): log is StoredEntry[] => {
    return entries.length === 0 || (base === track.markIndex + 1 && !log.includes(undefined));
  };
  if (isWhole(entries)) return entries;
  const missing = base > track.markIndex + 1
    ? track.markIndex + 1
    : base + entries.indexOf(undefined);
  throw new JournalDamaged(oldest, 0, `entry ${missing} of group ${group} is in no segment`);
}
