import type { Unavailable } from "../group/mod.ts";
import type { Outgoing } from "./outgoing.ts";

/** Bytes that are asked for at a time. */
const PIECE_BYTES = 1024 * 1024;

/** Gives `length` bytes from `offset` on. */
export type FetchBytes = (offset: number, length: number) => Promise<Uint8Array | Unavailable>;

/**
 * The bytes from `from` to `to`, or why there are none. What does not fit into one piece is a
 * stream: the next piece is asked for as the client takes the one before, and one that does not
 * come breaks the connection, as nothing can be said any more.
 */
export async function snapshotBytes(
  outgoing: Outgoing,
  fetch: FetchBytes,
  from: number,
  to: number,
): Promise<Uint8Array | ReadableStream<Uint8Array> | Unavailable> {
  if (from === to) return new Uint8Array(0);
  const first = await fetch(from, Math.min(PIECE_BYTES, to - from));
  if ("unavailable" in first || from + first.length === to) return first;
  let at = from;
  let ahead: Uint8Array | undefined = first;
  return outgoing.stream(PIECE_BYTES, async () => {
    const piece = ahead ?? await fetch(at, Math.min(PIECE_BYTES, to - at));
    ahead = undefined;
    if ("unavailable" in piece) throw new Error(`the snapshot breaks off: ${piece.unavailable}`);
    at += piece.length;
    return { piece, isLast: at === to };
  });
}
