/**
 * What the simulation found of the cold tier, told as short scenarios: each was once wrong.
 */

import assert from "node:assert/strict";
import { ClusterStage } from "./cluster_stage.ts";
import type { ColdPlan } from "./plan.ts";

const KEY = "alpha/one";
const OBJECTS = 40;

/** A tier that flushes whatever there is, at once. */
const EAGER: ColdPlan = {
  kind: "own",
  flushIntervalMs: 20,
  flushMinHotBytes: 1,
  flushMaxBytes: 256,
  flushesMax: 4,
  hotBytesPerGroupMax: 1 << 26,
  keepsMs: 60_000,
  cacheBytesMax: 0,
  timing: {},
  latencyMsMax: 10,
  faults: [],
  sweepsOut: false,
};

Deno.test("a node that lacks more objects than one reads all the same", async () => {
  const stage = new ClusterStage(1, { cold: EAGER }, { memory: true });
  await stage.start();
  const [follower] = stage.followers();
  await stage.create(follower, KEY);
  let text = "";
  for (let at = 0; at < OBJECTS; at++) {
    await stage.append(follower, KEY, `${at};`);
    text += `${at};`;
    await stage.clock.run(60);
  }
  assert.equal(stage.group(follower).state.hotBytes, 0, "all was flushed");
  follower.kill();
  await stage.clock.run(500);
  await stage.clock.until(follower.start());
  // It has heard of all, and has fetched next to nothing.
  await stage.until(() => stage.group(follower).state.cold.objects.count >= OBJECTS);
  assert.equal(await stage.text(follower, KEY), text);
});
