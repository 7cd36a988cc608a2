/**
 * The log of a node that keeps nothing on disk.
 *
 * @module
 */

import type { ReadableLog, RecordSpace, StoredEntryKind } from "../types.ts";
import { SLAB_BYTES } from "./format.ts";
import { Slab, Space } from "./slab.ts";

/** Gives room for payloads in slabs and forgets everything else. */
export class MemoryLog implements ReadableLog {
  #slab = new Slab(SLAB_BYTES);
  #used = 0;

  reserve(length: number): RecordSpace {
    if (this.#used + length > this.#slab.bytes.length) {
      // A large payload gets a slab of its own, and the one at hand stays in use.
      if (length > SLAB_BYTES / 2) return new Space(new Slab(length), 0, length);
      this.#slab = new Slab(SLAB_BYTES);
      this.#used = 0;
    }
    return new Space(this.#slab, this.#used, this.#used + length);
  }

  sealEntry(
    space: RecordSpace,
    _group: number,
    _index: number,
    _term: number,
    _kind: StoredEntryKind,
  ): void {
    if (space.slab === this.#slab) this.#used = space.end;
  }

  putHardState(_group: number, _term: number, _votedFor: string | undefined): void {}

  putSnapshotMark(
    _group: number,
    _index: number,
    _term: number,
    _replacesLog?: boolean,
  ): void {}

  readEntries(
    _group: number,
    _from: number,
    _through: number,
    _bytesMax: number,
  ): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  flush(): undefined {
    return undefined;
  }
}
