import assert from "node:assert/strict";
import type { GroupFacts } from "../shard/mod.ts";
import { GivenStore } from "../tests/given/cold_store.ts";
import { SHARED_STORE } from "../tests/given/cold_reads.ts";
import { groupFacts, nodeFacts } from "../tests/given/node_facts.ts";
import { givenPlane } from "../tests/given/plane.ts";
import type { NodeFacts } from "./context.ts";
import { obstacleOf, readiness } from "./readiness.ts";

/** Node 1 of three, which hears some of the others. */
function facts(group: Partial<GroupFacts>, heard: readonly string[] = ["2.b", "3.c"]): NodeFacts {
  const groups = [groupFacts(), groupFacts({ id: 7, ...group })];
  return nodeFacts([], { groups, hears: (member) => heard.includes(member) });
}

Deno.test("obstacleOf() names one reason, and the group", () => {
  assert.equal(obstacleOf(facts({})), undefined);
  assert.match(obstacleOf(facts({ votes: false, caughtUp: false })) ?? "", /no voter of group 7/);
  assert.match(
    obstacleOf(facts({ caughtUp: false, leader: undefined })) ?? "",
    /group 7 has no leader yet/,
  );
  assert.match(obstacleOf(facts({ ready: false })) ?? "", /not caught up with group 7/);
  assert.match(
    obstacleOf(facts({ ready: false, coldLacking: 2 })) ?? "",
    /lacks 2 objects of group 7/,
  );
  assert.equal(obstacleOf(facts({ coldLacking: 2 })), undefined, "it has had all before");
  assert.match(obstacleOf({ ...facts({ votes: false }), stopping: true }) ?? "", /about to end/);
});

Deno.test("obstacleOf() says that the node is cut off where it reaches no majority", () => {
  assert.equal(obstacleOf(facts({}, ["3.c"])), undefined);
  assert.match(obstacleOf(facts({}, [])) ?? "", /cut off from a majority/);
  // Both came back with nothing: who is there now is no voter.
  assert.match(obstacleOf(facts({}, ["2.x", "3.y"])) ?? "", /cut off from a majority/);
  assert.match(obstacleOf(facts({ voters: ["1.a", "2.b"] }, ["3.c"])) ?? "", /cut off.*group 7/);
  assert.equal(
    obstacleOf({ ...facts({}, []), groups: [groupFacts({ voters: ["1.a"] })] }),
    undefined,
  );
});

Deno.test("readiness() reports a group that lost its leader, and stays ready", () => {
  const { status, body } = readiness(facts({ leader: undefined, ready: false }));
  assert.deepEqual([status, body], [200, "ok; without a leader: group 7\n"]);
});

Deno.test("readiness() answers 503 with the reason and Retry-After", () => {
  const { status, headers, body } = readiness(facts({}, []));
  assert.deepEqual([status, headers["retry-after"]], [503, "1"]);
  assert.match(String(body), /"not_ready".*cut off/);
});

Deno.test("a node's metrics name its bounds, what they hold and what they refused", async () => {
  const { ask, clock, begin, close } = await givenPlane({ liveReadersMax: 1 });
  await ask("PUT", "/v1/stream/a", "abc");
  const events = await clock.until(begin("GET", "/v1/stream/a?offset=3&live=sse"));
  const refused = await clock.until(begin("GET", "/v1/stream/a?offset=3&live=sse"));
  assert.equal(refused.status, 503);
  const { bounds, cores, raft_groups } = await (await ask("GET", "/__ursula/metrics")).json();
  assert.deepEqual(bounds.live_readers, { now: 1, max: 1, refused: 1 });
  assert.deepEqual(bounds.body_bytes_in_flight, { now: 0, max: 256 << 20, refused: 0 });
  assert.equal(bounds.disk_free_bytes, undefined, "nothing is kept on disk");
  assert.ok(bounds.hot_bytes.max > 0);
  assert.deepEqual([cores.length, cores[0].id, cores[0].live_readers], [1, 0, 1]);
  const [group] = raft_groups;
  assert.deepEqual([group.leader_id, group.voters, group.learners], [1, [1], []]);
  assert.deepEqual([group.has_room, group.proposals_refused], [true, 0]);
  const text = await (await ask("GET", "/metrics")).text();
  assert.match(text, /^ursula_bound_value\{bound="live_readers"\} 1$/m);
  assert.match(text, /^ursula_bound_limit\{bound="proposals_in_flight"\} 16384$/m);
  assert.match(text, /^ursula_bound_refused_total\{bound="live_readers"\} 1$/m);
  assert.match(text, /^ursula_groups_without_leader 0$/m);
  assert.equal(await (await ask("GET", "/readyz")).text(), "ok\n");
  await events.body?.cancel();
  await close();
});

Deno.test("a node stays ready while its cold store fails", async () => {
  const store = new GivenStore(true);
  store.fails = () => "unavailable";
  const { ask, clock, close } = await givenPlane({}, {
    cold: { ...SHARED_STORE, flushIntervalMs: 20, flushMinHotBytes: 1 },
  }, store);
  await ask("PUT", "/v1/stream/a", "abc");
  await clock.run(5_000);
  const { cold } = await (await ask("GET", "/__ursula/metrics")).json();
  assert.ok(cold.upload_failures > 0 && cold.backlog_bytes === 3, JSON.stringify(cold));
  assert.equal(await (await ask("GET", "/readyz")).text(), "ok\n");
  await close();
});
