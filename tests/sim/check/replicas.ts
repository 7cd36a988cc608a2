/**
 * State machine safety (paper, figure 3): whatever any node applies at an index, in whichever life,
 * is the one command of that index; and its state is the one that a replica reaches which applied
 * the whole log and never saw a RaftSnapshot.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import type { Group } from "../../../group/mod.ts";
import {
  type Command,
  encodeHeader,
  GroupState,
  newSlab,
  type Outcome,
  sliceOf,
} from "../../../stream/mod.ts";
import { Violation } from "../violation.ts";

/** Between two comparisons of the hashes of replicas that apply, in indexes. */
const HASHED_EVERY = 32;

/** What was applied at an index, and what came of it. */
interface Applied {
  readonly command: Command;
  readonly stampMs: number;
  /** Of its header and body. */
  readonly sum: number;
  readonly outcome: string;
  /** Of the state after it; at some indexes only. */
  readonly hash: string | undefined;
}

interface Reference {
  readonly group: number;
  readonly formation: string;
  readonly state: GroupState;
  readonly log: Map<number, Applied>;
  /** A state of the past, which goes on where one further on is asked for. */
  past: GroupState;
}

/** Who wants to know what {@linkcode ReplicaChecker} sees. */
export interface ReplicaLook {
  /** A command was applied for the first time anywhere; `state` is what it left. */
  applied?(group: number, command: Command, state: GroupState): void;
  /** A replica begins, or goes on with another state: a RaftSnapshot's. */
  began?(group: Group, state: GroupState): void;
}

/** Looks on as groups apply their logs, and applies them to replicas of its own. */
export class ReplicaChecker {
  /** What went wrong while a group applied its log: thrown there, the product would handle it. */
  failure: Violation | undefined;
  readonly #references = new Map<number, Reference>();
  readonly #look: ReplicaLook;

  /** @param look sees more of it */
  constructor(look: ReplicaLook = {}) {
    this.#look = look;
  }

  /** Begins to look on; the group has applied nothing but its RaftSnapshot. */
  attach(group: Group, formation: string): void {
    const reference = this.#of(group.id, formation);
    let { state } = group;
    this.#watch(group.id, state, reference);
    this.#look.began?.(group, state);
    // Another replica's RaftSnapshot comes as a new state, which may apply more at once.
    Object.defineProperty(group, "state", {
      get: () => state,
      set: (next: GroupState) => {
        state = next;
        this.#watch(group.id, state, reference);
        this.#look.began?.(group, state);
      },
    });
  }

  /** To be called once a lone node has started: all that was ever applied must be there again. */
  recovered(groups: readonly Group[]): void {
    for (const group of groups) {
      const reference = this.#references.get(group.id);
      if (reference === undefined) continue;
      if (group.state.index < reference.state.index) {
        throw new Violation(
          "replicas",
          `group ${group.id} came back at ${group.state.index}; ` +
            `${reference.state.index} had been applied and answered`,
        );
      }
      this.#compare(group, reference);
    }
  }

  /** Has the group applied whatever any replica of it has? */
  isCurrent(group: Group): boolean {
    return group.state.index >= (this.#references.get(group.id)?.state.index ?? 0);
  }

  /** Index and group time of the last command that any replica has applied. */
  applied(group: number): { readonly index: number; readonly stampMs: number } {
    return this.#references.get(group)?.state ?? { index: 0, stampMs: 0 };
  }

  /** Are the states those of the references? Also where a reference is exported and imported. */
  async compare(groups: readonly Group[]): Promise<void> {
    for (const group of groups) {
      const reference = this.#references.get(group.id);
      if (reference === undefined) continue;
      this.#compare(group, reference);
      const imported = await GroupState.import(reference.state.export(), {
        group: group.id,
        formation: reference.formation,
        allocate: newSlab,
      });
      if (imported.stateHash() !== reference.state.stateHash()) {
        throw new Violation("replicas", `group ${group.id} is another one after export and import`);
      }
    }
  }

  /** The state of a group that has applied all that any replica has; not to be changed. */
  latest(group: number): GroupState | undefined {
    return this.#references.get(group)?.state;
  }

  /** Hash of a group's reference; for nodes that are looked at from outside. */
  hashOf(group: number): string | undefined {
    return this.#references.get(group)?.state.stateHash();
  }

  /** Looks on from the state that the group has now, which must be one of the past. */
  #watch(group: number, state: GroupState, reference: Reference): void {
    if (state.index > reference.state.index) {
      const detail = `has a RaftSnapshot of ${state.index}; ${reference.state.index} was applied`;
      this.failure ??= new Violation("replicas", `group ${group} ${detail}`);
    } else if (state.index > 0 && state.stateHash() !== pastOf(reference, state.index)) {
      const detail = `took a RaftSnapshot of ${state.index} that is not what the log says`;
      this.failure ??= new Violation("replicas", `group ${group} ${detail}`);
    }
    const apply = state.apply.bind(state);
    state.apply = (command, index, stampMs) => {
      const copy = ownCopy(command);
      const outcome = apply(command, index, stampMs);
      this.#note(group, state, reference, { command: copy, index, stampMs, outcome });
      return outcome;
    };
  }

  #note(
    id: number,
    state: GroupState,
    reference: Reference,
    now: { command: Command; index: number; stampMs: number; outcome: Outcome },
  ): void {
    const { command, index, stampMs } = now;
    const sum = sumOf(command, stampMs);
    if (index > reference.state.index) {
      const outcome = JSON.stringify(reference.state.apply(command, index, stampMs));
      reference.state.takeChanged();
      const hash = index % HASHED_EVERY === 0 ? reference.state.stateHash() : undefined;
      reference.log.set(index, { command, stampMs, sum, outcome, hash });
      this.#look.applied?.(id, command, reference.state);
    }
    const known = reference.log.get(index);
    if (known === undefined || known.sum !== sum) {
      const detail = known === undefined ? "applies something late" : "has two commands";
      this.failure ??= new Violation("replicas", `group ${id} ${detail} at ${index}`);
      return;
    }
    const found = JSON.stringify(now.outcome);
    if (known.outcome !== found) {
      const detail = `answers ${found} at ${index}, the reference ${known.outcome}`;
      this.failure ??= new Violation("replicas", `group ${id} ${detail}`);
    }
    if (known.hash !== undefined && known.hash !== state.stateHash()) {
      this.failure ??= new Violation("replicas", `group ${id} at ${index} has another state`);
    }
  }

  #compare(group: Group, reference: Reference): void {
    if (group.state.index !== reference.state.index) {
      throw new Violation(
        "replicas",
        `group ${group.id} is at ${group.state.index}, its reference at ${reference.state.index}`,
      );
    }
    if (group.state.stateHash() !== reference.state.stateHash()) {
      throw new Violation(
        "replicas",
        `group ${group.id} at ${group.state.index} is not what its log says`,
      );
    }
  }

  #of(group: number, formation: string): Reference {
    const known = this.#references.get(group);
    if (known !== undefined && known.formation === formation) return known;
    if (known !== undefined && known.state.index > 0) {
      throw new Violation("replicas", "the data directory is another one than before");
    }
    const state = new GroupState({ group, formation });
    const reference = {
      group,
      formation,
      state,
      log: new Map(),
      past: new GroupState({ group, formation }),
    };
    this.#references.set(group, reference);
    return reference;
  }
}

/** Hash of the state that the log makes up to `index`. */
function pastOf(reference: Reference, index: number): string {
  const { group, state, log, formation } = reference;
  if (state.index === index) return state.stateHash();
  if (reference.past.index > index) {
    reference.past = new GroupState({ group, formation });
  }
  const { past } = reference;
  for (let at = past.index + 1; at <= index; at++) {
    const applied = log.get(at);
    if (applied === undefined) continue;
    past.apply(ownCopy(applied.command), at, applied.stampMs);
    past.takeChanged();
  }
  return past.stateHash();
}

function ownCopy(command: Command): Command {
  if (!("body" in command) || command.body === undefined) return command;
  const { data, lengths } = command.body;
  const bytes = data.slab.bytes.slice(data.start, data.end);
  return { ...command, body: { data: sliceOf(bytes), lengths } };
}

function sumOf(command: Command, stampMs: number): number {
  const header = crc32(encodeHeader(command, stampMs));
  if (!("body" in command) || command.body === undefined) return header;
  const { slab, start, end } = command.body.data;
  return crc32(slab.bytes.subarray(start, end), header);
}
