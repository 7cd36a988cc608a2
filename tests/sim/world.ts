/**
 * What the parts of one run share.
 *
 * @module
 */

import type { StreamFacts } from "../../stream/mod.ts";
import type { Ledger } from "./check/ledger.ts";
import type { Namespace } from "./check/namespace.ts";
import type { Writes } from "./check/writes.ts";
import type { SimClock } from "./clock.ts";
import type { LiveReader } from "./live_reader.ts";
import type { Plan } from "./plan.ts";
import type { SimNode } from "./sim_node.ts";
import type { Trace } from "./trace.ts";

/** Message ends of a stream that are remembered for reads to begin at. */
const BOUNDARIES_MAX = 16;

/** One run, as clients and faults see it. */
export interface World {
  readonly plan: Plan;
  readonly clock: SimClock;
  readonly nodes: readonly SimNode[];
  /** Those that clients may ask: not one that lost its data, and that nobody has replaced. */
  readonly serving: readonly SimNode[];
  readonly namespace: Namespace;
  readonly ledger: Ledger;
  readonly writes: Writes;
  readonly trace: Trace;
  /** What clients have heard of each stream, to ask sensible things. */
  readonly book: Map<string, BookEntry>;
  /** Clients finish what they do and begin nothing more. */
  readonly draining: boolean;
  /** Live reads under way. */
  readonly readers: Set<LiveReader>;
  /** Latest group time over all groups, in ms. */
  groupNowMs(): number;
  /** What lives until then has expired, as that node sees it; group time in ms. */
  expiredMs(node: SimNode): number;
  /** May a replica of that node have lost its leader, so that it ends live reads? */
  mayBeDeaf(node: SimNode): boolean;
  /** Ends the run: something was wrong where nobody could be told. */
  fail(error: unknown): void;
}

/** What was last heard of a stream; it may be long over. */
export interface BookEntry {
  incarnation: string;
  contentType: string;
  json: boolean;
  tail: number;
  closed: boolean;
  boundaries: number[];
}

/** Takes note of what an answer says. */
export function note(world: World, key: string, facts: StreamFacts | undefined): void {
  if (facts === undefined) return;
  const { incarnation, contentType, json, tail, closed } = facts;
  const known = world.book.get(key);
  const boundaries = known?.incarnation === incarnation ? known.boundaries : [0];
  if (boundaries.at(-1) !== tail) boundaries.push(tail);
  // Old ones are worth as much as new ones: what lies there may have left memory long ago.
  if (boundaries.length > BOUNDARIES_MAX) boundaries.splice(BOUNDARIES_MAX >> 1, 1);
  world.book.set(key, { incarnation, contentType, json, tail, closed, boundaries });
}

/** Resolves after `delayMs` of virtual time, whatever happens to any node. */
export function pause(world: World, delayMs: number): Promise<void> {
  return new Promise((resolve) => world.clock.setTimer(delayMs, resolve));
}
