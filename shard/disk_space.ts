import type { Clock, Disk, Timer } from "../io/mod.ts";
import type { LogLine } from "./log_line.ts";

/** With less free, writes are refused (SPEC section 8). */
export const FREE_BYTES_MIN = 512 * 1024 * 1024;
/** With so much free again, they are taken. */
const FREE_BYTES_ENOUGH = 1024 * 1024 * 1024;
const LOOK_MS = 1_000;

/** How much room the disk has left. */
export interface DiskRoom {
  /** As seen last, in bytes; undefined before that. */
  readonly freeBytes: number | undefined;
  /** So little that what would add bytes is refused. */
  readonly low: boolean;
}

/** Watches how much room the disk has left. */
export class DiskSpace implements DiskRoom {
  freeBytes: number | undefined;
  low = false;
  readonly #io: { readonly clock: Clock; readonly disk: Disk };
  readonly #path: string;
  readonly #log: LogLine;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(
    io: { readonly clock: Clock; readonly disk: Disk },
    path: string,
    log: LogLine,
  ) {
    this.#io = io;
    this.#path = path;
    this.#log = log;
    this.#look();
  }

  /** Looks no more. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #look(): void {
    this.#io.disk.freeBytes(this.#path).then((free) => this.#judge(free), () => {}).finally(() => {
      if (this.#stopped) return;
      this.#timer = this.#io.clock.setTimer(LOOK_MS, () => this.#look());
    });
  }

  #judge(free: number): void {
    const low = this.low ? free < FREE_BYTES_ENOUGH : free < FREE_BYTES_MIN;
    if (this.#stopped) return;
    this.freeBytes = free;
    if (low === this.low) return;
    this.low = low;
    this.#log(
      low
        ? `disk almost full: ${free} bytes left; until there are ${FREE_BYTES_ENOUGH}, this node ` +
          "refuses writes where it leads and acknowledges none where it follows"
        : `disk has room again: ${free} bytes left, writes are taken`,
      low ? "warn" : "info",
    );
  }
}
