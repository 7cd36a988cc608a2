import type { Clock, Disk, Timer } from "../io/mod.ts";

/** With less free, writes are refused (SPEC section 8). */
const FREE_BYTES_MIN = 512 * 1024 * 1024;
/** With so much free again, they are taken. */
const FREE_BYTES_ENOUGH = 1024 * 1024 * 1024;
const LOOK_MS = 1_000;

/** Watches how much room the disk has left. */
export class DiskSpace {
  readonly #io: { readonly clock: Clock; readonly disk: Disk };
  readonly #path: string;
  readonly #onChange: (low: boolean) => void;
  readonly #log: (line: string) => void;
  #low = false;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(
    io: { readonly clock: Clock; readonly disk: Disk },
    path: string,
    onChange: (low: boolean) => void,
    log: (line: string) => void,
  ) {
    this.#io = io;
    this.#path = path;
    this.#onChange = onChange;
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
    const low = this.#low ? free < FREE_BYTES_ENOUGH : free < FREE_BYTES_MIN;
    if (low === this.#low || this.#stopped) return;
    this.#low = low;
    this.#log(
      low
        ? `disk almost full: ${free} bytes left, writes are refused until there are ${FREE_BYTES_ENOUGH}`
        : `disk has room again: ${free} bytes left, writes are taken`,
    );
    this.#onChange(low);
  }
}
