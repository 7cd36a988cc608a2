/**
 * Writes one RaftSnapshot's file.
 *
 * @module
 */

import type { DiskFile } from "../../io/mod.ts";
import {
  encodeFooter,
  encodeGapHead,
  encodeHeader,
  FRAME_BYTES_MAX,
  FRAME_HEAD_BYTES,
  putFrameHead,
  RECEIVED_FRAMES_START,
  type SnapshotHeader,
} from "./format.ts";

/** Bytes that go to the disk at a time: with many more the journal's next sync would wait behind them. */
const SYNC_STEP_BYTES = 1 << 20;

/** Packs bytes into frames, with no more memory than one frame. */
export class FrameWriter {
  #frame: Uint8Array | undefined = undefined;
  #filled = 0;
  #total = 0;
  #unsynced = 0;

  /** @param position where the first frame goes */
  constructor(readonly file: DiskFile, public position: number) {}

  /** Takes a copy of `chunk`, which must not change until that is done. */
  async append(chunk: Uint8Array): Promise<void> {
    const frame = this.#frame ??= new Uint8Array(FRAME_HEAD_BYTES + FRAME_BYTES_MAX);
    for (let at = 0; at < chunk.length;) {
      const piece = chunk.subarray(at, at + FRAME_BYTES_MAX - this.#filled);
      frame.set(piece, FRAME_HEAD_BYTES + this.#filled);
      this.#filled += piece.length;
      at += piece.length;
      if (this.#filled === FRAME_BYTES_MAX) await this.#write(frame);
    }
  }

  /** Writes the last frame and the footer; answers where the file ends. */
  async end(): Promise<number> {
    if (this.#frame !== undefined && this.#filled > 0) await this.#write(this.#frame);
    this.#frame = undefined;
    const footer = encodeFooter(this.#total);
    await this.file.write(footer, this.position);
    return this.position + footer.length;
  }

  async #write(frame: Uint8Array): Promise<void> {
    putFrameHead(frame, 0, this.#filled);
    await this.file.write(frame.subarray(0, FRAME_HEAD_BYTES + this.#filled), this.position);
    this.position += FRAME_HEAD_BYTES + this.#filled;
    this.#unsynced += this.#filled;
    if (this.#unsynced >= SYNC_STEP_BYTES) {
      await this.file.sync();
      this.#unsynced = 0;
    }
    this.#total += this.#filled;
    this.#filled = 0;
  }
}

/** Writes all of `chunks`; the last of it is not synced. Answers the file's length. */
export async function writeSnapshot(
  file: DiskFile,
  header: SnapshotHeader,
  meta: Uint8Array,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<number> {
  const head = encodeHeader(header, meta);
  await file.write(head, 0);
  const frames = new FrameWriter(file, head.length);
  for await (const chunk of chunks) await frames.append(chunk);
  return await frames.end();
}

/** Writes what goes before frames that begin at {@linkcode RECEIVED_FRAMES_START}. */
export async function writeReceivedBeginning(
  file: DiskFile,
  header: SnapshotHeader,
  meta: Uint8Array,
): Promise<void> {
  const head = encodeHeader(header, meta);
  const gap = encodeGapHead(RECEIVED_FRAMES_START - head.length - FRAME_HEAD_BYTES);
  const bytes = new Uint8Array(head.length + gap.length);
  bytes.set(head);
  bytes.set(gap, head.length);
  await file.write(bytes, 0);
}
