/**
 * Sizes and bounds of the journal's files. All numbers in them are little-endian; everything
 * begins at a multiple of {@linkcode ALIGNMENT_BYTES}.
 *
 * A segment is: segment header, then writes. A write is: write header, then records without a gap.
 * The first write of a segment restates every group's hard state and snapshot mark, so that the
 * segments before it may go.
 *
 * @module
 */

/** Of all files of a journal; a reader refuses any other. */
export const FORMAT_VERSION = 1;

/** Every header and record begins at a multiple of this. */
export const ALIGNMENT_BYTES = 8;

/** Memory that records are built in and read into. Large, since each one costs the collector. */
export const SLAB_BYTES = 1 << 20;

/** Size of a segment unless said otherwise. */
export const SEGMENT_BYTES = 32 << 20;

/** The first segment of a new journal is smaller: a first start waits until it is zeroed. */
export const FIRST_SEGMENT_BYTES = 4 << 20;

/** Least that a segment may hold; below it headers would fill it. */
export const SEGMENT_BYTES_MIN = 16 << 10;

/** A new segment is zeroed in steps of this, so that the disk has time for appends between them. */
export const ZERO_STEP_BYTES = 1 << 20;

/** With `sync: false` the system is asked to write after this many bytes, and nobody waits. */
export const IDLE_SYNC_BYTES = 4 << 20;

/** As many segments may lie around before a lagging group's tail is copied forward. */
export const COPY_FORWARD_SEGMENTS_MIN = 4;

/** The oldest segment is copied only while at most 1 in this many of its bytes is alive. */
export const COPY_FORWARD_LIVE_DIVISOR = 2;

/** Live bytes are copied in steps of this; each waits until the one before is durable. */
export const COPY_FORWARD_STEP_BYTES = 256 << 10;

/** The next multiple of {@linkcode ALIGNMENT_BYTES} from `bytes` on. */
export function aligned(bytes: number): number {
  return (bytes + ALIGNMENT_BYTES - 1) & -ALIGNMENT_BYTES;
}

/** Writes a whole number below 2 ** 53 as 64 bits. */
export function putUint64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, (value / 0x1_0000_0000) >>> 0, true);
}

/** Reads what {@linkcode putUint64} wrote. */
export function getUint64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x1_0000_0000;
}
