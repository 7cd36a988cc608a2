/**
 * Writes one RaftSnapshot's file.
 *
 * @module
 */

import type { DiskFile } from "../../io/mod.ts";
import {
  encodeFooter,
  encodeHeader,
  FRAME_BYTES_MAX,
  FRAME_HEAD_BYTES,
  putFrameHead,
  type SnapshotHeader,
} from "./format.ts";

/** Writes all of `chunks`, with no more memory than one frame; nothing is synced. Answers the file's length. */
export async function writeSnapshot(
  file: DiskFile,
  header: SnapshotHeader,
  meta: Uint8Array,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<number> {
  const head = encodeHeader(header, meta);
  await file.write(head, 0);
  let position = head.length;
  let total = 0;
  let filled = 0;
  const frame = new Uint8Array(FRAME_HEAD_BYTES + FRAME_BYTES_MAX);
  const end = async (): Promise<void> => {
    if (filled === 0) return;
    putFrameHead(frame, 0, filled);
    await file.write(frame.subarray(0, FRAME_HEAD_BYTES + filled), position);
    position += FRAME_HEAD_BYTES + filled;
    total += filled;
    filled = 0;
  };
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const piece = chunk.subarray(at, at + FRAME_BYTES_MAX - filled);
      frame.set(piece, FRAME_HEAD_BYTES + filled);
      filled += piece.length;
      at += piece.length;
      if (filled === FRAME_BYTES_MAX) await end();
    }
  }
  await end();
  const footer = encodeFooter(total);
  await file.write(footer, position);
  return position + footer.length;
}
