import type { Group } from "../../group/mod.ts";

/** A name for a new object, whose length is not known yet. */
export interface NewObject {
  readonly number: number;
  readonly term: number;
}

/**
 * Numbers for new objects of the groups led here. None is given twice while this replica leads;
 * another leader may give the same one, with its own term, and then the log decides.
 */
export class ObjectNumbers {
  readonly #given = new Map<number, NewObject>();

  /** A name that nothing of the group has had so far. The group must be led here. */
  take(group: Group): NewObject {
    const { term } = group.status();
    const last = this.#given.get(group.id);
    const after = last?.term === term ? last.number + 1 : 0;
    const name = { number: Math.max(group.state.cold.nextNumber, after), term };
    this.#given.set(group.id, name);
    return name;
  }
}
