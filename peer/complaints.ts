import type { LogLine } from "../io/mod.ts";
/** Tells the operator what is wrong with whom: once for each reason, until it is right again. */
export class Complaints {
  readonly #log: LogLine;
  readonly #told = new Map<string, Set<string>>();

  constructor(log: LogLine) {
    this.#log = log;
  }

  /**
   * Says that `who` does something, unless that was said before.
   * @param kind one of a few: what a stranger sends is no part of it, or it could fill the memory
   */
  about(who: string, kind: string, line: string): void {
    let told = this.#told.get(who);
    if (told === undefined) this.#told.set(who, told = new Set());
    if (told.has(kind)) return;
    told.add(kind);
    this.#log(line, "warn");
  }

  /** All is well with `who`. */
  settle(who: string): void {
    this.#told.delete(who);
  }
}
