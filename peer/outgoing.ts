import type { Clock, Connection } from "../io/mod.ts";
import {
  BULK_QUEUED_BYTES_MAX,
  CONTROL_QUEUED_BYTES_MAX,
  FRAME_BYTES_MAX,
  MESSAGE_BYTES_MAX,
} from "./bounds.ts";
import {
  BEGIN_LENGTH_BYTES,
  BEGINS,
  CONTINUED,
  FRAME_HEADER_BYTES,
  WHOLE_FRAME_BYTES_MAX,
  writeFrameHeader,
  writeU32,
} from "./frames.ts";
import type { PeerLane } from "./types.ts";
import { Window } from "./window.ts";

/** Blocks that are kept for reuse: one of each lane is filled while one is written. */
const SPARE_BLOCKS_MAX = 3;
/** Answer of {@linkcode Outgoing.queue} when it took nothing. */
export const NOT_QUEUED = -1;

/** Whole frames that leave in one write. */
interface Block {
  readonly bytes: Uint8Array;
  length: number;
  /** Counts the blocks of its lane. */
  order: number;
}

/** Frames of one lane that wait. */
interface Lane {
  readonly queuedBytesMax: number;
  blocks: Block[];
  /** In the blocks, those being written included. */
  queuedBytes: number;
  nextOrder: number;
  /** Of the last block that was handed to the connection, the largest there was. */
  handedOrder: number;
}

/**
 * What goes out on one connection: two lanes of frames, copied into blocks at once and written one
 * block at a time, when the turn that queued them ends.
 */
export class Outgoing {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #onBroken: (reason: unknown) => void;
  readonly #control = newLane(CONTROL_QUEUED_BYTES_MAX);
  readonly #bulk = newLane(BULK_QUEUED_BYTES_MAX);
  readonly #spare: Block[] = [];
  readonly #window: Window;
  #writing: Block | undefined;
  /** Bytes of each lane in the block that is being written. */
  #writingControl = 0;
  #writingBulk = 0;
  #scheduled = false;
  #closed = false;
  #drained: (() => void) | undefined;
  /** Has anything been handed to the connection since somebody last cleared this? */
  hasWritten = false;

  /** @param onBroken a write failed; called once */
  constructor(connection: Connection, clock: Clock, onBroken: (reason: unknown) => void) {
    this.#connection = connection;
    this.#clock = clock;
    this.#onBroken = onBroken;
    this.#window = new Window(clock);
  }

  /** Does nothing wait, and is nothing being written? */
  get isIdle(): boolean {
    return this.#writing === undefined && this.#control.queuedBytes === 0 &&
      this.#bulk.queuedBytes === 0;
  }

  /** Has any part of the bulk block of that order been handed to the connection? */
  wasHanded(order: number): boolean {
    return order <= this.#bulk.handedOrder;
  }

  /**
   * Copies a message into a lane. Longer ones than a frame go into the bulk lane, whatever was asked.
   * @param parts at most 52 MiB in all
   * @returns the order of the block where it begins, or {@linkcode NOT_QUEUED}: too much waits
   */
  queue(
    lane: PeerLane,
    type: number,
    kind: number,
    call: number,
    parts: readonly Uint8Array[],
  ): number {
    let size = 0;
    for (let i = 0; i < parts.length; i++) size += (parts[i] as Uint8Array).length;
    if (this.#closed || size > MESSAGE_BYTES_MAX) return NOT_QUEUED;
    const to = lane === "control" && size <= FRAME_BYTES_MAX ? this.#control : this.#bulk;
    if (to.queuedBytes + size + FRAME_HEADER_BYTES > to.queuedBytesMax) return NOT_QUEUED;
    const order = size <= FRAME_BYTES_MAX
      ? this.#putWhole(to, size, type, kind, call, parts)
      : this.#putCut(size, type, kind, call, parts);
    this.#schedule();
    return order;
  }

  /** The other end has read so many more bytes; false where that is more than it was sent. */
  report(bytes: number): boolean {
    if (!this.#window.report(bytes)) return false;
    if (this.#bulk.queuedBytes > 0) this.#schedule();
    return true;
  }

  /** Resolves when nothing waits any more, or the connection is over. */
  drained(): Promise<void> {
    if (this.#closed || this.isIdle) return Promise.resolve();
    return new Promise((resolve) => this.#drained = resolve);
  }

  /** Forgets what waits; nothing more is written. */
  close(): void {
    this.#closed = true;
    this.#control.blocks = [];
    this.#bulk.blocks = [];
    this.#spare.length = 0;
    this.#drained?.();
  }

  #putWhole(
    lane: Lane,
    size: number,
    type: number,
    kind: number,
    call: number,
    parts: readonly Uint8Array[],
  ): number {
    const block = this.#blockWithRoom(lane, FRAME_HEADER_BYTES + size);
    const { bytes } = block;
    let at = writeFrameHeader(bytes, block.length, size, type, kind, call);
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i] as Uint8Array;
      bytes.set(part, at);
      at += part.length;
    }
    lane.queuedBytes += at - block.length;
    block.length = at;
    return block.order;
  }

  #putCut(
    size: number,
    type: number,
    kind: number,
    call: number,
    parts: readonly Uint8Array[],
  ): number {
    const lane = this.#bulk;
    let [part, from, left, firstOrder] = [0, 0, size, NOT_QUEUED];
    while (left > 0) {
      const isFirst = firstOrder === NOT_QUEUED;
      const lead = isFirst ? BEGIN_LENGTH_BYTES : 0;
      const piece = Math.min(left, FRAME_BYTES_MAX - lead);
      const block = this.#blockWithRoom(lane, FRAME_HEADER_BYTES + lead + piece);
      const frameType = isFirst ? type | BEGINS : CONTINUED;
      let at = writeFrameHeader(block.bytes, block.length, lead + piece, frameType, kind, call);
      if (isFirst) {
        writeU32(block.bytes, at, size);
        at += lead;
        firstOrder = block.order;
      }
      for (const end = at + piece; at < end;) {
        const source = parts[part] as Uint8Array;
        const count = Math.min(end - at, source.length - from);
        block.bytes.set(source.subarray(from, from + count), at);
        at += count;
        from += count;
        if (from === source.length) [part, from] = [part + 1, 0];
      }
      lane.queuedBytes += at - block.length;
      block.length = at;
      left -= piece;
    }
    return firstOrder;
  }

  #blockWithRoom(lane: Lane, size: number): Block {
    const last = lane.blocks[lane.blocks.length - 1];
    if (last !== undefined && last.length + size <= WHOLE_FRAME_BYTES_MAX) return last;
    const block = this.#spare.pop() ??
      { bytes: new Uint8Array(WHOLE_FRAME_BYTES_MAX), length: 0, order: 0 };
    block.length = 0;
    block.order = lane.nextOrder++;
    lane.blocks.push(block);
    return block;
  }

  #schedule(): void {
    if (this.#scheduled || this.#writing !== undefined) return;
    this.#scheduled = true;
    this.#clock.deferLast(this.#flush);
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    if (!this.#closed && this.#writing === undefined) this.#writeNext();
  };

  #writeNext(): void {
    const control = this.#take(this.#control);
    let block = control;
    this.#writingControl = control?.length ?? 0;
    this.#writingBulk = 0;
    const bulk = this.#bulk.blocks[0];
    if (bulk !== undefined && this.#fits(bulk, control)) {
      this.#take(this.#bulk);
      this.#writingBulk = bulk.length;
      if (control === undefined) {
        block = bulk;
      } else {
        control.bytes.set(bulk.bytes.subarray(0, bulk.length), control.length);
        control.length += bulk.length;
        this.#recycle(bulk);
      }
    }
    if (block === undefined) return this.isIdle ? this.#drained?.() : undefined;
    this.#writing = block;
    this.hasWritten = true;
    this.#window.hand(block.length);
    this.#connection.write(block.bytes.subarray(0, block.length)).then(this.#written, this.#failed);
  }

  #fits(bulk: Block, control: Block | undefined): boolean {
    if (control !== undefined && control.length + bulk.length > WHOLE_FRAME_BYTES_MAX) return false;
    return this.#window.takes(bulk.length);
  }

  #take(lane: Lane): Block | undefined {
    const block = lane.blocks.shift();
    if (block !== undefined) lane.handedOrder = block.order;
    return block;
  }

  readonly #written = (): void => {
    if (this.#closed) return;
    this.#control.queuedBytes -= this.#writingControl;
    this.#bulk.queuedBytes -= this.#writingBulk;
    if (this.#writing !== undefined) this.#recycle(this.#writing);
    this.#writing = undefined;
    if (!this.#scheduled) this.#writeNext();
  };

  readonly #failed = (reason: unknown): void => {
    if (!this.#closed) this.#onBroken(reason);
  };

  #recycle(block: Block): void {
    if (this.#spare.length < SPARE_BLOCKS_MAX) this.#spare.push(block);
  }
}

function newLane(queuedBytesMax: number): Lane {
  return { queuedBytesMax, blocks: [], queuedBytes: 0, nextOrder: 0, handedOrder: -1 };
}
