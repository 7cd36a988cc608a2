import {
  bodyOf,
  type Command,
  decode,
  headerLength,
  type Slice,
  writeHeader,
} from "../stream/mod.ts";
import type { RecordLog, RecordSpace } from "../storage/types.ts";

/** A stamp that was not read yet; real ones are not negative. */
const UNKNOWN = -1;

/**
 * What a log entry carries: encoded bytes inside a slab and, from when it was proposed here or first
 * decoded until it is applied, the command itself. Hot bytes of the streams are views of the same slab.
 */
export class CommandPayload {
  #space: RecordSpace;
  #command: Command | undefined;
  #stampMs: number;
  /** The bytes are part of this node's log already, and not of the message that brought them. */
  #placed = true;

  constructor(space: RecordSpace, command?: Command, stampMs = UNKNOWN) {
    this.#space = space;
    this.#command = command;
    this.#stampMs = stampMs;
  }

  /** A payload that came from another replica. */
  static received(space: RecordSpace): CommandPayload {
    const payload = new CommandPayload(space);
    payload.#placed = false;
    return payload;
  }

  /** Where the encoded bytes lie. */
  get space(): RecordSpace {
    return this.#space;
  }

  /** Copies the bytes into the log's current batch, unless they lie there; answers the space to seal. */
  place(log: RecordLog): RecordSpace | undefined {
    if (this.#placed) return undefined;
    const { slab, start, end } = this.#space;
    const space = log.reserve(end - start);
    space.slab.bytes.set(slab.bytes.subarray(start, end), space.start);
    this.#space = space;
    this.#placed = true;
    return space;
  }

  /** Encoded size in bytes. */
  get length(): number {
    return this.#space.end - this.#space.start;
  }

  /** The command, decoded on first use. Throws where the bytes are of a version not known here. */
  get command(): Command {
    if (this.#command === undefined) this.#decode();
    return this.#command as Command;
  }

  /** Group time at which the leader proposed it, in ms. */
  get stampMs(): number {
    if (this.#stampMs === UNKNOWN) this.#decode();
    return this.#stampMs;
  }

  /** The command is applied: the log may keep the bytes for long, and nobody asks for more. */
  forgetCommand(): void {
    this.#command = undefined;
  }

  #decode(): void {
    const { command, stampMs } = decode(this.#space.slab, this.#space.start, this.#space.end);
    this.#command = command;
    this.#stampMs = stampMs;
  }
}

/**
 * Encodes a command into the log's current batch. A body's bytes are copied once, from where the
 * request left them into the slab.
 */
export function placeCommand(log: RecordLog, command: Command, stampMs: number): RecordSpace {
  const length = headerLength(command, stampMs);
  const data = bodyOf(command)?.data;
  const space = log.reserve(length + (data === undefined ? 0 : data.end - data.start));
  const { bytes } = space.slab;
  writeHeader(command, stampMs, bytes, space.start);
  if (data === undefined) return space;
  const { slab, start, end } = data;
  const isWhole = start === 0 && end === slab.bytes.length;
  bytes.set(isWhole ? slab.bytes : slab.bytes.subarray(start, end), space.start + length);
  return space;
}

/** Points the body of a command that is in the log at its copy there. */
export function adoptBody(command: Command, space: RecordSpace): void {
  const body = bodyOf(command);
  if (body === undefined) return;
  const { start, end } = body.data;
  (body as { data: Slice }).data = {
    slab: space.slab,
    start: space.end - (end - start),
    end: space.end,
  };
}
