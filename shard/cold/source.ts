import type { Group } from "../../group/mod.ts";
import { checkObject, objectKey, storedBytes, storedRange } from "../../storage/cold/mod.ts";
import type { Slice } from "../../stream/mod.ts";
import { isDamage } from "./failures.ts";
import { type LostRequest, NO, type PartRequest } from "./requests.ts";
import { Slots } from "./slots.ts";
import type { ColdTier } from "./tier.ts";

/** Parts that are read at a time, 1 MiB each at most; so many more wait, and others are refused. */
const READS_MAX = 8;
const READS_WAITING_MAX = 256;

/** Gives other nodes parts of the objects that this node has. */
export class ColdSource {
  readonly #tier: ColdTier;
  readonly #reads = new Slots(READS_MAX);
  readonly #stopping = new AbortController();

  constructor(tier: ColdTier) {
    this.#tier = tier;
  }

  /** A part as it lies in the store, unchecked; {@linkcode NO} where there is none. */
  async give(group: Group, request: PartRequest): Promise<Uint8Array> {
    const { offset, partBytes, length } = request;
    if (offset + partBytes > storedBytes({ bytes: length })) return NO;
    if (this.#reads.waiting >= READS_WAITING_MAX || this.#stopping.signal.aborted) return NO;
    await this.#reads.take();
    try {
      return this.#fromMemory(group, request) ?? await this.#fromStore(request);
    } catch {
      // Damaged, gone or out of reach: who asks asks another one.
      return NO;
    } finally {
      this.#reads.free();
    }
  }

  /**
   * Is it certain that there is no whole copy here, and none that is still to be written? It is
   * looked for, and read: whoever asks found its own to be of no use.
   */
  async lacks(group: Group, request: LostRequest): Promise<boolean> {
    const { number, term } = request;
    const { cold } = group.state;
    if (cold.isPinned(number)) return false;
    // Of what has yet to be applied here the bytes are in the log.
    const known = cold.objects.get(number);
    if (known === undefined ? !cold.objects.isCondemned(number) : known.term !== term) return false;
    if (this.#reads.waiting >= READS_WAITING_MAX) return false;
    await this.#reads.take();
    try {
      const { store } = this.#tier;
      await checkObject(store, this.#tier.object(group.id, request), this.#stopping.signal);
      return false;
    } catch (reason) {
      return isDamage(reason);
    } finally {
      this.#reads.free();
    }
  }

  /** Gives nothing more. */
  stop(): void {
    this.#stopping.abort();
  }

  async #fromStore(request: PartRequest): Promise<Uint8Array> {
    const { store } = this.#tier;
    const key = objectKey(this.#tier.object(request.group, request));
    return await store.get(key, request.offset, request.partBytes, this.#stopping.signal);
  }

  /** What this replica has in memory and not in its store yet: the same bytes. */
  #fromMemory(group: Group, request: PartRequest): Uint8Array | undefined {
    const { number, term, length, offset, partBytes } = request;
    const { cold } = group.state;
    if (this.#tier.holdings?.has(group.id, request) || !cold.isPinned(number)) return undefined;
    const known = cold.objects.get(number);
    if (known?.term !== term || known.length !== length) return undefined;
    if (known.staged !== undefined && known.staged < length) return undefined;
    const payload = bytesOf(cold.pinnedPayload(number));
    return storedRange(this.#tier.object(group.id, request), payload, offset, partBytes);
  }
}

function* bytesOf(slices: Iterable<Slice>): Generator<Uint8Array> {
  for (const { slab, start, end } of slices) yield slab.bytes.subarray(start, end);
}
