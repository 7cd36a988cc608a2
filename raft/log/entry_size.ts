import type { Entry, Payload } from "../types.ts";

/** What an entry counts beside its payload, so that empty ones are bounded too. */
export const ENTRY_OVERHEAD_BYTES = 32;

/** What an entry counts towards the bounds on messages, flight and memory. */
export function entrySize<P extends Payload>(entry: Entry<P>): number {
  return entry.kind === "command"
    ? entry.payload.length + ENTRY_OVERHEAD_BYTES
    : ENTRY_OVERHEAD_BYTES;
}
