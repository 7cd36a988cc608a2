import {
  type Command,
  type GroupState,
  KEYS_PER_COMMAND_MAX,
  type StreamKey,
} from "../stream/mod.ts";
import type { Answer } from "./answers.ts";

/** Streams whose deadlines are looked at, or pushed back, at one tick. */
const KEYS_PER_TICK_MAX = 960;

/** Which streams of a group reads want to live on, and which are over. */
export class Deadlines {
  readonly #touched = new Set<StreamKey>();
  #expiriesInFlight = 0;

  /** A read or a live reader pushes a deadline back, unless that was done lately. */
  touch(state: GroupState, key: StreamKey, groupMs: number): void {
    if (this.#touched.size < KEYS_PER_TICK_MAX && state.touchWanted(key, groupMs)) {
      this.#touched.add(key);
    }
  }

  /** Takes the streams that were touched, as the keys of `touch` commands. */
  takeTouched(): StreamKey[][] {
    if (this.#touched.size === 0) return [];
    const keys = [...this.#touched];
    this.#touched.clear();
    return parts(keys);
  }

  /** A leader proposes to end the streams that are due. Decided again when that is applied. */
  expire(
    state: GroupState,
    groupMs: number,
    propose: (command: Command, done: (answer: Answer) => void) => void,
  ): void {
    if (this.#expiriesInFlight > 0) return;
    const keys = state.due(groupMs, KEYS_PER_TICK_MAX);
    for (const part of parts(keys)) {
      this.#expiriesInFlight++;
      propose({ type: "expire", keys: part }, () => this.#expiriesInFlight--);
    }
  }
}

/** Keys as single commands may name them. */
function parts(keys: readonly StreamKey[]): StreamKey[][] {
  const found: StreamKey[][] = [];
  for (let at = 0; at < keys.length; at += KEYS_PER_COMMAND_MAX) {
    found.push(keys.slice(at, at + KEYS_PER_COMMAND_MAX));
  }
  return found;
}
