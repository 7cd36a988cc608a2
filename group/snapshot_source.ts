import type { SnapshotMark } from "../raft/mod.ts";
import type { GroupState } from "../stream/mod.ts";

/** A RaftSnapshot about to be written or sent. */
export interface SnapshotSource {
  readonly mark: SnapshotMark;
  /** To be read to the end, or given back by `return()` of its iterator. */
  readonly chunks: Iterable<Uint8Array>;
}

/** Reads a group's state out, for one RaftSnapshot at a time. */
export class SnapshotExports {
  readonly #pieceBytes: number | undefined;
  #underWay: Promise<void> | undefined;

  /** @param pieceBytes how large a chunk becomes; as an export has it where left out */
  constructor(pieceBytes?: number) {
    this.#pieceBytes = pieceBytes;
  }

  /** While one is read out: resolves when that has ended. */
  get underWay(): Promise<void> | undefined {
    return this.#underWay;
  }

  /**
   * The state as it is now, which `mark` stands for; applying goes on while it is read out.
   *
   * @throws {Error} while another one is: whoever can wait looks at {@linkcode underWay} first
   */
  begin(state: GroupState, mark: SnapshotMark): SnapshotSource {
    const pieces = state.export(this.#pieceBytes);
    // The first pull fixes what is exported.
    const first = pieces.next();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#underWay = promise;
    const end = () => {
      this.#underWay = undefined;
      resolve();
    };
    return { mark, chunks: resumed(first, pieces, end) };
  }
}

function* resumed(
  first: IteratorResult<Uint8Array, void>,
  rest: Generator<Uint8Array, void, void>,
  onEnd: () => void,
): Generator<Uint8Array, void, void> {
  try {
    if (first.done !== true) yield first.value;
    yield* rest;
  } finally {
    rest.return();
    onEnd();
  }
}
