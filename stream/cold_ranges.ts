/**
 * Which ranges of one stream lie in objects.
 *
 * @module
 */

/** Numbers that a range takes. */
const WIDTH = 5;

/** A range of a stream in an object, packed as `packed.ts` says. */
export interface ColdRange {
  /** Offsets of the stream; both are ends of messages. */
  readonly from: number;
  readonly to: number;
  /** Number of the object. */
  readonly number: number;
  /** Where in the object its packed form begins. */
  readonly at: number;
  /** How long the row of message lengths is that stands before the bytes; 0 for one message. */
  readonly rowBytes: number;
}

/** Bytes that a range takes in its object. */
export function packedBytes({ from, to, rowBytes }: ColdRange): number {
  return rowBytes + to - from;
}

/**
 * Ascending ranges, five numbers each: 40 bytes, and no object of their own. There may be gaps
 * where bytes were trimmed. Ranges are added in place and replaced in a copy, so that a
 * {@linkcode ColdRanges.view} stays as it is.
 */
export class ColdRanges {
  #numbers: number[];
  #count: number;

  /** Without ranges, unless they are handed over. */
  constructor(numbers: number[] = [], count: number = numbers.length / WIDTH) {
    this.#numbers = numbers;
    this.#count = count;
  }

  /** How many ranges there are. */
  get count(): number {
    return this.#count;
  }

  /** The ranges as they are now, whatever becomes of these. */
  view(): ColdRanges {
    return new ColdRanges(this.#numbers, this.#count);
  }

  /** Range `i`. */
  range(i: number): ColdRange {
    const at = i * WIDTH;
    return {
      from: this.#number(at),
      to: this.#number(at + 1),
      number: this.#number(at + 2),
      at: this.#number(at + 3),
      rowBytes: this.#number(at + 4),
    };
  }

  /** Number of the object that holds range `i`. */
  objectOf(i: number): number {
    return this.#number(i * WIDTH + 2);
  }

  /** Adds a range behind the others. */
  push(range: ColdRange): void {
    this.#numbers.push(...fields(range));
    this.#count++;
  }

  /** Puts `range` in the place of `count` ranges from range `i` on. */
  replace(i: number, count: number, range: ColdRange): void {
    const numbers = this.#numbers.slice();
    numbers.splice(i * WIDTH, count * WIDTH, ...fields(range));
    this.#numbers = numbers;
    this.#count += 1 - count;
  }

  /** Takes away those of the first `count` ranges that `keeps` refuses; answers them. */
  drop(count: number, keeps: (range: ColdRange) => boolean): ColdRange[] {
    const dropped: ColdRange[] = [];
    const kept: number[] = [];
    for (let i = 0; i < count; i++) {
      const range = this.range(i);
      if (keeps(range)) kept.push(...fields(range));
      else dropped.push(range);
    }
    if (dropped.length === 0) return dropped;
    this.#numbers = kept.concat(this.#numbers.slice(count * WIDTH, this.#count * WIDTH));
    this.#count -= dropped.length;
    return dropped;
  }

  /** The first range that ends behind `offset`; the number of ranges when there is none. */
  indexAt(offset: number): number {
    let low = 0, high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#number(middle * WIDTH + 1) > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #number(at: number): number {
    return this.#numbers[at] as number; // in bounds by contract
  }
}

function fields({ from, to, number, at, rowBytes }: ColdRange): number[] {
  return [from, to, number, at, rowBytes];
}
