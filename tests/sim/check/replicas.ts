/**
 * State machine safety (paper, figure 3): whatever a node applies at an index, in whichever life,
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

interface Reference {
  readonly formation: string;
  readonly state: GroupState;
  /** What each index holds: checksums of its header and body. */
  readonly log: Map<number, number>;
}

/** Looks on as groups apply their logs, and applies them to replicas of its own. */
export class ReplicaChecker {
  /** What went wrong while a group applied its log: thrown there, the product would handle it. */
  failure: Violation | undefined;
  readonly #references = new Map<number, Reference>();

  /** Begins to look on; the group has applied nothing but its RaftSnapshot. */
  attach(group: Group, formation: string): void {
    const reference = this.#of(group.id, formation);
    const { state } = group;
    const apply = state.apply.bind(state);
    state.apply = (command, index, stampMs) => {
      const copy = ownCopy(command);
      const outcome = apply(command, index, stampMs);
      this.#note(group.id, reference, copy, index, stampMs, outcome);
      return outcome;
    };
  }

  /** To be called once a node has started: all that was ever applied must be there again. */
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

  /** Hash of a group's reference; for nodes that are looked at from outside. */
  hashOf(group: number): string | undefined {
    return this.#references.get(group)?.state.stateHash();
  }

  #note(
    group: number,
    reference: Reference,
    command: Command,
    index: number,
    stampMs: number,
    outcome: Outcome,
  ): void {
    const sum = sumOf(command, stampMs);
    const known = reference.log.get(index);
    if (known !== undefined && known !== sum) {
      this.failure ??= new Violation("replicas", `group ${group} has two commands at ${index}`);
    }
    reference.log.set(index, sum);
    if (index <= reference.state.index) return;
    const expected = JSON.stringify(reference.state.apply(command, index, stampMs));
    reference.state.takeChanged();
    const found = JSON.stringify(outcome);
    if (expected === found) return;
    const detail = `group ${group} answers ${found} at ${index}, the reference ${expected}`;
    this.failure ??= new Violation("replicas", detail);
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
    const reference = { formation, state, log: new Map() };
    this.#references.set(group, reference);
    return reference;
  }
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
