import type { Group } from "../../group/mod.ts";
import type { GroupState, ObjectView } from "../../stream/mod.ts";
import type { Holdings } from "./holdings.ts";

/**
 * What one replica's state refers to and its node neither holds nor has in memory.
 *
 * All objects are looked at only after something came to the state or went from the store; between,
 * those that the store did not hold then can only become fewer.
 */
export class Lack {
  readonly #group: Group;
  readonly #holdings: Holdings;
  #absent: readonly ObjectView[] = [];
  #state: GroupState | undefined;
  #added = -1;
  #losses = -1;

  constructor(group: Group, holdings: Holdings) {
    this.#group = group;
    this.#holdings = holdings;
  }

  /** The objects that lack now. */
  objects(): readonly ObjectView[] {
    const { id, state } = this.#group;
    const { cold } = state;
    const losses = this.#holdings.losses(id);
    if (state !== this.#state || cold.objects.added !== this.#added || losses !== this.#losses) {
      this.#state = state;
      this.#added = cold.objects.added;
      this.#losses = losses;
      this.#absent = this.#among(cold.objects.all());
    } else if (this.#absent.length > 0) {
      this.#absent = this.#among(this.#absent);
    }
    return this.#absent.filter((object) => isWanted(object, cold) && !cold.isPinned(object.number));
  }

  /**
   * Those that the store does not hold, and that are or may yet be wanted. One of no bytes is put
   * nowhere and read without a store.
   */
  #among(objects: Iterable<ObjectView>): ObjectView[] {
    const found: ObjectView[] = [];
    for (const object of objects) {
      if (object.length === 0) continue;
      if (object.references === 0 && object.staged === undefined) continue;
      if (!this.#holdings.has(this.#group.id, object)) found.push(object);
    }
    return found;
  }
}

/** Does every replica need the object: is it referred to, or staged and about to be? */
export function isWanted(object: ObjectView, { objects }: GroupState["cold"]): boolean {
  if (object.references > 0) return true;
  return object.staged === object.length && !objects.isCondemned(object.number);
}
