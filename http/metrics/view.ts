import type { GroupFacts, ShardFacts, TrafficFacts } from "../../shard/mod.ts";
import type { NodeFacts } from "../context.ts";
import { obstacleOf } from "../readiness.ts";
import { type Bounds, boundsOf } from "./bounds.ts";
import { type ColdTotals, coldTotalsOf } from "./cold.ts";
import { type GroupTotals, groupTotalsOf } from "./groups.ts";
import { type JournalTotals, journalTotalsOf } from "./journal.ts";
import { type PeerTotals, peerTotalsOf } from "./node.ts";

/** A node's facts with what follows from them: worked out once, for whatever form they are given. */
export interface MetricsView {
  readonly facts: NodeFacts;
  readonly shards: readonly ShardFacts[];
  readonly groups: readonly GroupFacts[];
  readonly peers: PeerTotals;
  readonly bounds: Bounds;
  readonly totals: GroupTotals;
  /** Undefined where nothing is kept on disk. */
  readonly journal: JournalTotals | undefined;
  /** Undefined where all is kept in memory. */
  readonly cold: ColdTotals | undefined;
  readonly traffic: readonly TrafficFacts[];
  /** Why the node is not ready; undefined when it is. */
  readonly obstacle: string | undefined;
}

/** Works out a {@linkcode MetricsView}. */
export function viewOf(facts: NodeFacts): MetricsView {
  const { shards, groups } = facts;
  return {
    facts,
    shards,
    groups,
    peers: peerTotalsOf(facts),
    bounds: boundsOf(facts),
    totals: groupTotalsOf(groups),
    journal: journalTotalsOf(shards),
    cold: coldTotalsOf(shards),
    traffic: shards.map(({ plane }) => plane?.traffic).filter((traffic) => traffic !== undefined),
    obstacle: obstacleOf(facts),
  };
}
