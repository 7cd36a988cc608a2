/**
 * Streams as they were when an export began.
 *
 * @module
 */

import type { StreamLog } from "./log.ts";
import type { Producers } from "./producers.ts";
import { type RareParts, type Stream } from "./stream.ts";
import type { ExportWatch, Tables } from "./tables.ts";

/**
 * One stream's state, safe from later changes. What is flushed is left out of a copy of its log's
 * rows, which otherwise only grow: a view and the number of chunks keep the log as it was.
 */
export interface FrozenStream {
  readonly stream: Stream;
  readonly tail: number;
  readonly closed: boolean;
  readonly softDeleted: boolean;
  readonly lastWriteAtMs: number;
  readonly rare: Readonly<RareParts> | undefined;
  readonly log: StreamLog | undefined;
  readonly chunks: number;
}

/** A copy of what may change. */
export function freeze(stream: Stream): FrozenStream {
  const { tail, closed, softDeleted, lastWriteAtMs } = stream;
  const log = stream.log?.view();
  const chunks = log === undefined ? 0 : log.chunks;
  const rare = stream.rare === undefined ? undefined : freezeRare(stream.rare);
  return { stream, tail, closed, softDeleted, lastWriteAtMs, rare, log, chunks };
}

function freezeRare(rare: RareParts): RareParts {
  if (rare.producers === undefined) return { ...rare };
  const producers: Producers = new Map();
  for (const [id, state] of rare.producers) producers.set(id, { ...state });
  return { ...rare, producers };
}

/**
 * Copy on write, a stream at a time: the export lists all streams when it begins and freezes each
 * when it comes to it; a stream that is about to change before is frozen there and then.
 */
export class FrozenStreams implements ExportWatch {
  readonly #number: number;
  readonly #begunAt: number;
  readonly #streams: Stream[];
  readonly #early = new Map<Stream, FrozenStream>();
  readonly #adopted: StreamLog[] = [];

  /** Begins to watch. */
  constructor(private readonly tables: Tables) {
    if (tables.watch !== undefined) throw new Error("one export at a time");
    this.#number = ++tables.exports;
    this.#begunAt = tables.index;
    this.#streams = [...tables.streams.values()];
    tables.watch = this;
  }

  /** Each stream as it was, in order of creation. */
  *take(): Generator<FrozenStream, void, void> {
    for (const stream of this.#streams) {
      const early = this.#early.get(stream);
      this.#early.delete(stream);
      stream.exportSeen = this.#number;
      yield early ?? freeze(stream);
    }
  }

  /** Ends the watch and lets go of what was kept for it. */
  close(): void {
    this.tables.watch = undefined;
    for (const log of this.#adopted) log.releaseAll();
  }

  /** See `ExportWatch`. */
  preserve(stream: Stream): void {
    if (stream.exportSeen === this.#number) return;
    stream.exportSeen = this.#number;
    this.#early.set(stream, freeze(stream));
  }

  /** See `ExportWatch`. Kept to the end even where it was written out: it may be under way. */
  adopt(stream: Stream, log: StreamLog): boolean {
    if (stream.index > this.#begunAt) return false;
    this.keep(log);
    return true;
  }

  /** See `ExportWatch`. */
  keep(log: StreamLog): void {
    this.#adopted.push(log);
  }
}
