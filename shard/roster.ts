/** A member's place on a {@linkcode Roster}. */
export interface Seat<T> {
  readonly member: T;
  /** Its index there; -1 once it has left. */
  at: number;
}

/**
 * Members that come and go all the time, in no order. A `Set` of them would grow tables anew and leave
 * old ones behind that still name whoever was there; such a table, once it has become old itself,
 * keeps all of them alive until the whole heap is collected.
 */
export class Roster<T> {
  readonly #seats: Seat<T>[] = [];

  /** How many there are. */
  get size(): number {
    return this.#seats.length;
  }

  /** Takes a member in. */
  add(member: T): Seat<T> {
    const seat = { member, at: this.#seats.length };
    this.#seats.push(seat);
    return seat;
  }

  /** Lets a member go; false where it had gone before. */
  remove(seat: Seat<T>): boolean {
    const { at } = seat;
    if (at < 0) return false;
    seat.at = -1;
    const last = this.#seats.pop() as Seat<T>;
    if (last !== seat) {
      this.#seats[at] = last;
      last.at = at;
    }
    return true;
  }

  /** Who is there now; each may have left by the time it is looked at. */
  seats(): Seat<T>[] {
    return this.#seats.slice();
  }

  /** Calls `visit` for who is there now, unless it leaves before its turn. */
  forEach(visit: (member: T) => void): void {
    for (const seat of this.seats()) if (seat.at >= 0) visit(seat.member);
  }
}
