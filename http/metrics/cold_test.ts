import assert from "node:assert/strict";
import { COLD_FACTS, nodeFacts, shardFacts } from "../../tests/given/node_facts.ts";
import { givenPlane } from "../../tests/given/plane.ts";
import { coldSetupOf } from "../../tests/given/shard.ts";
import { coldJson } from "./cold.ts";
import { textOf } from "./text.ts";
import { viewOf } from "./view.ts";

Deno.test("coldJson() adds up the shards", () => {
  const shards = [
    shardFacts({ cold: COLD_FACTS }),
    shardFacts({ id: 1, cold: { ...COLD_FACTS, objects: 100 } }),
    shardFacts({ id: 2 }),
  ];
  assert.deepEqual(coldJson(viewOf(nodeFacts(shards))), {
    objects: 101,
    bytes: 4,
    hot_bytes: 6,
    pinned_bytes: 8,
    backlog_bytes: 14,
    flushes: 10,
    flushed_bytes: 12,
    upload_failures: 14,
    read_failures: 16,
    failures: 30,
    backpressure_events: 18,
    deleted_objects: 20,
    merges: 30,
    merged_bytes: 32,
    cache_bytes: 22,
    fetches: 24,
    blocks_found: 26,
    blocks_missed: 28,
  });
});

Deno.test("a node that keeps all in memory has no figures of a cold tier", () => {
  const view = viewOf(nodeFacts([shardFacts()]));
  assert.equal(coldJson(view), null);
  assert.doesNotMatch(textOf(view), /ursula_cold_/);
});

Deno.test("a node's metrics have figures of its cold tier, and of each group's part", async () => {
  const bare = await givenPlane();
  assert.equal((await (await bare.ask("GET", "/__ursula/metrics")).json()).cold, null);
  await bare.close();
  const { ask, close } = await givenPlane({}, {
    cold: coldSetupOf(),
  });
  await ask("PUT", "/v1/stream/a", "abc");
  const { cold, raft_groups } = await (await ask("GET", "/__ursula/metrics")).json();
  assert.deepEqual([cold.objects, cold.backlog_bytes, cold.failures], [0, 3, 0]);
  assert.deepEqual(raft_groups.map((group: { cold_bytes: number }) => group.cold_bytes), [0, 0]);
  assert.match(await (await ask("GET", "/metrics")).text(), /^ursula_cold_hot_bytes 3$/m);
  await close();
});
