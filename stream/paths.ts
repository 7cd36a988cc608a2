/**
 * Forks that live in another group than their path (SPEC section 7).
 *
 * A fork is made in three steps: reserve the path in its home group, create the fork in its
 * source's group, link the path to it. The home group's side is the table of paths here; the other
 * side keeps, for a fork that ended, the errand to have its link dropped. A crash between any two
 * steps is finished from {@linkcode Paths.reservations} and {@linkcode Paths.errands}.
 *
 * @module
 */

import type { StreamKey } from "./types.ts";

/** A path of this group whose stream is, or is about to be, elsewhere. */
export interface PathEntry {
  readonly key: StreamKey;
  /** Group where the fork lives. */
  readonly target: number;
  readonly token: number;
  /** Group time of the target, in ms, after which it creates the fork no more. */
  readonly deadlineMs: number;
  /** False while the fork is still being made. */
  readonly linked: boolean;
}

/** A fork of this group has ended; its home group shall drop the link. */
export interface UnlinkErrand {
  readonly key: StreamKey;
  readonly home: number;
  readonly token: number;
}

/** Both tables of one group. */
export class Paths {
  readonly #entries = new Map<StreamKey, PathEntry>();
  readonly #errands = new Map<string, UnlinkErrand>();

  /** The entry of a path, reserved or linked. */
  get(key: StreamKey): PathEntry | undefined {
    return this.#entries.get(key);
  }

  /** Takes over an entry; its path has none. */
  add(entry: PathEntry): void {
    this.#entries.set(entry.key, entry);
  }

  /** Marks the reservation with this token as linked; harmless when it is gone. */
  link(key: StreamKey, token: number): void {
    const entry = this.#entries.get(key);
    if (entry?.token === token) this.#entries.set(key, { ...entry, linked: true });
  }

  /** Drops the entry with this token; harmless when it is gone. */
  unlink(key: StreamKey, token: number): void {
    if (this.#entries.get(key)?.token === token) this.#entries.delete(key);
  }

  /** Remembers to have a link dropped. */
  addErrand(errand: UnlinkErrand): void {
    this.#errands.set(errandId(errand.key, errand.token), errand);
  }

  /** Is the fork with this token known to have ended? */
  hasErrand(key: StreamKey, token: number): boolean {
    return this.#errands.has(errandId(key, token));
  }

  /** The link is dropped; harmless when that is known. */
  forgetErrand(key: StreamKey, token: number): void {
    this.#errands.delete(errandId(key, token));
  }

  /** All entries, in the order in which they were reserved. */
  entries(): Iterable<PathEntry> {
    return this.#entries.values();
  }

  /** Reservations whose deadline has passed and that nobody linked or dropped. */
  reservations(nowMs: number): PathEntry[] {
    const found: PathEntry[] = [];
    for (const entry of this.#entries.values()) {
      if (!entry.linked && entry.deadlineMs < nowMs) found.push(entry);
    }
    return found;
  }

  /** Links that shall be dropped, oldest first. */
  errands(): UnlinkErrand[] {
    return [...this.#errands.values()];
  }
}

function errandId(key: StreamKey, token: number): string {
  return `${token} ${key}`;
}
