import type { Group } from "../../group/mod.ts";
import type { Command, GroupState, StageObject } from "../../stream/mod.ts";
import { addsBytes } from "../hot_bytes.ts";
import type { LogLine } from "../log_line.ts";
import type { ColdCounters } from "./counters.ts";

/** Of a StreamSnapshot, as it is configured usually (SPEC section 3). */
const SNAPSHOT_BYTES_MAX = 128 * 1024 * 1024;
/** Below this part of the bound it is worth a line that there is room again. */
const ROOM_AGAIN = 7 / 8;

/**
 * The bound of a group's bytes in memory (SPEC sections 8 and 9): those that wait to be flushed, and
 * those of which this node has no copy yet. Beyond it what would add bytes is refused where this
 * node leads; other groups go on.
 *
 * Pieces of StreamSnapshots are left out, as publishing one must not hold appends up. They have a
 * bound of their own, the same and one largest snapshot above it, which is asked about before the
 * first piece and for the whole: a snapshot that was begun is never refused half-way, and one always
 * fits where appends do. What publishes it adds nothing, and is never refused.
 */
export class GroupRoom {
  /** Groups of which the operator was told that they are full. */
  readonly #full = new Set<Group>();

  constructor(
    readonly bytesMax: number,
    private readonly counters: ColdCounters,
    private readonly log: LogLine,
  ) {}

  /** Is there room for what the command adds to the group, which is led here? */
  admits(group: Group, command: Command): boolean {
    if (!addsBytes(command)) return true;
    if (command.type !== "stage") return this.#admitsMore(group);
    if (this.#admitsSnapshot(group.state, command)) return true;
    this.counters.refusals++;
    return false;
  }

  /** Tells the operator where there is room again. */
  tick(): void {
    for (const group of this.#full) {
      const bytes = bytesOf(group.state);
      if (bytes > this.bytesMax * ROOM_AGAIN) continue;
      this.#full.delete(group);
      this.log(`group ${group.id} has room again: ${bytes} bytes in memory, writes are taken`);
    }
  }

  #admitsSnapshot(state: GroupState, { at, object: { number, length } }: StageObject): boolean {
    if (at > 0 || state.cold.objects.get(number) !== undefined) return true;
    const { staged, announced } = stagedBytes(state);
    const taken = state.hotBytes + state.cold.pinnedBytes - staged + announced;
    return taken + length <= this.bytesMax + Math.max(length, SNAPSHOT_BYTES_MAX);
  }

  #admitsMore(group: Group): boolean {
    const { hotBytes, cold: { pinnedBytes } } = group.state;
    if (hotBytes + pinnedBytes <= this.bytesMax) return true;
    const bytes = bytesOf(group.state);
    if (bytes <= this.bytesMax) return true;
    this.counters.refusals++;
    if (!this.#full.has(group)) {
      this.#full.add(group);
      this.log(
        `group ${group.id} waits for the cold store: ${bytes} bytes in memory, writes are refused ` +
          `above ${this.bytesMax}`,
        "warn",
      );
    }
    return false;
  }
}

/** Bytes of messages that are not, or not surely, in the store. */
function bytesOf(state: GroupState): number {
  return state.hotBytes + state.cold.pinnedBytes - stagedBytes(state).staged;
}

/** Of StreamSnapshots in memory: bytes that are there, and that will be once all have come. */
function stagedBytes(
  { cold }: GroupState,
): { readonly staged: number; readonly announced: number } {
  let staged = 0, announced = 0;
  for (const number of cold.pinnedObjects()) {
    const object = cold.objects.get(number);
    if (object?.staged === undefined) continue;
    staged += object.staged;
    announced += object.length;
  }
  return { staged, announced };
}
