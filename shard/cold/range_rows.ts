import { type ColdPiece, decodeRow } from "../../stream/mod.ts";

/** What a kept row takes beside its numbers, in bytes. */
const OVERHEAD_BYTES = 256;

/**
 * Rows of message lengths that were decoded of late: many small reads of one large range each need
 * the whole of its row. What lies at a place of an object never changes, so none goes stale.
 */
export class RangeRows {
  /** The longest unused first. */
  readonly #kept = new Map<string, Uint32Array>();
  #bytes = 0;

  /** @param bytesMax of the rows that are kept */
  constructor(readonly bytesMax: number) {}

  /** Bytes of the rows that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Ends of the range's messages, where they are known; not to be changed. */
  find(group: number, piece: ColdPiece): Uint32Array | undefined {
    const name = nameOf(group, piece);
    const ends = this.#kept.get(name);
    if (ends === undefined) return undefined;
    this.#kept.delete(name);
    this.#kept.set(name, ends);
    return ends;
  }

  /** Decodes a range's row, and keeps what it says; undefined where it is no row of the range. */
  decode(group: number, piece: ColdPiece, row: Uint8Array): Uint32Array | undefined {
    const ends = decodeRow(row, piece.rangeTo - piece.rangeFrom);
    if (ends !== undefined) this.#keep(nameOf(group, piece), ends);
    return ends;
  }

  #keep(name: string, ends: Uint32Array): void {
    this.#drop(name);
    const bytes = footprintOf(ends);
    if (bytes > this.bytesMax) return;
    this.#kept.set(name, ends);
    this.#bytes += bytes;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.bytesMax) return;
      this.#drop(oldest);
    }
  }

  #drop(name: string): void {
    const ends = this.#kept.get(name);
    if (ends === undefined) return;
    this.#kept.delete(name);
    this.#bytes -= footprintOf(ends);
  }
}

function footprintOf(ends: Uint32Array): number {
  return ends.byteLength + OVERHEAD_BYTES;
}

function nameOf(group: number, { number, term, at }: ColdPiece): string {
  return `${group}/${number}-${term}/${at}`;
}
