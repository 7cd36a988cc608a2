import type { Command } from "../stream/mod.ts";
import type { LogLine } from "./log_line.ts";

/**
 * Replicas take in what leaders still decide, up to so much more: were the bound one and the same for
 * all, then at the bound no majority would take in what frees bytes either.
 */
const RESERVE = 1 / 4;
/** Below this part of the bound it is worth a line that there is room again. */
const ROOM_AGAIN = 7 / 8;

/** Bytes of streams in a shard's memory, and their bound (SPEC section 8). */
export class HotBytes {
  readonly bytesMax: number;
  /** As seen last. */
  bytes = 0;
  /** How often something was refused because of the bound. */
  refused = 0;
  readonly #log: LogLine;
  #complained = false;

  constructor(bytesMax: number, log: LogLine) {
    this.bytesMax = bytesMax;
    this.#log = log;
  }

  /** What would add bytes is refused where this node leads. */
  get overloaded(): boolean {
    return this.bytes > this.bytesMax;
  }

  /** Nothing is taken in where this node follows. */
  get full(): boolean {
    return this.bytes > this.bytesMax * (1 + RESERVE);
  }

  /** Takes down how many there are now. */
  observe(bytes: number): void {
    this.bytes = bytes;
    if (this.#complained ? bytes > this.bytesMax * ROOM_AGAIN : bytes <= this.bytesMax) return;
    this.#complained = !this.#complained;
    this.#log(
      this.#complained
        ? `memory almost full: ${bytes} bytes of streams, writes are refused above ${this.bytesMax}`
        : `memory has room again: ${bytes} bytes of streams, writes are taken`,
      this.#complained ? "warn" : "info",
    );
  }
}

/** Would the command add bytes to a group's streams? */
export function addsBytes(command: Command): boolean {
  switch (command.type) {
    case "create":
      return true;
    case "append":
    case "stage":
      return command.body !== undefined;
    default:
      return false;
  }
}
