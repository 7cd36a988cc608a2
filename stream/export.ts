/**
 * Packing items into the pieces of an export.
 *
 * The pieces are one byte stream, cut anywhere: each item is its tag (1 byte), its length (4 bytes,
 * big-endian) and its content, CBOR for records.
 *
 * @module
 */

import { encodeCbor } from "./cbor_library.ts";
import { FrozenStreams } from "./frozen.ts";
import { type Item, pinnedItems, RecordKind, streamItems, tableItems } from "./items.ts";
import type { Tables } from "./tables.ts";

/** Size of a piece, in bytes; only a single larger record would exceed it. */
export const EXPORT_PIECE_BYTES = 256 * 1024;

/** Tags of items; part of the layout. */
export const TAG_RECORD = 1;
/** Raw bytes. */
export const TAG_RAW = 2;

/** Bytes before an item's content. */
export const ITEM_HEADER_BYTES = 5;

/** Fills pieces, and hands each out when it is full. */
class PieceWriter {
  #piece: Uint8Array;
  #used = 0;

  constructor(private readonly pieceBytes: number) {
    this.#piece = new Uint8Array(pieceBytes);
  }

  /** Adds an item; answers a piece that became full before it. */
  add(item: Item): Uint8Array | undefined {
    const raw = item instanceof Uint8Array;
    const content = raw ? item : encodeCbor(item);
    const needed = ITEM_HEADER_BYTES + content.length;
    let full: Uint8Array | undefined;
    if (this.#used > 0 && this.#used + needed > this.#piece.length) full = this.take();
    if (needed > this.#piece.length) this.#piece = new Uint8Array(needed);
    this.#piece[this.#used] = raw ? TAG_RAW : TAG_RECORD;
    writeUint32(this.#piece, this.#used + 1, content.length);
    this.#piece.set(content, this.#used + ITEM_HEADER_BYTES);
    this.#used += needed;
    return full;
  }

  /** What is left in the current piece. */
  take(): Uint8Array {
    const full = this.#piece.subarray(0, this.#used);
    this.#piece = new Uint8Array(this.pieceBytes);
    this.#used = 0;
    return full;
  }
}

/** See `GroupState.export`. */
export function* exportTables(
  tables: Tables,
  pieceBytes: number,
): Generator<Uint8Array, void, void> {
  const writer = new PieceWriter(pieceBytes);
  const streams = new FrozenStreams(tables);
  try {
    let items = 0;
    for (const item of allItems(tables, streams)) {
      const full = writer.add(item);
      items++;
      if (full !== undefined) yield full;
    }
    const full = writer.add([RecordKind.end, items]);
    if (full !== undefined) yield full;
    yield writer.take();
  } finally {
    streams.close();
  }
}

/** Pinned ranges and tables as they are at the first pull, then the streams. */
function* allItems(tables: Tables, streams: FrozenStreams): Generator<Item, void, void> {
  const pinned = [...tables.pinned.all()];
  yield* tableItems(tables);
  for (const range of pinned) yield* pinnedItems(range);
  for (const frozen of streams.take()) yield* streamItems(frozen);
}

function writeUint32(into: Uint8Array, at: number, value: number): void {
  into[at] = value >>> 24;
  into[at + 1] = value >>> 16;
  into[at + 2] = value >>> 8;
  into[at + 3] = value;
}
