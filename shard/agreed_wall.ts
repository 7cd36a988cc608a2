import type { Clock, LogLine } from "../io/mod.ts";
import type { Peers } from "./peers.ts";

/** Wall clocks of nodes that agree lie no further apart (SPEC section 3, TTL). */
const WALL_OFFSET_MS_MAX = 1_000;
/** A clock that is off is complained of so often. */
const TELL_MS = 60_000;

/** What a majority of the cluster's wall clocks says; this node's own, if it is one of them. */
export class AgreedWall {
  readonly #clock: Clock;
  readonly #peers: Peers;
  readonly #others: readonly number[];
  readonly #log: LogLine;
  #toldMs = -Infinity;

  /** @param others the ids of all other nodes of the cluster */
  constructor(
    clock: Clock,
    peers: Peers,
    others: readonly number[],
    log: LogLine,
  ) {
    this.#clock = clock;
    this.#peers = peers;
    this.#others = others;
    this.#log = log;
  }

  /** In ms since the Unix epoch; undefined where too few are connected, or agree. */
  nowMs(): number | undefined {
    // How far each clock is ahead of this node's, this one's included.
    const offsets = [0];
    for (const nodeId of this.#others) {
      const offsetMs = this.#peers.peer(nodeId)?.wallOffsetMs;
      if (offsetMs !== undefined) offsets.push(offsetMs);
    }
    const majority = Math.floor((this.#others.length + 1) / 2) + 1;
    if (offsets.length < majority) return undefined;
    const agreeing = offsets.filter((offsetMs) => Math.abs(offsetMs) <= WALL_OFFSET_MS_MAX);
    if (agreeing.length >= majority) return this.#clock.wallMs();
    this.#tell();
    const agreedMs = earliestOfMost(offsets, majority);
    return agreedMs === undefined ? undefined : this.#clock.wallMs() + agreedMs;
  }

  #tell(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#toldMs < TELL_MS) return;
    this.#toldMs = nowMs;
    const bound = `${WALL_OFFSET_MS_MAX / 1_000} s`;
    this.#log(`the wall clock is more than ${bound} off those of most nodes`, "warn");
  }
}

/** The earliest of `count` clocks that agree with each other. */
function earliestOfMost(offsets: number[], count: number): number | undefined {
  offsets.sort((a, b) => a - b);
  return offsets.find((first, at) => {
    const last = offsets[at + count - 1];
    return last !== undefined && last - first <= WALL_OFFSET_MS_MAX;
  });
}
