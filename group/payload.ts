import type { Command, Slab } from "../stream/types.ts";
import { decode, encodeHeader } from "../stream/mod.ts";
import type { RecordLog, RecordSpace } from "../storage/types.ts";

/**
 * What a log entry carries: encoded bytes inside a slab and, on the replica that proposed it or has
 * decoded it once, the command itself. Hot bytes of the streams are views of the same slab.
 */
export class CommandPayload {
  readonly space: RecordSpace;
  #command: Command | undefined;
  #stampMs: number;

  constructor(space: RecordSpace, command?: Command, stampMs = 0) {
    this.space = space;
    this.#command = command;
    this.#stampMs = stampMs;
  }

  /** Encoded size in bytes. */
  get length(): number {
    return this.space.end - this.space.start;
  }

  /** The command, decoded on first use. Throws where the bytes are of a version not known here. */
  get command(): Command {
    if (this.#command === undefined) this.#decode();
    return this.#command as Command;
  }

  /** Group time at which the leader proposed it, in ms. */
  get stampMs(): number {
    if (this.#command === undefined) this.#decode();
    return this.#stampMs;
  }

  #decode(): void {
    const { command, stampMs } = decode(this.space.slab, this.space.start, this.space.end);
    this.#command = command;
    this.#stampMs = stampMs;
  }
}

/** Bytes in front of the encoded header that give its length. */
const HEADER_LENGTH_BYTES = 2;

/**
 * Encodes a command into the log's current batch. The body's bytes are copied once, from where the
 * request left them into the slab, and the command's body is pointed at the copy.
 *
 * @param keepCommand false makes the proposer, too, decode what it encoded (the simulator does)
 */
export function placeCommand(
  log: RecordLog,
  command: Command,
  stampMs: number,
  keepCommand: boolean,
): CommandPayload {
  const header = encodeHeader(command, stampMs);
  const body = command.type === "append" || command.type === "create" ? command.body : undefined;
  const bodyBytes = body === undefined ? 0 : body.data.end - body.data.start;
  const space = log.reserve(HEADER_LENGTH_BYTES + header.length + bodyBytes);
  const bytes = space.slab.bytes;
  let at = space.start;
  bytes[at++] = header.length >>> 8;
  bytes[at++] = header.length & 0xff;
  bytes.set(header, at);
  at += header.length;
  if (body !== undefined) {
    const { slab, start, end } = body.data;
    bytes.set(
      start === 0 && end === slab.bytes.length ? slab.bytes : slab.bytes.subarray(start, end),
      at,
    );
    (body as { data: { slab: Slab; start: number; end: number } }).data = {
      slab: space.slab,
      start: at,
      end: at + bodyBytes,
    };
  }
  return keepCommand ? new CommandPayload(space, command, stampMs) : new CommandPayload(space);
}
