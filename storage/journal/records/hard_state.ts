/**
 * Term and vote of a group (paper, figure 2). The header's term is the term, its index is 0; the
 * payload is empty where nobody was voted for, else a byte 1 and the member in UTF-8.
 *
 * @module
 */

/** Record kind of a hard state. */
export const HARD_STATE_KIND = 4;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** The payload that says `votedFor`. */
export function encodeVote(votedFor: string | undefined): Uint8Array {
  if (votedFor === undefined) return new Uint8Array(0);
  const name = encoder.encode(votedFor);
  const payload = new Uint8Array(1 + name.length);
  payload[0] = 1;
  payload.set(name, 1);
  return payload;
}

/** Whom a payload of {@linkcode encodeVote} names. */
export function decodeVote(payload: Uint8Array): string | undefined {
  return payload.length === 0 ? undefined : decoder.decode(payload.subarray(1));
}
