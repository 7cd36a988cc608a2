import { ERROR_CODES, ERRORS } from "../protocol/mod.ts";
import { Durations, type TrafficFacts } from "../shard/mod.ts";
import { OPERATIONS } from "./operations.ts";

/** Statuses of answers that are no errors. */
const SUCCESSES = [200, 201, 204, 206, 304, 307];

/** Every status that an answer may have; 0 stands for one that nobody thought of. */
export const STATUSES: readonly number[] = [
  0,
  ...new Set([...SUCCESSES, ...ERROR_CODES.map((code) => ERRORS[code].status)]),
].sort((one, other) => one - other);

/** Where a status stands in {@linkcode STATUSES}. */
const PLACE_OF = Uint8Array.from({ length: 600 }, (_, status) => {
  const place = STATUSES.indexOf(status);
  return place < 0 ? 0 : place;
});

/**
 * Counts what a client plane answers, by operation and status, and times it. This is done for every
 * request: some nanoseconds, and nothing that has to be allocated.
 */
export class Traffic implements TrafficFacts {
  /** For each operation a cell for each of {@linkcode STATUSES}. */
  readonly responses: Float64Array<ArrayBuffer> = new Float64Array(
    OPERATIONS.length * STATUSES.length,
  );
  readonly #durations = new Durations(OPERATIONS.length);

  /** Histograms, a row for each operation. */
  get durations(): Float64Array {
    return this.#durations.cells;
  }

  /** Counts an answer. @param operation its number, see `operations.ts` */
  record(operation: number, status: number, durationMs: number): void {
    const { responses } = this;
    const cell = operation * STATUSES.length + (PLACE_OF[status] ?? 0);
    responses[cell] = (responses[cell] ?? 0) + 1;
    this.#durations.record(durationMs, operation);
  }
}

/** How often an operation was answered with a status, on all planes together. */
export function responsesOf(
  planes: readonly TrafficFacts[],
  operation: number,
  status: number,
): number {
  const cell = operation * STATUSES.length + STATUSES.indexOf(status);
  return planes.reduce((total, { responses }) => total + (responses[cell] ?? 0), 0);
}
