/** Bodies of append batches. @module */

const utf8 = new TextEncoder();

/** Puts items together into the body of a batch (SPEC section 4). */
export function batchOf(
  items: readonly (Uint8Array | string)[],
): Uint8Array<ArrayBuffer> {
  const pieces = items.map((item) => typeof item === "string" ? utf8.encode(item) : item);
  const body = new Uint8Array(pieces.reduce((sum, { length }) => sum + 4 + length, 0));
  const view = new DataView(body.buffer);
  let at = 0;
  for (const piece of pieces) {
    view.setUint32(at, piece.length);
    body.set(piece, at + 4);
    at += 4 + piece.length;
  }
  return body;
}
