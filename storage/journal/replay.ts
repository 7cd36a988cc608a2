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

/** Entries as found so far, some perhaps missing in between. */
interface FoundEntry {
  readonly entry: StoredEntry;
  readonly sequence: number;
}

/** One group while the journal is read. */
class GroupReplay {
  readonly track: GroupTrack;
  /** A mark known beforehand: entries up to it need not be kept. */
  floor = 0;
  entries = new Map<number, FoundEntry>();
  last = 0;

  constructor(group: number) {
    this.track = new GroupTrack(group);
  }

  truncate(index: number): void {
    if (this.last - index > this.entries.size) {
      for (const found of this.entries.keys()) if (found >= index) this.entries.delete(found);
    } else {
      for (let at = index; at <= this.last; at++) this.entries.delete(at);
    }
    this.last = Math.min(this.last, index - 1);
  }

  mark(index: number, term: number, discards: boolean): void {
    const { track } = this;
    if (index > track.markIndex) {
      track.markIndex = index;
      track.markTerm = term;
    }
    if (discards) this.truncate(0);
    for (const found of this.entries.keys()) {
      if (found > index) break;
      this.entries.delete(found);
    }
  }

  keeps(index: number): boolean {
    return index > this.floor && index > this.track.markIndex;
  }

  put(index: number, found: FoundEntry): void {
    this.entries.set(index, found);
    this.last = Math.max(this.last, index);
  }
}

/** All groups of a journal, while it is read and when it was. */
export class Replay {
  #groups = new Map<number, GroupReplay>();

  /** Takes in the newest restatement ahead of everything else: what its marks cover is not kept. */
  foresee(record: RecordHeader): void {
    if (record.kind === SNAPSHOT_MARK_KIND) this.#of(record.group).floor = record.index;
  }

  /** Takes in the next record; true when it keeps a view of the slab. */
  take(record: RecordHeader, slab: Slab, start: number, sequence: number): boolean {
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
    group.put(index, { entry: { index, term, kind, payload }, sequence });
    return true;
  }

  /**
   * Ends the reading.
   * @param oldest path of the first segment, to be named when entries are missing
   * @param pin hears of every live entry: its group, segment, index and bytes
   */
  finish(
    oldest: string,
    pin: (track: GroupTrack, sequence: number, index: number, bytes: number) => void,
  ): { groups: Map<number, StoredGroup>; tracks: Map<number, GroupTrack> } {
    const groups = new Map<number, StoredGroup>();
    const tracks = new Map<number, GroupTrack>();
    for (const [id, replay] of [...this.#groups].sort(([one], [other]) => one - other)) {
      const { track } = replay;
      const entries: StoredEntry[] = [];
      track.last = track.markIndex;
      track.lastTerm = track.markTerm;
      for (let index = track.markIndex + 1; index <= replay.last; index++) {
        const found = replay.entries.get(index);
        if (found === undefined) {
          throw new JournalDamaged(oldest, 0, `entry ${index} of group ${id} is in no segment`);
        }
        entries.push(found.entry);
        track.append(index, found.entry.term);
        const { start, end } = found.entry.payload;
        pin(track, found.sequence, index, recordBytes(end - start));
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
