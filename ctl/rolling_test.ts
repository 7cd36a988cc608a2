import assert from "node:assert/strict";
import fc from "fast-check";
import { GivenCluster, type GivenNode } from "../tests/given/ctl_cluster.ts";
import { RollingRestart } from "./rolling.ts";
import { obstacleToLosing } from "./safety.ts";

const OPTIONS = { lagMax: 100, backMs: 30_000 };

function rolling(order = [1, 2, 3]): RollingRestart {
  return new RollingRestart({ ...OPTIONS, order });
}

/** The command restarts the node, and must find everybody else well and the node without a group. */
function careful(cluster: GivenCluster): void {
  cluster.run = (node) => {
    assert.equal(obstacleToLosing(cluster.view(), node.id, OPTIONS.lagMax), undefined);
    assert.ok(!cluster.leaders.includes(node.id), `node ${node.id} leads`);
    return cluster.restart(node);
  };
}

function drained(cluster: GivenCluster): number[] {
  return cluster.nodes.filter(({ draining }) => draining).map(({ id }) => id);
}

Deno.test("RollingRestart drains and restarts one node after the other", () => {
  const cluster = new GivenCluster();
  careful(cluster);
  const plan = rolling();
  assert.deepEqual(cluster.follow(plan), [
    "drain 1",
    "run 1",
    "drain 2",
    "run 2",
    "drain 3",
    "run 3",
    "end: done",
  ]);
  assert.deepEqual(plan.done, [1, 2, 3]);
  assert.ok(cluster.nodes.every(({ startedMs }) => startedMs > 0));
  assert.deepEqual(drained(cluster), []);
});

Deno.test("RollingRestart keeps to the nodes that it is given", () => {
  const cluster = new GivenCluster();
  assert.deepEqual(cluster.follow(rolling([3])), ["drain 3", "run 3", "end: done"]);
});

Deno.test("RollingRestart begins with a node that is down", () => {
  const cluster = new GivenCluster();
  cluster.kill(cluster.node(3));
  const trace = cluster.follow(rolling());
  assert.deepEqual(trace, ["run 3", "drain 1", "run 1", "drain 2", "run 2", "end: done"]);
});

Deno.test("RollingRestart undrains first what was left draining", () => {
  const cluster = new GivenCluster();
  cluster.node(2).draining = true;
  const trace = cluster.follow(rolling());
  assert.equal(trace[0], "undrain 2");
  assert.equal(trace.at(-1), "end: done");
});

Deno.test("RollingRestart aborts when another node is down", () => {
  const cluster = new GivenCluster();
  cluster.kill(cluster.node(2));
  const plan = rolling([1, 3]);
  const trace = cluster.follow(plan);
  assert.deepEqual(trace, ["end: node 2 does not answer: connection refused"]);
  assert.deepEqual(plan.left, [1, 3]);
});

Deno.test("RollingRestart undrains and aborts when another node dies while it drains", () => {
  const cluster = new GivenCluster();
  cluster.node(1).stuck = true;
  cluster.after(2_000, () => cluster.kill(cluster.node(3)));
  const trace = cluster.follow(rolling());
  assert.deepEqual(trace, [
    "drain 1",
    "undrain 1",
    "end: node 3 does not answer: connection refused",
  ]);
  assert.deepEqual(drained(cluster), []);
});

Deno.test("RollingRestart goes on when a group is without a leader for a moment while it drains", () => {
  const cluster = new GivenCluster();
  careful(cluster);
  cluster.node(1).stuck = true;
  cluster.after(500, () => cluster.leaders[0] = undefined);
  cluster.after(2_500, () => cluster.leaders[0] = 2);
  cluster.after(2_500, () => cluster.node(1).stuck = false);
  assert.equal(cluster.follow(rolling([1])).at(-1), "end: done");
});

Deno.test("RollingRestart aborts when a node keeps its leaderships", () => {
  const cluster = new GivenCluster();
  cluster.node(1).stuck = true;
  const trace = cluster.follow(rolling());
  assert.deepEqual(trace, ["drain 1", "undrain 1", "end: node 1 still leads 2 groups"]);
});

Deno.test("RollingRestart brings a node back before it aborts when a second one dies, and a second run finishes", () => {
  for (const second of [1, 3]) {
    const cluster = new GivenCluster();
    careful(cluster);
    const run = cluster.run;
    cluster.run = (node) => {
      if (node.id === 2) cluster.after(500, () => cluster.kill(cluster.node(second)));
      return run(node);
    };
    const plan = rolling();
    const trace = cluster.follow(plan);
    assert.deepEqual(trace, [
      "drain 1",
      "run 1",
      "drain 2",
      "run 2",
      `end: node ${second} does not answer: connection refused`,
    ]);
    assert.deepEqual(plan.left, [3]);
    assert.deepEqual(drained(cluster), []);
    assert.equal(cluster.node(2).up, true);

    cluster.run = run;
    assert.equal(cluster.follow(rolling()).at(-1), "end: done");
    assert.ok(cluster.nodes.every(({ up, startedMs }) => up && startedMs > 0));
  }
});

Deno.test("RollingRestart aborts when the command fails", () => {
  const cluster = new GivenCluster();
  cluster.run = () => false;
  const trace = cluster.follow(rolling());
  assert.deepEqual(trace, [
    "drain 1",
    "run 1",
    "undrain 1",
    "end: the command for node 1 ended with 7",
  ]);
});

Deno.test("RollingRestart aborts when the command restarts nothing", () => {
  const cluster = new GivenCluster();
  cluster.run = () => true;
  const trace = cluster.follow(rolling());
  assert.deepEqual(trace, [
    "drain 1",
    "run 1",
    "undrain 1",
    "end: node 1 has not been restarted",
  ]);
});

Deno.test("RollingRestart aborts when a node does not come back", () => {
  const cluster = new GivenCluster();
  cluster.run = (node) => {
    cluster.kill(node);
    return true;
  };
  const before = cluster.nowMs;
  const trace = cluster.follow(rolling());
  assert.deepEqual(trace, [
    "drain 1",
    "run 1",
    "end: node 1 does not answer: connection refused",
  ]);
  assert.ok(cluster.nowMs - before >= OPTIONS.backMs);
});

Deno.test("RollingRestart waits for a node for as long as it catches up", () => {
  const cluster = new GivenCluster();
  cluster.run = (node) => cluster.restart(node, 9_000, 50);
  const before = cluster.nowMs;
  assert.equal(cluster.follow(rolling([1])).at(-1), "end: done");
  assert.ok(cluster.nowMs - before > 3 * OPTIONS.backMs);
});

Deno.test("RollingRestart waits when another voter is behind and catches up", () => {
  const cluster = new GivenCluster();
  careful(cluster);
  cluster.node(3).lag = 600;
  cluster.node(3).catchesUpBy = 200;
  assert.equal(cluster.follow(rolling([1])).at(-1), "end: done");
});

Deno.test("RollingRestart refuses a node that came back without its data", () => {
  const cluster = new GivenCluster();
  cluster.node(1).storeId = "another";
  const [end] = cluster.follow(rolling());
  assert.match(end ?? "", /node 1 came back without its data: see ursulactl replace-node/);
});

Deno.test("RollingRestart refuses to restart a voter that a group can't do without", () => {
  for (const voters of [[1], [1, 2]]) {
    const cluster = new GivenCluster();
    cluster.voters = voters;
    cluster.leaders.fill(1);
    const [end] = cluster.follow(rolling([1]));
    assert.match(end ?? "", /takes no writes without node 1/);
  }
});

Deno.test("RollingRestart says what stands in the way, though a leadership moves just then", () => {
  const cluster = new GivenCluster();
  cluster.voters = [1, 2];
  cluster.leaders.fill(1);
  cluster.after(4_500, () => cluster.leaders[0] = undefined);
  cluster.after(5_500, () => cluster.leaders[0] = 2);
  assert.match(cluster.follow(rolling([1]))[0] ?? "", /takes no writes without node 1/);
});

Deno.test("RollingRestart aborts when a group stays without a leader", () => {
  const cluster = new GivenCluster();
  cluster.leaders[0] = undefined;
  assert.deepEqual(cluster.follow(rolling()), ["end: group 0 has no leader"]);
});

Deno.test("RollingRestart undrains and ends when it is interrupted while it drains", () => {
  const cluster = new GivenCluster();
  cluster.node(1).stuck = true;
  let looks = 0;
  const trace = cluster.follow(rolling(), () => ++looks > 3);
  assert.deepEqual(trace, ["drain 1", "undrain 1", "end: interrupted"]);
});

Deno.test("RollingRestart brings the node back before it ends when it is interrupted", () => {
  const cluster = new GivenCluster();
  careful(cluster);
  let interrupted = false;
  const run = cluster.run;
  cluster.run = (node) => interrupted = run(node);
  const plan = rolling();
  const trace = cluster.follow(plan, () => interrupted);
  assert.deepEqual(trace, ["drain 1", "run 1", "end: interrupted"]);
  assert.deepEqual(plan.done, [1]);
  assert.equal(cluster.node(1).up, true);
});

Deno.test("RollingRestart never corners a group, whatever dies when", () => {
  const fault = fc.record({
    atMs: fc.nat({ max: 20_000 }),
    node: fc.integer({ min: 1, max: 5 }),
    forMs: fc.option(fc.nat({ max: 20_000 }), { nil: undefined }),
  });
  fc.assert(fc.property(
    fc.constantFrom(3, 5),
    fc.array(fault, { maxLength: 3 }),
    fc.option(fc.nat({ max: 100 }), { nil: undefined }),
    (nodeCount, faults, interruptedAt) => {
      const cluster = new GivenCluster(nodeCount);
      const ran: GivenNode[] = [];
      cluster.run = (node) => {
        // Whoever is down is no worse off; else all others are well, and nobody leads from here.
        assert.equal(obstacleToLosing(cluster.view(), node.id, OPTIONS.lagMax), undefined);
        assert.ok(!cluster.leaders.includes(node.id));
        ran.push(node);
        return cluster.restart(node);
      };
      for (const { atMs, node: id, forMs } of faults) {
        const node = cluster.node((id - 1) % nodeCount + 1);
        cluster.after(atMs, () => {
          if (!node.up) return;
          cluster.kill(node);
          if (forMs !== undefined) cluster.after(forMs, () => node.up || cluster.start(node));
        });
      }
      const plan = rolling(cluster.nodes.map(({ id }) => id));
      let looks = 0;
      const trace = cluster.follow(plan, () => ++looks > (interruptedAt ?? Infinity));
      assert.deepEqual(drained(cluster), [], trace.join("; "));
      if (trace.at(-1) === "end: done") assert.equal(ran.length >= nodeCount, true);
      assert.equal(plan.done.length + plan.left.length, nodeCount);
    },
  ));
});
