/**
 * Links between nodes.
 *
 * Each shard of a node has one {@linkcode PeerPlane}. It dials every peer; what it dials carries its
 * own messages and calls, and answers come back on the connection that the call came on. Any shard
 * of the peer may be the one that accepts.
 *
 * ```text
 * send ─► lane control ─┐  one write at a time; all that one      ┌─► onMessage
 * send ─► lane bulk ────┴► turn queued leaves in one, control ──► ┤   one copy, a message's own
 * call ─► lane bulk        first, bulk in frames of 256 KiB       └─► onCall ─► respond ─► …
 * ```
 *
 * Each end says what it has read. Bulk that was handed over and not read is bounded, by what adds
 * 100 ms to the link's delay: what the system has taken can't be overtaken any more (`window.ts`).
 *
 * Within a lane of one connection messages keep their order and none is doubled; those that were
 * queued or under way when a connection breaks are lost. So is what `send` answers `false` to:
 * nobody is connected, or too much waits already.
 *
 * A connection begins with a handshake: both ends say who they are, and with a secret configured
 * both prove that they know it, before anything else is read. It ends when it breaks, when nothing
 * came for 2 s (each end sends a ping where it has nothing else to say), when the other end breaks
 * the rules of the protocol, or when the peer turns up with another store id.
 *
 * @module
 */

export * from "./types.ts";
export { PeerPlane } from "./plane.ts";
