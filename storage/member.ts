/**
 * Ids of Raft members: a node *and* its store, so that a node which came back without its data is
 * another one (SPEC section 8, Identity).
 *
 * @module
 */

/** The member that a node with this store is. */
export function memberOf(
  { nodeId, storeId }: { readonly nodeId: number; readonly storeId: string },
): string {
  return `${nodeId}.${storeId}`;
}

/** The node that a member is on; NaN where the text is no member's id. */
export function nodeOf(member: string): number {
  return Number.parseInt(member, 10);
}

/** The store that a member is. */
export function storeOf(member: string): string {
  return member.slice(member.indexOf(".") + 1);
}
