import {
  type ColdPiece,
  type HeldRange,
  RANGE_BYTES_MAX,
  type StreamKey,
} from "../../stream/mod.ts";

/** Most ranges that one object gets, as with flushes. */
const RUNS_MAX = 2_048;
/** Most ranges that go into one object: what applying its command may cost at once. */
const PIECES_MAX = 4_096;

/** Ranges of one stream that lie next to each other, and become one. */
export interface Run {
  readonly key: StreamKey;
  readonly incarnation: string;
  readonly from: number;
  to: number;
  readonly pieces: ColdPiece[];
}

/** Gathers ranges, in order, to runs, and runs to objects. */
export class RunGatherer {
  /** How many runs were begun, of how many ranges, and how many objects they filled. */
  runs = 0;
  ranges = 0;
  objects = 0;
  #runs: Run[] = [];
  #pieces = 0;
  #bytes = 0;

  /** @param fullBytes of an object, which only a single run exceeds */
  constructor(readonly fullBytes: number) {}

  /** Adds a range; answers the runs before it where they fill an object. */
  add({ key, incarnation, piece }: HeldRange): Run[] | undefined {
    this.ranges++;
    const last = this.#runs.at(-1);
    const joins = last !== undefined && last.to === piece.rangeFrom && last.key === key &&
      last.incarnation === incarnation && piece.rangeTo - last.from <= RANGE_BYTES_MAX;
    const isFull = this.#pieces >= PIECES_MAX || this.#bytes + piece.length > this.fullBytes ||
      (!joins && this.#runs.length >= RUNS_MAX);
    const full = isFull ? this.end() : undefined;
    if (joins && full === undefined) {
      last.to = piece.rangeTo;
      last.pieces.push(piece);
    } else {
      const { rangeFrom: from, rangeTo: to } = piece;
      this.#runs.push({ key, incarnation, from, to, pieces: [piece] });
      this.runs++;
    }
    this.#pieces++;
    this.#bytes += piece.length;
    return full;
  }

  /** The runs of the last object. */
  end(): Run[] | undefined {
    const runs = this.#runs;
    if (runs.length === 0) return undefined;
    this.#runs = [];
    this.#pieces = this.#bytes = 0;
    this.objects++;
    return runs;
  }
}
