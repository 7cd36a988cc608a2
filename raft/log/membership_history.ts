import { invariant } from "../invariant.ts";
import { isVoter } from "../membership.ts";
import type { MemberId, Membership } from "../types.ts";

interface Point {
  readonly index: number;
  readonly membership: Membership;
}

/**
 * Which membership holds from which index on. A member always acts on the newest one in its log,
 * committed or not (paper §6), so a truncated log must find back to the one before.
 */
export class MembershipHistory {
  /** Ascending; the first is the base and never goes by truncation. */
  #points: Point[];

  constructor(index: number, membership: Membership) {
    this.#points = [{ index, membership }];
  }

  #last(): Point {
    const last = this.#points[this.#points.length - 1];
    invariant(last !== undefined, "a membership history has a base");
    return last;
  }

  /** The membership to act on. */
  get latest(): Membership {
    return this.#last().membership;
  }

  /** Index from which {@linkcode latest} holds. */
  get latestIndex(): number {
    return this.#last().index;
  }

  /** The membership as of `index`, which is the base's or a later one. */
  at(index: number): Membership {
    for (let i = this.#points.length - 1; i > 0; i--) {
      const point = this.#points[i];
      if (point !== undefined && point.index <= index) return point.membership;
    }
    const base = this.#points[0];
    invariant(base !== undefined && base.index <= index, "membership asked above the base");
    return base.membership;
  }

  /** Does `id` vote in any membership that held at `index` or later? */
  votedSince(index: number, id: MemberId): boolean {
    for (let i = this.#points.length - 1; i >= 0; i--) {
      const point = this.#points[i];
      if (point === undefined) break;
      if (isVoter(point.membership, id)) return true;
      if (point.index <= index) break;
    }
    return false;
  }

  /** An entry at `index` brings a new one. */
  push(index: number, membership: Membership): void {
    this.#points.push({ index, membership });
  }

  /** Entries from `index` on are gone. */
  truncate(index: number): void {
    while (this.#points.length > 1 && this.#last().index >= index) this.#points.pop();
  }

  /** A RaftSnapshot covers everything up to `index`: nobody asks below it again. */
  compact(index: number): void {
    let base = 0;
    for (let i = 0; i < this.#points.length; i++) {
      if ((this.#points[i]?.index ?? Infinity) <= index) base = i;
    }
    if (base > 0) this.#points.splice(0, base);
  }

  /** Starts anew from a RaftSnapshot. */
  restore(index: number, membership: Membership): void {
    this.#points = [{ index, membership }];
  }
}
