import { RAFT_TIMING } from "./raft_timing.ts";

/** Live reads end on a replica that has heard no leader for longer (SPEC section 8). */
const DEAF_MS = 2 * RAFT_TIMING.electionTimeoutMs;

/** Whether a replica may go on telling live readers what it knows. */
export class Hearing {
  /** There is room for entries. */
  hasRoom = true;
  /** When this replica, without room, asked last whether it lacks anything; and whether it waits. */
  #askedMs = 0;
  #asking = false;

  /**
   * Have others moved on, for all that this replica knows?
   *
   * @param silentMs since when no leader was heard from
   * @param ask calls back once this replica has applied all that is committed now, or nobody says
   */
  isLost(nowMs: number, silentMs: number, ask: (answered: () => void) => void): boolean {
    return silentMs > DEAF_MS || this.#lacks(nowMs, ask);
  }

  /**
   * Readers of a replica that takes nothing in hear nothing, though it hears its leader: where it has
   * no room it asks again and again whether it has applied all there is.
   */
  #lacks(nowMs: number, ask: (answered: () => void) => void): boolean {
    if (this.#asking) return nowMs - this.#askedMs > DEAF_MS;
    if (this.hasRoom || nowMs - this.#askedMs < DEAF_MS / 2) return false;
    this.#asking = true;
    this.#askedMs = nowMs;
    ask(() => this.#asking = false);
    return false;
  }
}
