import { RAFT_TIMING } from "../group/mod.ts";
import type { BoundFacts, ShardFacts } from "../shard/mod.ts";
import type { NodeFacts } from "./context.ts";

/** The bounds of SPEC section 8 as they stand on this node. */
export interface Bounds {
  readonly hotBytes: BoundFacts;
  /** Trimmed bytes that bootstraps keep. */
  readonly kept: BoundFacts;
  readonly bodies: BoundFacts;
  readonly liveReaders: BoundFacts;
  /** Of the group with the most; refused are those of all groups, whichever of the two it was. */
  readonly proposals: BoundFacts;
  readonly proposalBytes: BoundFacts;
  readonly disk: ShardFacts["disk"];
}

const NOTHING: BoundFacts = { now: 0, max: 0, refused: 0 };

/** Puts together what the shards and groups of a node say. */
export function boundsOf({ shards, groups }: NodeFacts): Bounds {
  const refused = groups.reduce((total, { overloads }) => total + overloads, 0);
  const most = (field: "proposals" | "proposalBytes") =>
    groups.reduce((max, group) => Math.max(max, group[field]), 0);
  return {
    hotBytes: total(shards.map(({ hotBytes }) => hotBytes)),
    kept: total(shards.map(({ kept }) => kept)),
    bodies: total(shards.map(({ plane }) => plane?.bodies ?? NOTHING)),
    liveReaders: total(shards.map(({ plane }) => plane?.liveReaders ?? NOTHING)),
    proposals: { now: most("proposals"), max: RAFT_TIMING.uncommittedEntriesMax, refused },
    proposalBytes: { now: most("proposalBytes"), max: RAFT_TIMING.uncommittedBytesMax, refused },
    disk: {
      freeBytes: shards.find(({ disk }) => disk.freeBytes !== undefined)?.disk.freeBytes,
      low: shards.some(({ disk }) => disk.low),
      refused: shards.reduce((sum, { disk }) => sum + disk.refused, 0),
    },
  };
}

function total(bounds: readonly BoundFacts[]): BoundFacts {
  let [now, max, refused] = [0, 0, 0];
  for (const bound of bounds) {
    now += bound.now;
    max += bound.max;
    refused += bound.refused;
  }
  return { now, max, refused };
}
