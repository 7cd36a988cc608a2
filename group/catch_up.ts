import { RAFT_TIMING } from "./raft_timing.ts";

/** How far a replica has come since its start. */
export class CatchUp {
  #done = false;
  #asking = false;
  readonly #votesFromMs: number;

  /** @param startMs when the replica started */
  constructor(startMs: number) {
    this.#votesFromMs = startMs + RAFT_TIMING.electionTimeoutMs;
  }

  /** This replica has heard from a leader since its start, and has applied what it then learnt. */
  get done(): boolean {
    return this.#done;
  }

  /** It has applied all there is. */
  end(): void {
    this.#done = true;
  }

  /** Does it vote? At first it does not: a leader that it heard before its start may have a lease. */
  votes(nowMs: number): boolean {
    return nowMs >= this.#votesFromMs;
  }

  /**
   * Asks how far a leader has committed, to get there.
   *
   * @param confirm calls back once this replica has applied all that is committed now, with true, or
   * nobody says
   */
  ask(confirm: (done: (proven: boolean) => void) => void): void {
    if (this.#asking) return;
    this.#asking = true;
    confirm((proven) => {
      this.#asking = false;
      this.#done ||= proven;
    });
  }
}
