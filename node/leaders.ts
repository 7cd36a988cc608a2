import type { MemberId } from "../raft/mod.ts";
import { nodeOf } from "../storage/member.ts";

/** No node is known to lead. */
export const NOBODY = -1;

/** How long a leader that was heard of is asked at once, without asking this node's replica first. */
const FRESH_MS = 500;

/** The node that a hint names; {@linkcode NOBODY} where it names none. */
export function hintedNode(leader: MemberId | undefined): number {
  const node = nodeOf(leader ?? "");
  return Number.isSafeInteger(node) && node >= 0 ? node : NOBODY;
}

/** Which other node led each group when it was last heard of. A guess that saves a question. */
export class Leaders {
  readonly #nodes: Int32Array;
  readonly #heardMs: Float64Array;

  /** @param groupCount groups of the cluster */
  constructor(groupCount: number) {
    this.#nodes = new Int32Array(groupCount).fill(NOBODY);
    this.#heardMs = new Float64Array(groupCount);
  }

  /** The node to ask at once; {@linkcode NOBODY} where that is not known, or no longer surely. */
  fresh(group: number, nowMs: number): number {
    const node = this.#nodes[group] ?? NOBODY;
    return node !== NOBODY && nowMs - (this.#heardMs[group] ?? 0) < FRESH_MS ? node : NOBODY;
  }

  /** The node answered as a leader does. */
  heard(group: number, node: number, nowMs: number): void {
    this.#nodes[group] = node;
    this.#heardMs[group] = nowMs;
  }

  /** The node does not lead the group. */
  forget(group: number, node: number): void {
    if (this.#nodes[group] === node) this.#nodes[group] = NOBODY;
  }
}
