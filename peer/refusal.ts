/** Why a handshake came to nothing; each kind is told once. */
export type RefusalKind =
  | "protocol"
  | "version"
  | "hello"
  | "cluster"
  | "secret"
  | "formation"
  | "groups"
  | "commands"
  | "cold_store"
  | "node"
  | "proof"
  | "refused";

/** A handshake that came to nothing because of what was said. */
export class Refusal extends Error {
  /** Of which node, as far as it said. */
  nodeId: number | undefined;

  /** @param kind what does not fit; @param message the rest of a sentence about the other end */
  constructor(readonly kind: RefusalKind, message: string) {
    super(message);
    this.name = "Refusal";
  }
}
