/**
 * A shard with a cold tier whose store is in the test's hands.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Group } from "../../group/mod.ts";
import type { ColdFacts } from "../../shard/mod.ts";
import type { ColdSetup, ShardSetup } from "../../shard/setup.ts";
import { ColdReader, type ColdStore } from "../../storage/cold/mod.ts";
import type { ColdPiece, Slice } from "../../stream/mod.ts";
import type { SimClock } from "../sim/clock.ts";
import type { SimDisk } from "../sim/disk.ts";
import { joined } from "./bytes.ts";
import type { GivenStore } from "./cold_store.ts";
import { appendOf, createOf, openBucketOf, textOf } from "./commands.ts";
import { COLD_FORMATION, coldSetupOf, type GivenShard, givenShard } from "./shard.ts";

/** What {@linkcode givenCold} opened. */
export interface GivenCold extends GivenShard {
  readonly store: GivenStore;
  /** The replicas by number. */
  readonly groups: readonly Group[];
  /** What the cold tier has done, as operators see it. */
  readonly counters: ColdFacts;
}

/** A shard with the stream `demo/s<group>` in each group; on a disk found, what lies there. */
export async function givenCold(
  options:
    & { readonly store: GivenStore; readonly clock?: SimClock; readonly disk?: SimDisk }
    & Partial<ColdSetup>
    & Partial<Pick<ShardSetup, "groupCount" | "hotBytesMax" | "directory" | "hasStarted">>
    & Partial<Pick<ShardSetup, "snapshotLogBytesMin">>,
): Promise<GivenCold> {
  const { store, clock, disk, groupCount = 1, hotBytesMax = 1 << 26, ...rest } = options;
  const { directory, hasStarted = false, snapshotLogBytesMin, ...cold } = rest;
  const groups: Group[] = [];
  // Decides whether replicas keep what was flushed; the store is opened in its place.
  const kind = store.isShared ? "s3" : "memory";
  const shard = await givenShard({
    clock,
    disk,
    groupCount,
    hotBytesMax,
    directory,
    hasStarted,
    snapshotLogBytesMin,
    cold: coldSetupOf({ backend: { kind } as ColdSetup["backend"], ...cold }),
    coldStore: store,
    onGroup: (group) => void (groups[group.id] = group),
  });
  for (let group = 0; group < groupCount && disk === undefined; group++) {
    for (const command of [openBucketOf("demo"), createOf(`demo/s${group}`)]) {
      const answer = await shard.clock.until(shard.shard.submit(group, command));
      assert.ok("ok" in answer, JSON.stringify(answer));
    }
  }
  return {
    ...shard,
    store,
    groups,
    get counters() {
      const { cold } = shard.shard.report();
      assert.ok(cold !== undefined);
      return cold;
    },
  };
}

/** The replica of a shard with one group. */
export function only({ groups: [group] }: GivenCold): Group {
  assert.ok(group !== undefined);
  return group;
}

/** Appends to `demo/<name>`, and says what came of it. */
export async function append(
  given: GivenShard,
  name: string,
  text: string,
  group = 0,
): Promise<string> {
  const answer = await given.clock.until(
    given.shard.submit(group, appendOf(`demo/${name}`, text)),
  );
  if ("ok" in answer) return answer.ok;
  return "unavailable" in answer ? answer.unavailable : answer.refused;
}

/** All of `demo/<name>` as text, from memory and from the store alike. */
export async function contentOf(group: Group, name: string, store: ColdStore): Promise<string> {
  const plan = group.state.read(`demo/${name}`, "start", 1 << 24);
  assert.ok("slices" in plan);
  const reader = new ColdReader({ store });
  const bytes = async (piece: Slice | ColdPiece): Promise<Uint8Array[]> => {
    if ("slab" in piece) return [piece.slab.bytes.slice(piece.start, piece.end)];
    const { number, term, objectBytes, at, rowBytes, rangeFrom, from, to } = piece;
    const object = { formation: COLD_FORMATION, group: group.id, number, term, bytes: objectBytes };
    const found: Uint8Array[] = [];
    for await (const part of reader.read(object, at + rowBytes + from - rangeFrom, to - from)) {
      found.push(part.slice());
    }
    return found;
  };
  const parts: Uint8Array[] = [];
  for (const piece of plan.cold?.pieces ?? plan.slices) parts.push(...await bytes(piece));
  reader.close();
  return textOf(joined(parts));
}
