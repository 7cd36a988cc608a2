import assert from "node:assert/strict";
import { GroupState } from "../../stream/mod.ts";
import { appendOf, createOf, openBucketOf } from "../../tests/given/commands.ts";
import { coldSetupOf, givenShard } from "../../tests/given/shard.ts";
import { ColdCounters } from "./counters.ts";
import { coldFactsOf } from "./facts.ts";

const USAGE = { bytes: 5, fetches: 4, blocksFound: 3, blocksMissed: 2 };

/** A group with ten bytes of a stream in an object, and three that are hot. */
function givenState(group: number, pinsFlushed: boolean): GroupState {
  const state = new GroupState({ group, formation: "f0000000", pinsFlushed });
  const apply = (index: number, command: Parameters<GroupState["apply"]>[0]) =>
    state.apply(command, index, 1_000 + index);
  apply(1, openBucketOf("demo"));
  apply(2, createOf("demo/a"));
  apply(3, appendOf("demo/a", "0123456789"));
  const { ranges, length } = state.cold.planFlush({ maxBytes: 1 << 20 });
  apply(4, { type: "flush", object: { number: 1, term: 1, length }, ranges });
  apply(5, appendOf("demo/a", "abc"));
  return state;
}

Deno.test("coldFactsOf() adds up groups, and says what was counted and what is kept", () => {
  const counters = new ColdCounters();
  counters.flushes = 2;
  counters.refusals = 7;
  const groups = [{ state: givenState(0, true) }, { state: givenState(1, false) }];
  assert.deepEqual(coldFactsOf(groups, USAGE, counters), {
    objects: 2,
    bytes: 20,
    hotBytes: 6,
    pinnedBytes: 10,
    cacheBytes: 5,
    fetches: 4,
    blocksFound: 3,
    blocksMissed: 2,
    flushes: 2,
    flushedBytes: 0,
    uploadFailures: 0,
    refusals: 7,
    readFailures: 0,
    deletedObjects: 0,
    merges: 0,
    mergedBytes: 0,
  });
});

Deno.test("report() has facts of the cold tier where there is one, which travel between shards", async () => {
  const bare = await givenShard();
  assert.equal(bare.shard.report().cold, undefined);
  await bare.clock.until(bare.open.stop());
  const { shard, open, clock } = await givenShard({
    cold: coldSetupOf(),
  });
  for (const command of [openBucketOf("demo"), createOf("demo/a"), appendOf("demo/a", "abc")]) {
    await clock.until(shard.submit(0, command));
  }
  const { cold } = structuredClone(shard.report());
  assert.deepEqual([cold?.objects, cold?.hotBytes, cold?.flushes], [0, 3, 0]);
  await clock.until(open.stop());
});
