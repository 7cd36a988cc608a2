/** ursulactl against real nodes, under writers that count every message. */

import assert from "node:assert/strict";
import { Load } from "../cluster/load.ts";
import { pause } from "../http/expect.ts";
import { ctl, ctlJson } from "./ctl.ts";
import { ctlTest } from "./ctl_case.ts";

/** Few, so that nodes spend their time on requests. */
const GROUPS = 8;
const ALL = Array.from({ length: GROUPS }, (_, group) => group);
/** `deno task roll` holds it to 250 ms; here the tests themselves keep the cores busy. */
const GAP_MS_BELOW = 1_000;
/** For so long nothing happens, to see what gaps this machine leaves by itself. */
const IDLE_MS = 1_500;
/** With longer ones requests are given up after a second here and there, whatever is done. */
const CALM_MS = 300;
const LOAD = { streams: 12, readers: 3, paceMs: 15 };

interface Restarted {
  readonly done: readonly number[];
  readonly left: readonly number[];
  readonly aborted: string | null;
}

interface Status {
  readonly nodes: readonly {
    readonly id: number;
    readonly state: string;
    readonly groups: number | null;
    readonly leads: number | null;
  }[];
  readonly groups_without_leader: readonly number[];
}

ctlTest(
  "restart aborts when a second node dies, finishes when it is run again, and replace-node follows a lost disk",
  { groups: GROUPS },
  (cluster, supervisor, config) =>
    Load.during(cluster, LOAD, async (load) => {
      const at = ["--config", config];
      const restart = ["restart", ...at, "--restart-cmd", supervisor.command];

      supervisor.instead.set(2, async () => {
        await cluster.node(3).kill();
        await supervisor.restart(2);
      });
      const first = await ctl([...restart, "--json"]);
      assert.equal(first.code, 2, first.stderr);
      assert.match(first.stderr, /^ursulactl: restart: aborted: .* \(restarted: 1, 2; left: 3\)$/m);
      const { done, left } = JSON.parse(first.stdout) as Restarted;
      assert.deepEqual({ done, left }, { done: [1, 2], left: [3] });
      const { nodes } = await ctlJson<Status>(["status", ...at]);
      assert.deepEqual(nodes.map(({ state }) => state), ["up", "up", "down"]);

      supervisor.instead.clear();
      supervisor.restarts.length = 0;
      await load.progress();
      const idleMs = performance.now();
      await pause(IDLE_MS);
      await load.progress();
      const idle = load.longestGap(idleMs);
      load.forgetLuck();
      const fromMs = performance.now();
      const second = await ctl(restart);
      assert.equal(second.code, 0, second.stderr);
      assert.match(second.stdout, /^restarted 3 nodes in /m);
      assert.deepEqual(supervisor.restarts, [3, 1, 2]);
      await load.progress();
      const gap = load.longestGap(fromMs);
      const troubles = load.worstLuck;
      console.log(
        `  restart: longest gap ${Math.round(gap.ms)} ms, ${troubles.length} repeats at most; ` +
          `without one ${Math.round(idle.ms)} ms`,
      );
      const msBelow = GAP_MS_BELOW + 2 * idle.ms;
      assert.ok(gap.ms < msBelow, `${gap.path} took no write for ${Math.round(gap.ms)} ms`);
      const isCalm = idle.ms < CALM_MS;
      const notOnce = `a client that tries once more gets through: ${troubles.join("; ")}`;
      assert.ok(troubles.length <= 1 || !isCalm, notOnce);

      const lost = cluster.node(3);
      await lost.kill();
      await lost.wipe();
      await lost.launch();
      const refused = await ctl(["restart", ...at, "--restart-cmd", "false", "--nodes", "3"]);
      assert.equal(refused.code, 2, refused.stderr);
      const replaced = await untilDone(["replace-node", ...at, "--node", "3"]);
      assert.deepEqual(replaced, { node_id: 3, groups: ALL, aborted: null });
      const waited = ["wait", ...at, "--node", "3", "--lag-tolerance", "100"];
      assert.equal(await code(waited), 0);
      // What is done is not done again.
      const again = await ctlJson<{ groups: number[] }>(["replace-node", ...at, "--node", "3"]);
      assert.deepEqual(again.groups, []);
    }),
);

ctlTest("the other verbs do what they say", { groups: GROUPS }, async (cluster, _, config) => {
  const at = ["--config", config];
  assert.equal(await code(["wait-ready", ...at, "--expected-groups", String(GROUPS)]), 0);
  const early = await ctl(["wait-ready", ...at, "--expected-groups", "9", "--timeout", "300ms"]);
  assert.equal(early.code, 1);
  assert.match(early.stderr, /^ursulactl: wait-ready: failed: not ready after .*8 of 9 groups$/m);

  const leads = async () =>
    (await ctlJson<Status>(["status", ...at])).nodes.map(({ leads }) => leads ?? -1);
  await ctlJson(["transfer", ...at, "--node", "2", "--all"]);
  assert.deepEqual(await leads(), [0, GROUPS, 0]);

  const plan = await ctlJson<{ leaderships: number; moves: { to: number | null }[] }>(
    ["drain", ...at, "--node", "2", "--dry-run"],
  );
  assert.equal(plan.leaderships, GROUPS);
  assert.ok(plan.moves.every(({ to }) => to === 1 || to === 3));
  assert.deepEqual(await leads(), [0, GROUPS, 0]);
  const drained = await ctlJson(["drain", ...at, "--node", "2"]);
  assert.deepEqual(drained, { node_id: 2, draining: true, leaderships: 0 });
  assert.equal((await leads())[1], 0);
  assert.match((await ctl(["status", ...at])).stdout, /^2 +draining +8 +0 /m);
  assert.deepEqual(await ctlJson(["undrain", ...at, "--node", "2"]), {
    node_id: 2,
    draining: false,
  });

  const stream = "/verbs/cold";
  assert.equal((await ctl(["append", ...at, stream, "--create"], { stdin: "abc" })).code, 0);
  const flushed = await ctlJson<{ flushed_bytes: number }>(["flush-cold", ...at, stream]);
  assert.equal(flushed.flushed_bytes, 3);
  const all = await ctlJson<{ streams: number }>(["flush-cold", ...at, "--all"]);
  // Each node made one when it was probed.
  assert.equal(all.streams, 1 + cluster.nodes.length);

  type Replicas<F extends string> = {
    replicas: ({ group: number; node_id: number } & Record<F, number>)[];
  };
  const taken = await ctlJson<Replicas<"index">>(["snapshot", ...at, "--all"]);
  assert.equal(taken.replicas.length, GROUPS * cluster.nodes.length);
  const purged = await ctlJson<Replicas<"first_index">>(["purge", ...at, "--group", "3"]);
  assert.deepEqual(purged.replicas.map(({ node_id }) => node_id), [1, 2, 3]);
  for (const { node_id, first_index } of purged.replicas) {
    const { index = NaN } = taken.replicas.find((replica) =>
      replica.node_id === node_id && replica.group === 3
    ) ?? {};
    assert.ok(first_index > index, `${first_index} on node ${node_id}, after ${index}`);
  }

  await ctlJson(["set-voters", ...at, "--voters", "1,2", "--group", "5"]);
  await ctlJson(["add-learner", ...at, "--node", "3", "--group", "5"]);
  const [first] = cluster.nodes;
  const response = await fetch(`${first?.adminUrl}/__ursula/metrics`);
  const { raft_groups } = await response.json();
  assert.deepEqual(raft_groups[5].voters, [1, 2]);
  assert.deepEqual(raft_groups[5].learners, [3]);
  // Two voters can't lose one.
  const refused = await ctl(["restart", ...at, "--restart-cmd", "false"]);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /aborted: group 5 has 2 voters.*\(restarted: none; left: 1, 2, 3\)/);
  const back = await ctlJson<{ groups: number[] }>(["set-voters", ...at, "--voters", "1,2,3"]);
  assert.deepEqual(back.groups, [5]);
});

ctlTest("set-voters shrinks five voters to three and grows them again", {
  groups: GROUPS,
  nodes: 5,
}, (cluster, _, config) =>
  Load.during(cluster, { ...LOAD, readers: 0 }, async () => {
    const at = ["--config", config];
    for (const voters of ["1,2,3", "1,2,3,4,5", "2,4,5"]) {
      const changed = await ctlJson<{ groups: number[] }>([
        "set-voters",
        ...at,
        "--voters",
        voters,
      ]);
      assert.deepEqual([...changed.groups].sort(), ALL, voters);
    }
    assert.equal(await code(["wait", ...at, "--node", "4"]), 0);
    const gone = await ctl(["wait", ...at, "--node", "1", "--timeout", "200ms"]);
    assert.equal(gone.code, 1);
    assert.match(gone.stderr, /node 1 is no voter of group 0/);
    // Whoever was let go has no streams of its own to compare.
    await ctlJson(["set-voters", ...at, "--voters", "1,2,3,4,5"]);
  }));

async function code(args: readonly string[]): Promise<number> {
  const result = await ctl(args);
  if (result.code !== 0) console.log(`  ${result.stderr}`);
  return result.code;
}

/** Run again for as long as it says that nothing was lost: a node that starts takes its time. */
async function untilDone(args: readonly string[]): Promise<unknown> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const { code, stdout, stderr } = await ctl([...args, "--json"]);
    if (code === 0) return JSON.parse(stdout);
    assert.equal(code, 2, stderr);
    assert.ok(performance.now() < deadline, stderr);
    await pause(300);
  }
}
