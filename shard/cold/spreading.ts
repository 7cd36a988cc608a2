import type { Group } from "../../group/mod.ts";
import type { Clock } from "../../io/mod.ts";
import type { MemberId } from "../../raft/mod.ts";
import { nodeOf } from "../../storage/member.ts";
import type { ObjectName } from "../../stream/mod.ts";
import { PEER_KINDS } from "../peer_kinds.ts";
import { type Peers, presentMember } from "../peers.ts";
import { encodeRequest } from "./requests.ts";

/** A node that did not take an object is told again after this. */
const AGAIN_MS = 1_000;
/** An object that a majority has not taken by then is given up. */
const SPREAD_MS_MAX = 60_000;

/**
 * Has the other voters fetch an object from this node, which holds it, before anything refers to it.
 * Resolves true once a majority of voters hold it durably, of both memberships where they change;
 * false when that takes too long, or the signal says that it is not wanted.
 */
export async function spreadObject(
  group: Group,
  object: ObjectName,
  { peers, clock, signal }: { peers: Peers; clock: Clock; signal: AbortSignal },
): Promise<boolean> {
  const holders = new Set<MemberId>([group.member]);
  const request = encodeRequest({ ask: "take", group: group.id, ...object });
  const untilMs = clock.monotonicMs() + SPREAD_MS_MAX;
  const told = new Set<MemberId>();
  let wake = () => {};
  const tell = async (member: MemberId) => {
    told.add(member);
    const answer = await peers.call(nodeOf(member), PEER_KINDS.COLD, [request]);
    told.delete(member);
    if (!(answer instanceof Uint8Array) || answer[0] !== 1) return;
    holders.add(member);
    wake();
  };
  while (!signal.aborted && clock.monotonicMs() < untilMs) {
    const { voters, outgoing } = group.status().membership;
    if (isMajority(holders, voters) && isMajority(holders, outgoing)) return true;
    for (const member of new Set([...voters, ...outgoing])) {
      if (holders.has(member) || told.has(member)) continue;
      if (presentMember(peers, nodeOf(member)) === member) void tell(member);
    }
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(AGAIN_MS, resolve);
      wake = () => {
        timer.cancel();
        resolve();
      };
      signal.addEventListener("abort", wake, { once: true });
    });
    signal.removeEventListener("abort", wake);
  }
  return false;
}

/** Are more than half of the voters holders? Of none, as the one of an unchanged membership, yes. */
function isMajority(holders: ReadonlySet<MemberId>, voters: readonly MemberId[]): boolean {
  const held = voters.filter((voter) => holders.has(voter)).length;
  return voters.length === 0 || 2 * held > voters.length;
}
