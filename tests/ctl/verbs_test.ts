/** ursulactl's verbs against nodes that are made up. */

import assert from "node:assert/strict";
import { GivenCluster } from "../given/ctl_cluster.ts";
import { GivenPlanes, refusal } from "../given/ctl_planes.ts";
import { ctl, type CtlOptions } from "./ctl.ts";
import { deadUrl } from "./front.ts";

const FROM_STDIN = ["--config", "-"];

/** A verb on a cluster that is given as standard input. */
function run(planes: GivenPlanes, args: string[], options: CtlOptions = {}) {
  return ctl([...args, ...FROM_STDIN], { stdin: planes.manifest, ...options });
}

Deno.test("status shows a node that does not answer as a line", async () => {
  await using planes = new GivenPlanes(new GivenCluster());
  planes.cluster.kill(planes.cluster.node(2));
  const { code, stdout } = await run(planes, ["status"]);
  assert.equal(code, 0);
  const lines = stdout.trimEnd().split("\n");
  assert.match(
    lines[0] ?? "",
    /^NODE {2}STATE {2}GROUPS {2}LEADS {2}LAG {2}UPTIME +VERSION {2}ADDRESS$/,
  );
  assert.match(lines[1] ?? "", /^1 {5}up +4 +2 +0 +\d+ m \d+ s +0 +http:/);
  assert.match(lines[2] ?? "", /^2 {5}down +- +- +- +- +- +http:/);
  assert.equal(lines[4], "node 2 is down: refused: not_ready");
  const json = await run(planes, ["status", "--json"]);
  const { nodes } = JSON.parse(json.stdout) as { nodes: { state: string }[] };
  assert.deepEqual(nodes.map(({ state }) => state), ["up", "down", "up"]);
});

Deno.test("status is coloured on a terminal, and not where NO_COLOR is set", async () => {
  await using planes = new GivenPlanes(new GivenCluster());
  const on = await run(planes, ["status"], { terminal: true });
  assert.ok(on.stdout.includes("\x1b[2mNODE"), on.stdout);
  const off = await run(planes, ["status"], { terminal: true, env: { NO_COLOR: "1" } });
  assert.ok(!off.stdout.includes("\x1b"), off.stdout);
});

Deno.test("status does not take one node for another", async () => {
  await using planes = new GivenPlanes(new GivenCluster());
  const { nodes } = JSON.parse(planes.manifest);
  [nodes[0].admin_url, nodes[1].admin_url] = [nodes[1].admin_url, nodes[0].admin_url];
  const { stdout } = await ctl(["status", ...FROM_STDIN], { stdin: JSON.stringify({ nodes }) });
  assert.match(stdout, /^node 1 is down: node 2 answers in its place$/m);
});

Deno.test("every verb sends the token, from the flag or the environment", async () => {
  await using planes = new GivenPlanes(new GivenCluster());
  await run(planes, ["status", "--token", "a"], { env: { URSULA_TOKEN: "b" } });
  await run(planes, ["status"], { env: { URSULA_TOKEN: "b" } });
  await run(planes, ["status"]);
  // The client plane's readiness is open to everybody, and asked without.
  assert.deepEqual([...planes.tokens].sort(), ["Bearer a", "Bearer b", null]);
});

Deno.test("a node is asked once more when it answers 503, and not when it refuses", async () => {
  await using planes = new GivenPlanes(new GivenCluster());
  planes.intercept = () => planes.orders.length === 1 ? refusal(503, "overloaded") : undefined;
  assert.equal((await run(planes, ["undrain", "--node", "2"])).code, 0);
  assert.equal(planes.orders.length, 2);
  planes.intercept = () => refusal(403, "forbidden");
  const { code, stderr } = await run(planes, ["undrain", "--node", "2"]);
  assert.equal(code, 1);
  assert.equal(stderr, "ursulactl: undrain: failed: refused: forbidden\n");
  assert.equal(planes.orders.length, 3);
});

Deno.test("transfer follows the leader", async () => {
  await using planes = new GivenPlanes(new GivenCluster());
  let isFirst = true;
  planes.intercept = (order) => {
    if (!order.endsWith("/raft/1/leader/transfer/3") || !isFirst) return undefined;
    isFirst = false;
    // It moved in this very moment.
    planes.cluster.leaders[1] = 1;
    return undefined;
  };
  const { code, stderr } = await run(planes, ["transfer", "--node", "3", "--group", "1"]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(planes.orders, [
    "2 POST /__ursula/raft/1/leader/transfer/3",
    "1 POST /__ursula/raft/1/leader/transfer/3",
  ]);
});

Deno.test("verbs that change something do nothing with --dry-run", async () => {
  await using planes = new GivenPlanes(new GivenCluster());
  const rows: string[][] = [
    ["drain", "--node", "1"],
    ["undrain", "--node", "1"],
    ["restart", "--restart-cmd", "false"],
    ["replace-node", "--node", "1"],
    ["transfer", "--node", "1", "--all"],
    ["add-learner", "--node", "1", "--group", "1"],
    ["set-voters", "--voters", "1,2"],
    ["snapshot", "--all"],
    ["purge", "--node", "1", "--group", "0,2"],
    ["flush-cold", "/demo/a"],
  ];
  for (const row of rows) {
    for (const json of [[], ["--json"]]) {
      const { code, stdout, stderr } = await run(planes, [...row, "--dry-run", ...json]);
      assert.equal(code, 0, stderr);
      assert.ok(stdout.endsWith("\n"), row.join(" "));
      if (json.length > 0) assert.equal(JSON.parse(stdout).dry_run, true, row.join(" "));
    }
  }
  assert.deepEqual(planes.orders, []);
});

Deno.test("restart --dry-run says what would keep it from beginning", async () => {
  await using planes = new GivenPlanes(new GivenCluster());
  const command = "ssh {host} restart {node_id}";
  const { stdout } = await run(planes, ["restart", "--dry-run", "--restart-cmd", command]);
  assert.equal(stdout.split("\n")[0], "node 1: move 2 leaderships, run: ssh host-1 restart 1");
  planes.cluster.kill(planes.cluster.node(3));
  const { code, stderr } = await run(planes, ["restart", "--dry-run", "--restart-cmd", command]);
  assert.equal(code, 2);
  assert.match(stderr, /^ursulactl: restart: aborted: it would not begin: node 3 does not answer/);
});

Deno.test("restart ends with 2 when it is interrupted, once the node is back and undrained", async () => {
  await using planes = new GivenPlanes(new GivenCluster());
  const { cluster } = planes;
  let interrupt = () => {};
  const { code, stdout, stderr } = await run(planes, [
    "restart",
    "--restart-cmd",
    "restart {node_id} {host} {http_url}",
    "--json",
  ], {
    terminal: true,
    onStart: (stop) => interrupt = stop,
    shell: (command) => {
      assert.match(command, /^restart 1 host-1 http:\/\/127\.0\.0\.1:\d+$/);
      assert.ok(!cluster.leaders.includes(1));
      cluster.restart(cluster.node(1));
      interrupt();
      return Promise.resolve(0);
    },
  });
  assert.equal(code, 2);
  const { done, left, aborted } = JSON.parse(stdout);
  assert.deepEqual({ done, left, aborted }, { done: [1], left: [2, 3], aborted: "interrupted" });
  assert.match(stderr, /interrupted: stops at the next safe point/);
  assert.ok(stderr.includes("\r\x1b[K0/3 waiting for node 1: "), stderr);
  const last = "\x1b[Kursulactl: restart: aborted: interrupted (restarted: 1; left: 2, 3)\n";
  assert.ok(stderr.endsWith(last), stderr);
  assert.ok(cluster.nodes.every(({ up, draining }) => up && !draining));
});

Deno.test("restart ends at once when it is interrupted again", async () => {
  await using planes = new GivenPlanes(new GivenCluster());
  let interrupt = () => {};
  const { code } = await run(planes, ["restart", "--restart-cmd", "x"], {
    onStart: (stop) => interrupt = stop,
    shell: () => {
      interrupt();
      interrupt();
      return Promise.resolve(1);
    },
  });
  assert.equal(code, 1);
});

Deno.test("drain gives up, and undrains, when nothing moves", async () => {
  await using planes = new GivenPlanes(new GivenCluster());
  planes.cluster.node(1).stuck = true;
  const began = performance.now();
  // Nobody waits for the fifteen seconds that it takes: the clock is turned on.
  const now = performance.now.bind(performance);
  performance.now = () => began + (now() - began) * 30;
  try {
    const { code, stderr } = await run(planes, ["drain", "--node", "1"]);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^ursulactl: drain: aborted: node 1 still leads 2 groups; it is undrained/,
    );
    assert.equal(planes.cluster.node(1).draining, false);
  } finally {
    performance.now = now;
  }
});

Deno.test("a manifest or command line that can't be used is one line", async () => {
  const rows: [args: string[], stdin: string, line: RegExp][] = [
    [["status", ...FROM_STDIN], "{", /^ursulactl: status: usage: standard input: no JSON/],
    [["status", ...FROM_STDIN], "{}", /usage: standard input: nodes: expected/],
    [["status", "--config", "/nowhere"], "", /usage: --config: \/nowhere can't be read/],
    [["status", "--config", "a", "--url", "http://a"], "", /exclude each other/],
    [["status", "--url", deadUrl()], "", /^ursulactl: status: failed: .*connection refused/],
    [["drain"], "", /^ursulactl: usage: required option '--node <n>' not specified/],
    [["drane"], "", /^ursulactl: usage: unknown command 'drane' \(Did you mean drain\?\)/],
    [["snapshot"], "", /^ursulactl: snapshot: usage: say which: --group G, or --all/],
    [["flush-cold"], "", /usage: say which: streams such as \/demo\/hello, or --all/],
    [["cat", "/a/b", "--from", "x"], "", /usage: --from: expected beginning, now or an offset/],
  ];
  for (const [args, stdin, line] of rows) {
    const { code, stdout, stderr } = await ctl(args, { stdin });
    assert.equal(code, 1, args.join(" "));
    assert.equal(stdout, "");
    assert.match(stderr, line);
    assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
  }
  const help = await ctl([]);
  assert.equal(help.code, 1);
  assert.match(help.stderr, /^Usage: ursulactl /);
  assert.match((await ctl(["--version"])).stdout, /^ursulactl \d/);
  assert.match((await ctl(["cat", "--help"])).stdout, /^Usage: ursulactl cat /);
});
