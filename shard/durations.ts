/** Upper bounds of the buckets, in ms; one more bucket holds what took longer. */
export const DURATION_BOUNDS_MS: readonly number[] = [
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
  25,
  50,
  100,
  250,
  500,
  1_000,
  2_500,
  5_000,
  10_000,
  30_000,
];

/** Cells of one histogram: a count for each bucket, and behind them the sum of all values. */
export const DURATION_CELLS: number = DURATION_BOUNDS_MS.length + 2;
const SUM_CELL = DURATION_CELLS - 1;

/** As a typed array, which costs less to look through. */
const BOUNDS = Float64Array.from(DURATION_BOUNDS_MS);

/**
 * Histograms of durations, one for each row. Numbers in one array and nothing else: recording a value
 * takes some nanoseconds and no memory, and the array goes to another shard as it is.
 */
export class Durations {
  /** The rows' cells, one row behind the other; see {@linkcode DURATION_CELLS}. */
  readonly cells: Float64Array<ArrayBuffer>;

  constructor(rows = 1) {
    this.cells = new Float64Array(rows * DURATION_CELLS);
  }

  /** Takes a value down. */
  record(ms: number, row = 0): void {
    const first = row * DURATION_CELLS;
    let bucket = 0;
    while (bucket < BOUNDS.length && ms > (BOUNDS[bucket] as number)) bucket++; // bucket < length
    const { cells } = this;
    cells[first + bucket] = (cells[first + bucket] ?? 0) + 1;
    cells[first + SUM_CELL] = (cells[first + SUM_CELL] ?? 0) + ms;
  }
}

/** A histogram as it is read. */
export interface DurationFacts {
  /** For each bucket how many values were in it or in one below; the last one is all of them. */
  readonly cumulative: readonly number[];
  readonly count: number;
  readonly sumMs: number;
}

/** Reads one row out of what several shards have recorded, added up. */
export function durationFactsOf(recorded: Iterable<Float64Array>, row = 0): DurationFacts {
  const cumulative = new Array<number>(SUM_CELL).fill(0);
  let count = 0;
  let sumMs = 0;
  for (const cells of recorded) {
    const first = row * DURATION_CELLS;
    let below = 0;
    for (let bucket = 0; bucket < SUM_CELL; bucket++) {
      below += cells[first + bucket] ?? 0;
      cumulative[bucket] = (cumulative[bucket] ?? 0) + below;
    }
    count += below;
    sumMs += cells[first + SUM_CELL] ?? 0;
  }
  return { cumulative, count, sumMs };
}
