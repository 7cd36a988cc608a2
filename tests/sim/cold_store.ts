/**
 * The store that all nodes of a simulated cluster share, as they would S3: it outlives them, and
 * what was sent to it arrives whatever becomes of who sent it.
 *
 * @module
 */

import type { Clock } from "../../io/mod.ts";
import { type ByteParts, ColdError, type ColdStore } from "../../storage/cold/mod.ts";
import { checkedKey, checkedPrefix } from "../../storage/cold/keys.ts";
import { exactly } from "../../storage/cold/store.ts";
import { ObjectSum } from "./check/cold_objects.ts";
import type { ColdPlan } from "./plan.ts";
import type { SimRandom } from "./random.ts";

/** A request that drags on takes so long at most; a real client's patience is 30 s. */
const SLOW_MS_MAX = 4_000;
/** Keys in an answer to a listing: few, so that much happens between two of them. */
const PAGE_KEYS_MAX = 4;

/** Who looks on as objects come and go. */
export interface ColdLook {
  /** An object is whole, and durable; `sum` is the same for the same bytes. */
  put(key: string, sum: string): void;
  /** It is about to go. */
  deleted(key: string): void;
}

/** What is wrong with a {@linkcode SimBucket}; set and cleared by faults. */
export interface BucketFaults {
  /** Nobody gets an answer but that it is unavailable. */
  isDown: boolean;
  /** Nothing more fits in. */
  isFull: boolean;
  /** Parts of all requests that fail before they took effect, after it, and that drag on. */
  fails: number;
  failsLate: number;
  drags: number;
  /** Nodes that do not reach it. */
  readonly cutOff: Set<number>;
}

/** What a {@linkcode SimBucket} is made of. */
export interface SimBucketOptions {
  readonly clock: Clock;
  readonly random: SimRandom;
  /** Longest way of a request, and of its answer, when nothing is wrong. */
  readonly latencyMsMax: number;
  readonly look?: ColdLook;
}

/** The store that the nodes of a run share; undefined where each has its own, or there is none. */
export function sharedBucket(
  plan: ColdPlan | undefined,
  options: Omit<SimBucketOptions, "latencyMsMax">,
): SimBucket | undefined {
  if (plan?.kind !== "shared") return undefined;
  return new SimBucket({ ...options, latencyMsMax: plan.latencyMsMax });
}

/** All objects, and what is wrong with the place. */
export class SimBucket {
  readonly name = "s3://simulated";
  readonly faults: BucketFaults = {
    isDown: false,
    isFull: false,
    fails: 0,
    failsLate: 0,
    drags: 0,
    cutOff: new Set(),
  };
  /** Requests that have arrived. */
  requests = 0;
  readonly #objects = new Map<string, Uint8Array>();

  constructor(readonly options: SimBucketOptions) {}

  /** All keys, in order. */
  keys(): string[] {
    return [...this.#objects.keys()].sort();
  }

  /** An object as it lies there. */
  content(key: string): Uint8Array | undefined {
    return this.#objects.get(key);
  }

  /** The store as one process of a node has it. */
  open(node: number, process: Clock): ColdStore {
    return new SimBucketStore(this, node, process);
  }

  /** Nothing is wrong any more. */
  heal(): void {
    const { faults } = this;
    faults.isDown = faults.isFull = false;
    faults.fails = faults.failsLate = faults.drags = 0;
    faults.cutOff.clear();
  }

  /** Takes an object in; for {@linkcode SimBucketStore}. */
  put(key: string, bytes: Uint8Array): void {
    if (this.faults.isFull) throw new ColdError("full", this.name, key, "no room");
    const sum = new ObjectSum();
    sum.add(bytes);
    this.#objects.set(key, bytes);
    this.options.look?.put(key, `${sum}`);
  }

  /** Lets an object go; likewise. */
  delete(key: string): void {
    if (this.#objects.has(key)) this.options.look?.deleted(key);
    this.#objects.delete(key);
  }

  /** Does `work` when the request arrives, and tells the process of it when the answer does. */
  request<T>(
    { node, process, key }: { node: number; process: Clock; key: string },
    signal: AbortSignal | undefined,
    work: () => T,
  ): Promise<T> {
    const { clock, random } = this.options;
    const [there, back] = [this.#wayMs(), this.#wayMs()];
    const fate = random.next();
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal?.reason);
      if (signal?.aborted) return abort();
      signal?.addEventListener("abort", abort, { once: true });
      clock.setTimer(there, () => {
        const answer = this.#arrive(node, key, fate, work);
        process.setTimer(back, () => {
          signal?.removeEventListener("abort", abort);
          if ("error" in answer) reject(answer.error);
          else resolve(answer.value);
        });
      });
    });
  }

  #arrive<T>(
    node: number,
    key: string,
    fate: number,
    work: () => T,
  ): { readonly value: T } | { readonly error: unknown } {
    const { isDown, fails, failsLate, cutOff } = this.faults;
    const failed = (detail: string) => ({
      error: new ColdError("unavailable", this.name, key, detail),
    });
    this.requests++;
    if (isDown || cutOff.has(node)) return failed("nobody answers");
    if (fate < fails) return failed("it is not in the mood");
    try {
      const value = work();
      return fate < fails + failsLate ? failed("the answer was lost") : { value };
    } catch (error) {
      return { error };
    }
  }

  #wayMs(): number {
    const { random, latencyMsMax } = this.options;
    const drags = random.chance(this.faults.drags);
    return random.next() * (drags ? SLOW_MS_MAX : latencyMsMax);
  }
}

/** What one process sees of a {@linkcode SimBucket}. */
class SimBucketStore implements ColdStore {
  readonly isShared = true;

  constructor(readonly bucket: SimBucket, readonly node: number, readonly process: Clock) {}

  get name(): string {
    return this.bucket.name;
  }

  async put(key: string, size: number, parts: ByteParts, signal?: AbortSignal): Promise<void> {
    checkedKey(key);
    const bytes = new Uint8Array(size);
    let filled = 0;
    for await (const part of exactly(size, parts, signal)) {
      bytes.set(part, filled);
      filled += part.length;
    }
    await this.#request(key, signal, () => this.bucket.put(key, bytes));
  }

  async get(
    key: string,
    start: number,
    length: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    checkedKey(key);
    return await this.#request(key, signal, () => {
      const object = this.bucket.content(key);
      if (object === undefined) throw new ColdError("not_found", this.name, key, "no such object");
      if (start + length > object.length) {
        const offset = object.length;
        throw new ColdError("corrupt", this.name, key, "it ends here", { offset });
      }
      return object.slice(start, start + length);
    });
  }

  async size(key: string, signal?: AbortSignal): Promise<number | undefined> {
    checkedKey(key);
    return await this.#request(key, signal, () => this.bucket.content(key)?.length);
  }

  async delete(key: string, signal?: AbortSignal): Promise<void> {
    checkedKey(key);
    await this.#request(key, signal, () => this.bucket.delete(key));
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<string> {
    checkedPrefix(prefix);
    for (let after = "";;) {
      const page = await this.#request(prefix, signal, () => {
        const behind = this.bucket.keys().filter((key) => key.startsWith(prefix) && key > after);
        return behind.slice(0, PAGE_KEYS_MAX);
      });
      yield* page;
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE_KEYS_MAX) return;
      after = last;
    }
  }

  close(): void {}

  #request<T>(key: string, signal: AbortSignal | undefined, work: () => T): Promise<T> {
    return this.bucket.request({ node: this.node, process: this.process, key }, signal, work);
  }
}
