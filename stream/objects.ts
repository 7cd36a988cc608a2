/**
 * Which objects the group refers to, and which numbers may name a new one.
 *
 * A number names one object for ever: it is free until an object is referred to under it or it is
 * condemned. A condemned number stays refused, so that whoever deletes what lies under it in a
 * store can be sure that no reference comes later. The watermark condemns all numbers below it at
 * once; numbers above it that were condemned one by one are kept until it passes them.
 *
 * @module
 */

/** An object as commands name it. */
export interface ObjectName {
  /** From 1 on, unique in the group. */
  readonly number: number;
  /** Of the leader that took the number. */
  readonly term: number;
  /** Bytes that it holds. */
  readonly length: number;
}

/** What the group knows of an object. */
export interface ObjectView extends ObjectName {
  /** Bytes that ranges of streams refer to, rows of lengths included. */
  readonly liveBytes: number;
  /** How many ranges refer to it. */
  readonly references: number;
  /** Group time at which the last reference went, in ms; undefined while there is one. */
  readonly unreferencedMs: number | undefined;
  /** How many bytes were staged; undefined for objects that were whole from the beginning. */
  readonly staged: number | undefined;
  /** Is it a StreamSnapshot that is published somewhere? Then there are no ranges to repack. */
  readonly isSnapshot: boolean;
}

/** An object's record. */
class ObjectRecord implements ObjectView {
  liveBytes = 0;
  references = 0;
  unreferencedMs: number | undefined = undefined;
  staged: number | undefined = undefined;
  isSnapshot = false;

  constructor(readonly number: number, readonly term: number, readonly length: number) {}
}

/** The objects of one group. */
export class Objects {
  /** In the order in which they were first referred to. */
  readonly #records = new Map<number, ObjectRecord>();
  /** Condemned numbers at or above the watermark. */
  readonly #condemned = new Set<number>();
  #watermark = 1;
  #highest = 0;
  /** Bytes of all objects that ranges refer to. */
  liveBytes = 0;
  /** How often an object was taken note of here: who looks again sees whether any came. */
  added = 0;

  /** Numbers below this one are condemned. */
  get watermark(): number {
    return this.#watermark;
  }

  /** Condemned numbers at or above the watermark, in the order in which they were condemned. */
  get condemned(): Iterable<number> {
    return this.#condemned;
  }

  /** How many objects there are, unreferenced ones included. */
  get count(): number {
    return this.#records.size;
  }

  /** A number that was never used and is not condemned; higher than all that were. */
  get nextNumber(): number {
    return Math.max(this.#highest + 1, this.#watermark);
  }

  /** May a new object have this number? */
  isFree(number: number): boolean {
    return Number.isSafeInteger(number) && number >= this.#watermark &&
      !this.#records.has(number) && !this.#condemned.has(number);
  }

  /** Is it certain that no new object gets this number? */
  isCondemned(number: number): boolean {
    return number < this.#watermark || this.#condemned.has(number);
  }

  /** The object's record. */
  get(number: number): ObjectView | undefined {
    return this.#records.get(number);
  }

  /** All objects. */
  all(): Iterable<ObjectView> {
    return this.#records.values();
  }

  /** Takes note of a new object, which nothing refers to yet. */
  add({ number, term, length }: ObjectName, unreferencedMs: number | undefined): void {
    const record = new ObjectRecord(number, term, length);
    record.unreferencedMs = unreferencedMs;
    this.#records.set(number, record);
    this.added++;
    this.#highest = Math.max(this.#highest, number);
  }

  /** More of an object was staged, up to so many bytes. */
  stage(number: number, staged: number, stampMs: number): void {
    const record = this.#known(number);
    record.staged = staged;
    record.unreferencedMs = stampMs;
  }

  /** A range of so many bytes refers to the object, or a StreamSnapshot that is all of it. */
  refer(number: number, bytes: number, isSnapshot: boolean = false): void {
    const record = this.#known(number);
    record.isSnapshot = isSnapshot;
    record.references++;
    record.liveBytes += bytes;
    record.unreferencedMs = undefined;
    this.liveBytes += bytes;
  }

  /** It no longer does. */
  drop(number: number, bytes: number, stampMs: number): void {
    const record = this.#known(number);
    record.references--;
    record.liveBytes -= bytes;
    this.liveBytes -= bytes;
    if (record.references > 0) return;
    record.unreferencedMs = stampMs;
    record.isSnapshot = false;
  }

  /** Condemns all numbers below `below`, and each of `numbers`. */
  condemn(below: number, numbers: Iterable<number>): void {
    if (below > this.#watermark) {
      this.#watermark = below;
      for (const number of this.#condemned) {
        if (number < below) this.#condemned.delete(number);
      }
    }
    for (const number of numbers) {
      if (number < this.#watermark) continue;
      this.#condemned.add(number);
      this.#highest = Math.max(this.#highest, number);
    }
  }

  /** Drops the note of an object; answers false where it is referred to or not condemned. */
  forget(number: number): boolean {
    const record = this.#records.get(number);
    if (record === undefined || record.references > 0 || !this.isCondemned(number)) return false;
    return this.#records.delete(number);
  }

  #known(number: number): ObjectRecord {
    const record = this.#records.get(number);
    if (record === undefined) throw new Error("a range refers to an object without a record");
    return record;
  }
}
