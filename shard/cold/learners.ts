import type { Group } from "../../group/mod.ts";
import type { MemberId } from "../../raft/mod.ts";
import { nodeOf } from "../../storage/member.ts";
import { PEER_KINDS } from "../peer_kinds.ts";
import { type Peers, presentMember } from "../peers.ts";
import { encodeRequest } from "./requests.ts";

/** An answer counts for so long. */
const FRESH_MS = 3_000;

/** What one learner said of one group. */
interface Word {
  /** When it was asked what it affirmed last. */
  wholeMs: number;
  isAsked: boolean;
}

/**
 * Which learners have every object that their groups refer to: each is asked when somebody wants to
 * know, and what it said last is the answer.
 */
export class Learners {
  readonly #peers: Peers;
  readonly #words = new Map<string, Word>();

  constructor(peers: Peers) {
    this.#peers = peers;
  }

  /**
   * Has the learner lately affirmed that it has applied all that was committed then, and lacks
   * nothing? To be asked again and again.
   */
  isWhole(group: Group, learner: MemberId, nowMs: number): boolean {
    const name = `${group.id} ${learner}`;
    const word = this.#words.get(name) ?? { wholeMs: -Infinity, isAsked: false };
    this.#words.set(name, word);
    if (!word.isAsked) void this.#ask(group, learner, nowMs, word);
    return nowMs - word.wholeMs <= FRESH_MS;
  }

  async #ask(group: Group, learner: MemberId, nowMs: number, word: Word): Promise<void> {
    if (presentMember(this.#peers, nodeOf(learner)) !== learner) return;
    const { id } = group;
    const request = encodeRequest({ ask: "whole", group: id, index: group.status().commitIndex });
    word.isAsked = true;
    const answer = await this.#peers.call(nodeOf(learner), PEER_KINDS.COLD, [request]);
    word.isAsked = false;
    word.wholeMs = answer instanceof Uint8Array && answer[0] === 1 ? nowMs : -Infinity;
  }
}
