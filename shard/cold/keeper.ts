import type { Group } from "../../group/mod.ts";
import { unlessAborted } from "../../storage/cold/mod.ts";
import type { GroupState, ObjectName } from "../../stream/mod.ts";
import type { ColdJob } from "./job.ts";
import { putObject } from "./put.ts";
import { pauseMs, type StoreHealth } from "./store_health.ts";
import type { ColdParts } from "./work.ts";

/**
 * Writes this node's own copies, where each node has a store for itself: objects whose bytes the
 * state of a group keeps pinned, led here or not. Once a copy is durable its bytes go.
 *
 * A store that fails or is full keeps the bytes in memory; it is tried again, one object at a time.
 */
export class Keeper implements ColdJob {
  readonly #parts: ColdParts;
  readonly #health: StoreHealth;
  readonly #aborting = new AbortController();
  /** What is being written: group and number. */
  readonly #writing = new Map<string, Promise<void>>();
  /** Failures in a row, and until when nothing is tried because of them. */
  #failures = 0;
  #resumesMs = -Infinity;
  /** Where the next tick begins, so that no group is passed over for ever. */
  #next = 0;

  constructor(parts: ColdParts, health: StoreHealth) {
    this.#parts = parts;
    this.#health = health;
  }

  look(nowMs: number): void {
    this.tick(nowMs);
  }

  tick(nowMs: number): void {
    const { groups } = this.#parts;
    if (nowMs < this.#resumesMs || this.#aborting.signal.aborted) return;
    for (let i = 0; i < groups.length; i++) {
      const at = (this.#next + i) % groups.length;
      const group = groups[at] as Group; // at < length
      if (group.state.cold.pinnedBytes > 0 && !this.#keep(group)) {
        this.#next = at;
        return;
      }
    }
  }

  async stop(): Promise<void> {
    this.#aborting.abort(new Error("the node stops"));
    await Promise.all(this.#writing.values());
  }

  /** Begins with what the group has pinned; answers whether there was room for all of it. */
  #keep(group: Group): boolean {
    for (const number of group.state.cold.pinnedObjects()) {
      const name = `${group.id}/${number}`;
      if (this.#writing.has(name) || !isDue(group.state, number)) continue;
      const most = this.#failures > 0 ? 1 : this.#parts.tier.setup.flushesMax;
      if (this.#writing.size >= most) return false;
      this.#writing.set(name, this.#write(group, number).finally(() => this.#writing.delete(name)));
    }
    return true;
  }

  async #write(group: Group, number: number): Promise<void> {
    const { clock, random } = this.#parts;
    const { signal } = this.#aborting;
    const { state } = group;
    const object = state.cold.objects.get(number) as ObjectName; // it is due
    const held = state.cold.retainPinned(number);
    const put = putObject(this.#parts, group.id, object, held, signal);
    // One that was broken off may read on for a while.
    put.catch(() => {}).then(() => held.release());
    try {
      await unlessAborted(put, signal);
    } catch (reason) {
      if (signal.aborted) return;
      this.#health.failed(reason);
      const nowMs = clock.monotonicMs();
      // Those that were under way together fail once.
      if (nowMs >= this.#resumesMs) this.#resumesMs = nowMs + pauseMs(++this.#failures, random);
      return;
    }
    this.#failures = 0;
    this.#health.worked();
    // Another state, from a RaftSnapshot, brings pins of its own, which are written anew.
    if (group.state === state) state.cold.unpin(number);
  }
}

/** Is the object whole, and one that reads may yet lead to? A sweeper may have deleted others. */
function isDue({ cold: { objects } }: GroupState, number: number): boolean {
  const object = objects.get(number);
  if (object === undefined) return false;
  if (object.references === 0 && objects.isCondemned(number)) return false;
  return object.staged === undefined || object.staged === object.length;
}
