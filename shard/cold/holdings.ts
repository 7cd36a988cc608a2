import {
  type ByteParts,
  ColdError,
  type ColdStore,
  groupPrefix,
  objectNameOf,
} from "../../storage/cold/mod.ts";

/** What of one group lies in the store. */
interface GroupHoldings {
  /** Terms by number; two of one number only until a sweep. */
  readonly terms: Map<number, number[]>;
  /** Listed once; before that only what was put since is known. */
  isListed: boolean;
  /** How often an object went. */
  losses: number;
}

/**
 * Which objects this node's own store holds: listed once, and followed from then on by whoever puts
 * or deletes through a {@linkcode NotedStore}.
 */
export class Holdings {
  readonly #formation: string;
  readonly #groups = new Map<number, GroupHoldings>();

  /** @param formation whose objects are meant */
  constructor(formation: string) {
    this.#formation = formation;
  }

  /** Lies the object in the store, as far as is known? */
  has(group: number, { number, term }: { number: number; term: number }): boolean {
    return this.#groups.get(group)?.terms.get(number)?.includes(term) ?? false;
  }

  /** Is everything known that the store had of the group? */
  isListed(group: number): boolean {
    return this.#groups.get(group)?.isListed ?? false;
  }

  /** How often an object of the group went: who looks again sees whether any did. */
  losses(group: number): number {
    return this.#groups.get(group)?.losses ?? 0;
  }

  /**
   * Learns what the store has of a group. What is deleted meanwhile may be taken for held: only what
   * nothing refers to, nor ever will, is deleted.
   *
   * @throws ColdError as {@linkcode ColdStore.list}
   */
  async list(store: ColdStore, group: number, signal?: AbortSignal): Promise<void> {
    const prefix = groupPrefix({ formation: this.#formation, group });
    for await (const key of store.list(prefix, signal)) this.put(key);
    this.#of(group).isListed = true;
  }

  /** An object is durable in the store. */
  put(key: string): void {
    const name = this.#nameOf(key);
    if (name === undefined) return;
    const { terms } = this.#of(name.group);
    const known = terms.get(name.number);
    if (known === undefined) terms.set(name.number, [name.term]);
    else if (!known.includes(name.term)) known.push(name.term);
  }

  /** An object is not there any more, or of no use. */
  lose(key: string): void {
    const name = this.#nameOf(key);
    if (name === undefined) return;
    const group = this.#of(name.group);
    const left = group.terms.get(name.number)?.filter((term) => term !== name.term) ?? [];
    if (left.length > 0) group.terms.set(name.number, left);
    else group.terms.delete(name.number);
    group.losses++;
  }

  #of(group: number): GroupHoldings {
    const found = this.#groups.get(group) ?? { terms: new Map(), isListed: false, losses: 0 };
    this.#groups.set(group, found);
    return found;
  }

  #nameOf(key: string) {
    const name = objectNameOf(key);
    return name?.formation === this.#formation ? name : undefined;
  }
}

/** A store that tells {@linkcode Holdings} what comes and goes. */
export class NotedStore implements ColdStore {
  readonly name: string;
  readonly isShared: boolean;

  constructor(readonly inner: ColdStore, readonly holdings: Holdings) {
    this.name = inner.name;
    this.isShared = inner.isShared;
  }

  async put(key: string, size: number, parts: ByteParts, signal?: AbortSignal): Promise<void> {
    await this.inner.put(key, size, parts, signal);
    this.holdings.put(key);
  }

  async get(
    key: string,
    start: number,
    length: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    try {
      return await this.inner.get(key, start, length, signal);
    } catch (error) {
      if (error instanceof ColdError && error.kind === "not_found") this.holdings.lose(key);
      throw error;
    }
  }

  size(key: string, signal?: AbortSignal): Promise<number | undefined> {
    return this.inner.size(key, signal);
  }

  async delete(key: string, signal?: AbortSignal): Promise<void> {
    // It may be gone though this fails.
    this.holdings.lose(key);
    await this.inner.delete(key, signal);
  }

  list(prefix: string, signal?: AbortSignal): AsyncIterable<string> {
    return this.inner.list(prefix, signal);
  }

  close(): void {
    this.inner.close();
  }
}
