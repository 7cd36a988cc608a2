import type { MemberId, Membership } from "./types.ts";
import type { Progress } from "./tracker/progress.ts";

/**
 * The highest number that a majority of `voters` has reached; Infinity where there are none, since
 * an absent half of a joint membership agrees to everything.
 */
export function majorityReached(
  voters: readonly Progress[],
  read: (progress: Progress) => number,
): number {
  const [a, b, c] = voters;
  if (a === undefined) return Infinity;
  if (b === undefined) return read(a);
  if (c === undefined) return Math.min(read(a), read(b));
  if (voters.length === 3) {
    const x = read(a), y = read(b), z = read(c);
    return Math.max(Math.min(x, y), Math.min(Math.max(x, y), z));
  }
  const sorted = voters.map(read).sort((x, y) => y - x);
  return sorted[voters.length >> 1] ?? 0;
}

/** Where an election stands. */
export type Tally = "won" | "lost" | "open";

function tallyOf(voters: readonly MemberId[], votes: ReadonlyMap<MemberId, boolean>): Tally {
  let granted = 0;
  let refused = 0;
  for (const id of voters) {
    const vote = votes.get(id);
    if (vote === true) granted++;
    else if (vote === false) refused++;
  }
  const majority = (voters.length >> 1) + 1;
  if (granted >= majority || voters.length === 0) return "won";
  return refused > voters.length - majority ? "lost" : "open";
}

/** Counts votes; in a joint membership both halves must agree (paper §6). */
export function tally(membership: Membership, votes: ReadonlyMap<MemberId, boolean>): Tally {
  const incoming = tallyOf(membership.voters, votes);
  const outgoing = tallyOf(membership.outgoing, votes);
  if (incoming === "lost" || outgoing === "lost") return "lost";
  return incoming === "won" && outgoing === "won" ? "won" : "open";
}
