/**
 * Reads one RaftSnapshot's file, and trusts nothing in it.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import type { DiskFile } from "../../io/mod.ts";
import { RaftSnapshotDamaged } from "./damaged.ts";
import {
  claimedMeta,
  decodeHeader,
  encodeFooter,
  FOOTER_BYTES,
  FORMAT_VERSION,
  FORMAT_VERSION_MIN,
  FRAME_BYTES_MAX,
  FRAME_HEAD_BYTES,
  frameHead,
  HEADER_BYTES,
  type SnapshotHeader,
} from "./format.ts";

/** Header and meta of an open file, and where its frames begin. */
export interface SnapshotBeginning extends SnapshotHeader {
  readonly meta: Uint8Array;
  readonly framesStart: number;
}

/** @throws RaftSnapshotDamaged */
export async function readBeginning(file: DiskFile, path: string): Promise<SnapshotBeginning> {
  const head = await readWhole(file, path, 0, HEADER_BYTES);
  const metaLength = claimedMeta(head);
  if (metaLength === undefined) throw new RaftSnapshotDamaged(path, 0, "no header");
  const bytes = await readWhole(file, path, 0, HEADER_BYTES + metaLength);
  const header = decodeHeader(bytes);
  if (header === undefined) throw new RaftSnapshotDamaged(path, 0, "the header is not whole");
  if (header.version < FORMAT_VERSION_MIN || header.version > FORMAT_VERSION) {
    const readable = `${FORMAT_VERSION_MIN} to ${FORMAT_VERSION}`;
    throw new Error(
      `${path}: has format version ${header.version}; this program reads ${readable}`,
    );
  }
  const { group, index, term } = header;
  return { group, index, term, meta: bytes.subarray(HEADER_BYTES), framesStart: bytes.length };
}

/**
 * The bytes as they were written, in pieces that the caller may keep. Only when it has ended
 * without an error is the snapshot known to be whole.
 * @throws RaftSnapshotDamaged
 */
export async function* readChunks(
  file: DiskFile,
  path: string,
  from: number,
): AsyncGenerator<Uint8Array> {
  let position = from;
  let total = 0;
  for (;;) {
    const head = frameHead(await readWhole(file, path, position, FRAME_HEAD_BYTES));
    if (head.isFooter) break;
    if (head.gap !== undefined && position === from) {
      position += FRAME_HEAD_BYTES + head.gap;
      continue;
    }
    if (head.length === 0 || head.length > FRAME_BYTES_MAX) {
      throw new RaftSnapshotDamaged(path, position, `a frame of ${head.length} bytes`);
    }
    const bytes = await readWhole(file, path, position + FRAME_HEAD_BYTES, head.length);
    if (crc32(bytes) !== head.sum) {
      throw new RaftSnapshotDamaged(path, position, "a frame's checksum is wrong");
    }
    position += FRAME_HEAD_BYTES + head.length;
    total += head.length;
    yield bytes;
  }
  const footer = await readWhole(file, path, position, FOOTER_BYTES);
  const expected = encodeFooter(total);
  if (!footer.every((byte, at) => byte === expected[at])) {
    throw new RaftSnapshotDamaged(path, position, `the footer does not say ${total} bytes`);
  }
}

async function readWhole(
  file: DiskFile,
  path: string,
  position: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const count = await file.read(bytes, position);
  if (count === length) return bytes;
  throw new RaftSnapshotDamaged(path, position + count, "the file ends too early");
}
