/**
 * What tests of a shard's cold tier ask of it.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Group } from "../../group/mod.ts";
import { ColdReader, type ColdStore } from "../../storage/cold/mod.ts";
import { type ColdPiece, type Slice } from "../../stream/mod.ts";
import { joined } from "./bytes.ts";
import { appendOf, createOf, openBucketOf, textOf } from "./commands.ts";
import { COLD_FORMATION, type GivenShard } from "./shard.ts";

/** Makes the stream `demo/<name>` in a group. */
export async function giveStream(given: GivenShard, name: string, group = 0): Promise<void> {
  for (const command of [openBucketOf("demo"), createOf(`demo/${name}`)]) {
    const answer = await given.clock.until(given.shard.submit(group, command));
    assert.ok("ok" in answer, JSON.stringify(answer));
  }
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
  assert.ok("slices" in plan, JSON.stringify(plan));
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
