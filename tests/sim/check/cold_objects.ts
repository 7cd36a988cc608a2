/**
 * Objects of the cold tier, as they come and go: the bytes of a key never change, what a group's
 * log has come to refer to is there, and nothing is deleted that it refers to, or may come to.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { objectKey, objectNameOf } from "../../../storage/cold/mod.ts";
import type { Command, GroupState, ObjectName } from "../../../stream/mod.ts";
import { Violation } from "../violation.ts";

/** What a {@linkcode ColdObjects} must know of the run. */
export interface ColdWorld {
  /** All nodes keep their objects in one place. */
  readonly isShared: boolean;
  /** Nodes of the cluster, one that was wiped included. */
  readonly nodes: number;
  /** Does a node, or everybody, have the object, durably? */
  has(node: number, key: string): boolean;
  /** The state of a group that has applied all that anybody has. */
  latest(group: number): GroupState | undefined;
  /** The states of a group on the nodes that run; by node. */
  live(group: number): Iterable<{ readonly node: number; readonly state: GroupState }>;
}

/** Stands for the place that all nodes share. */
export const EVERYBODY = 0;

/** Looks on as objects are put, referred to and deleted. */
export class ColdObjects {
  /** What went wrong: thrown where it is noticed, the product would handle it. */
  failure: Violation | undefined;
  readonly #world: ColdWorld;
  /** Of all that were ever put, deleted ones included: size and sum. */
  readonly #known = new Map<string, string>();

  constructor(world: ColdWorld) {
    this.#world = world;
  }

  /** How many objects were ever put. */
  get count(): number {
    return this.#known.size;
  }

  /** An object is whole, on a node or for {@linkcode EVERYBODY}. */
  put(key: string, sum: string): void {
    const before = this.#known.get(key);
    if (before !== undefined && before !== sum) this.#wrong(`${key} is ${sum}, and was ${before}`);
    this.#known.set(key, sum);
  }

  /** An object is about to go. */
  deleted(node: number, key: string): void {
    const name = objectNameOf(key);
    if (name === undefined) return this.#wrong(`${key} is deleted, which is no object`);
    for (const { where, state } of this.#judges(node, name.group)) {
      const known = state.cold.objects.get(name.number);
      const isThis = known?.term === name.term;
      if (isThis && known.references > 0) {
        return this.#wrong(`${key} is deleted by node ${node}, and ${where} refers to it`);
      }
      const mayCome = !state.cold.objects.isCondemned(name.number);
      if (mayCome && (known === undefined || isThis)) {
        return this.#wrong(`${key} is deleted by node ${node}, and ${where} has not condemned it`);
      }
    }
  }

  /** A command was applied for the first time anywhere; `state` is what it left. */
  applied(group: number, command: Command, state: GroupState, formation: string): void {
    if (!("object" in command)) return;
    const { number, term } = command.object;
    const known = state.cold.objects.get(number);
    if (known === undefined || known.term !== term || known.references === 0) return;
    // An empty snapshot is put nowhere.
    if (known.length === 0) return;
    const key = objectKey({ formation, group, ...known });
    if (this.#world.isShared) {
      if (!this.#world.has(EVERYBODY, key)) {
        this.#wrong(`${command.type} refers to ${key}: not there`);
      }
      return;
    }
    // Of anything else each replica has the bytes.
    if (command.type !== "repack") return;
    const { nodes } = this.#world;
    let holders = 0;
    for (let node = 1; node <= nodes; node++) if (this.#world.has(node, key)) holders++;
    if (2 * holders > nodes) return;
    this.#wrong(`repack refers to ${key}, which ${holders} of ${nodes} nodes have`);
  }

  /** A replica lets the bytes of an object go: its own copy must be durable. */
  unpinned(node: number, group: number, object: ObjectName, formation: string): void {
    const key = objectKey({ formation, group, ...object });
    if (!this.#world.has(node, key)) this.#wrong(`node ${node} unpins ${key}, and has no copy`);
  }

  /** Whose state must have nothing against it that a node deletes an object. */
  *#judges(node: number, group: number): Generator<{ where: string; state: GroupState }> {
    const latest = this.#world.latest(group);
    if (latest === undefined) return this.#wrong(`there is no group ${group}`);
    yield { where: "the log", state: latest };
    if (node === EVERYBODY) return;
    // The log may have gone further than this replica.
    for (const { node: at, state } of this.#world.live(group)) {
      if (at === node) yield { where: "its own state", state };
    }
  }

  #wrong(detail: string): void {
    this.failure ??= new Violation("objects", detail);
  }
}

/** Size and sum of an object, from its parts. */
export class ObjectSum {
  #bytes = 0;
  #sum = 0;

  /** More of it. */
  add(part: Uint8Array): void {
    this.#bytes += part.length;
    this.#sum = crc32(part, this.#sum);
  }

  /** The same for the same bytes. */
  toString(): string {
    return `${this.#bytes} bytes of ${this.#sum.toString(16)}`;
  }
}
