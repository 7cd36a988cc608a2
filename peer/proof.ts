import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";

/** Length of a proof. */
export const PROOF_BYTES = 32;
/** Stands where no secret is configured. */
const NO_PROOF = new Uint8Array(PROOF_BYTES);

/**
 * Which end a proof is from: one end's can't be thrown back at it as the other's.
 */
export type Side = "dialled" | "accepted";

/**
 * HMAC-SHA-256 under the secret of the side and of all that both said, the two challenges among it.
 * @param secret undefined where there is none: then the proof is empty, and says nothing
 */
export function proofOf(
  secret: Uint8Array | undefined,
  side: Side,
  dialledSaid: Uint8Array,
  acceptedSaid: Uint8Array,
): Uint8Array {
  if (secret === undefined) return NO_PROOF;
  // Hellos carry their own lengths, so what is joined here can be split in one way only.
  return new Uint8Array(
    createHmac("sha256", secret).update(side).update(dialledSaid).update(acceptedSaid).digest(),
  );
}

/** Are two proofs the same? Takes the same time whatever they are. */
export function sameProof(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
