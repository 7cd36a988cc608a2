import type { Machine } from "./machine.ts";

/** A progress line comes up once something has taken so long. */
const PROGRESS_AFTER_MS = 1_000;
/** And changes no more often than so. */
const PROGRESS_EVERY_MS = 100;

const encoder = new TextEncoder();

/** How text may stand out. */
export type Colour = "red" | "green" | "yellow" | "dim" | "bold";

const CODES: Readonly<Record<Colour, number>> = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 };

/** Where a verb says what it found, in text or JSON, and how far it is. */
export class Screen {
  /** Print JSON. */
  readonly json: boolean;
  readonly #machine: Machine;
  readonly #coloured: boolean;
  readonly #startedMs = performance.now();
  #progressMs = -Infinity;
  #progressShown = false;
  /** Lines come out one after the other, whoever writes them. */
  #writing: Promise<void> = Promise.resolve();

  constructor(machine: Machine, json: boolean) {
    this.#machine = machine;
    this.json = json;
    const { NO_COLOR } = { NO_COLOR: machine.env("NO_COLOR") };
    const without = NO_COLOR !== undefined && NO_COLOR !== "";
    this.#coloured = machine.stdout.isTerminal && !without && machine.env("TERM") !== "dumb";
  }

  /** The text in this colour, where a terminal shows it. */
  paint(colour: Colour, text: string): string {
    return this.#coloured ? `\x1b[${CODES[colour]}m${text}\x1b[0m` : text;
  }

  /** A line of the result, unless JSON is asked for. */
  async line(text: string): Promise<void> {
    if (!this.json) await this.#print(text + "\n");
  }

  /** The result, or a line of it, if JSON is asked for. */
  async result(value: unknown): Promise<void> {
    if (this.json) await this.#print(JSON.stringify(value) + "\n");
  }

  /** How far it is: one line that is overwritten, on a terminal alone, after a second. */
  progress(text: string): void {
    const { stderr } = this.#machine;
    const nowMs = performance.now();
    if (!stderr.isTerminal || nowMs - this.#startedMs < PROGRESS_AFTER_MS) return;
    if (nowMs - this.#progressMs < PROGRESS_EVERY_MS) return;
    this.#progressMs = nowMs;
    this.#progressShown = true;
    this.#write(`\r\x1b[K${text.slice(0, Math.max(1, stderr.columns - 1))}`);
  }

  /** Takes the progress line away, and lets everything out. */
  async settle(): Promise<void> {
    if (this.#progressShown) this.#write("\r\x1b[K");
    this.#progressShown = false;
    await this.#writing;
  }

  /** A line for the person, on standard error. */
  async note(text: string): Promise<void> {
    await this.settle();
    this.#write(text + "\n");
    await this.#writing;
  }

  async #print(text: string): Promise<void> {
    await this.settle();
    await this.#machine.stdout.write(encoder.encode(text));
  }

  #write(text: string): void {
    const write = () => this.#machine.stderr.write(encoder.encode(text));
    // Nobody looks at it: that is no reason to stop half-way.
    this.#writing = this.#writing.then(write).catch(() => {});
  }
}

/** Columns side by side; those whose head begins with a space stand to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, at) => Math.max(...all.map((row) => (row[at] ?? "").trim().length)));
  return all.map((row) =>
    row.map((cell, at) => {
      const width = widths[at] ?? 0;
      return head[at]?.startsWith(" ") ? cell.trim().padStart(width) : cell.trim().padEnd(width);
    }).join("  ").trimEnd()
  );
}

/** `1 group`, `2 groups`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** A duration for a person: `850 ms`, `12.3 s`, `5 m 7 s`, `3 h 20 m`, `4 d 2 h`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (hours === 0) return `${minutes} m ${seconds % 60} s`;
  if (hours < 24) return `${hours} h ${minutes % 60} m`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Numbers in a row, at most some of them. */
export function listed(numbers: readonly number[], most = 8): string {
  const shown = numbers.slice(0, most).join(", ");
  return numbers.length > most ? `${shown} and ${numbers.length - most} more` : shown;
}
