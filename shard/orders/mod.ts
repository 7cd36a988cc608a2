/**
 * What operators order: RaftSnapshots, transfers, changes of membership, flushes. Orders are carried
 * out on this node's replica alone and are never sent on: who gives them looks for the leader.
 *
 * @module
 */
export { Orders } from "./orders.ts";
export type { GroupOrder, Members, OrderAnswer, OrderRefused, OrderResults } from "./types.ts";
