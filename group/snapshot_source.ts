import type { SnapshotMark } from "../raft/mod.ts";
import type { GroupState } from "../stream/mod.ts";

/** A RaftSnapshot about to be written or sent. */
export interface SnapshotSource {
  readonly mark: SnapshotMark;
  /** To be read to the end, or given back by `return()` of its iterator. */
  readonly chunks: Iterable<Uint8Array>;
}

/**
 * The state as it is now, which `mark` stands for; applying goes on while it is read out.
 *
 * @param onEnd called once it is read to the end, or given back
 * @throws {Error} while another one of the same state is read out
 */
export function snapshotOf(
  state: GroupState,
  mark: SnapshotMark,
  onEnd: () => void,
): SnapshotSource {
  const pieces = state.export();
  // The first pull fixes what is exported.
  return { mark, chunks: resumed(pieces.next(), pieces, onEnd) };
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
