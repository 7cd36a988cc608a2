/**
 * Raft messages as they go between nodes.
 *
 * A batch is a row of `[group][length][message]`, a message `[type][term]` and the type's fields.
 * Numbers are base-128, low bits first; the length is four bytes, big-endian. Sender and receiver
 * are not in it: the link knows both. Times are cut to whole milliseconds, downwards, so that a
 * lease can only end earlier than it would have.
 *
 * @module
 */

import type { Message } from "../raft/mod.ts";
import type { CommandPayload } from "./payload.ts";

/** Any message of a group's core. */
export type RaftMessage = Message<CommandPayload>;

/** Message types by number; part of the format, only ever added to. */
export const MESSAGE_TYPES = [
  "pre_vote",
  "pre_vote_response",
  "vote",
  "vote_response",
  "append",
  "append_ack",
  "append_reject",
  "commit",
  "heartbeat",
  "heartbeat_response",
  "snapshot",
  "timeout_now",
  "read_index",
  "read_index_response",
] as const satisfies readonly RaftMessage["type"][];

/** Kinds of entries by number; part of the format. */
export const ENTRY_KINDS = { COMMAND: 0, NOOP: 1, MEMBERSHIP: 2 } as const;

/** Bytes of the longest number. */
export const NUMBER_BYTES_MAX = 8;
