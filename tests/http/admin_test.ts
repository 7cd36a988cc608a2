/** The admin plane of one node: its routes, and what it turns away. */

import assert from "node:assert/strict";
import { createNode } from "../../mod.ts";
import { ADMIN_PATHS, type NodeMetrics } from "../../protocol/admin.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import { runProgram, serverFixture } from "../server.ts";
import { assertError } from "./expect.ts";

const GROUPS = 4;
const server = serverFixture({
  // Half of the groups live with the second shard, beyond a mailbox.
  args: [
    "--core-count",
    "2",
    "--raft-group-count",
    `${GROUPS}`,
    "--admin-host",
    "Ursula-1,b.example",
  ],
});

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
}

/** One request to the admin plane, or what names it otherwise. */
async function ask(path: string, { method = "POST", headers = {} }: Asked = {}) {
  const response = await fetch(server().adminUrl + path, { method, headers });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** The JSON of an answer with 200. */
async function ordered(path: string, method = "POST"): Promise<unknown> {
  const { status, text } = await ask(path, { method });
  assert.equal(status, 200, text);
  return JSON.parse(text);
}

async function stream(path: string, body: string): Promise<void> {
  const headers = { "content-type": "text/plain" };
  const made = await fetch(`${server().url}${path}`, { method: "PUT", headers, body });
  await made.body?.cancel();
  assert.equal(made.status, 201);
}

/** A request as it stands, for headers that `fetch` does not let through. */
async function raw(lines: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(server().adminUrl);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const text = [...lines, "Connection: close", "", ""].join("\r\n");
  await connection.write(new TextEncoder().encode(text));
  return await new Response(connection.readable).text();
}

Deno.test("a RaftSnapshot is taken of every group, and the log goes up to it", async () => {
  for (let group = 0; group < GROUPS; group++) {
    const { index, ...taken } = await ordered(ADMIN_PATHS.snapshot(group)) as { index: number };
    assert.deepEqual(taken, { group });
    assert.ok(index > 0);
    assert.deepEqual(await ordered(ADMIN_PATHS.purge(group)), { group, first_index: index + 1 });
    assert.deepEqual(
      await ordered(ADMIN_PATHS.snapshot(group)),
      { group, index },
      "nothing is new",
    );
  }
});

Deno.test("a node that is alone leads, and has itself for its only voter", async () => {
  for (let group = 0; group < GROUPS; group++) {
    assert.deepEqual(await ordered(ADMIN_PATHS.transfer(group, 1)), { group, leader_id: 1 });
    const members = { group, voters: [1], learners: [] };
    assert.deepEqual(await ordered(ADMIN_PATHS.membership(group, [1])), members);
    assert.deepEqual(await ordered(ADMIN_PATHS.learner(group, 1)), members);
  }
});

Deno.test("a drain says how much is left, is seen in the metrics, and is lifted", async () => {
  const draining = async () => {
    const metrics = await ordered(ADMIN_PATHS.metrics, "GET") as NodeMetrics;
    return metrics.draining;
  };
  const left = { node_id: 1, leaderships: GROUPS };
  assert.deepEqual(await ordered(ADMIN_PATHS.maintenance), { ...left, draining: true });
  assert.equal(await draining(), true);
  assert.deepEqual(await ordered(ADMIN_PATHS.maintenance, "DELETE"), { ...left, draining: false });
  assert.equal(await draining(), false);
});

Deno.test("a stream's hot bytes are flushed at once, and those of others are not", async () => {
  await stream("/v1/stream/flushed/a%2Fb%20c", "twelve bytes");
  await stream("/v1/stream/flushed/other", "others");
  const { flushed_bytes, group } = await ordered(ADMIN_PATHS.flushCold("flushed", "a/b c")) as {
    flushed_bytes: number;
    group: number;
  };
  assert.equal(flushed_bytes, 12);
  assert.deepEqual(await ordered(ADMIN_PATHS.flushCold("flushed", "a/b c")), {
    group,
    flushed_bytes: 0,
  });
  const read = await fetch(`${server().url}/v1/stream/flushed/a%2Fb%20c`);
  assert.equal(await read.text(), "twelve bytes");
  const { raft_groups } = await ordered(ADMIN_PATHS.metrics, "GET") as NodeMetrics;
  assert.equal(raft_groups.reduce((sum, { hot_bytes }) => sum + hot_bytes, 0), "others".length);
});

Deno.test("metrics say of each group who takes part, and what this replica is", async () => {
  const metrics = await ordered(ADMIN_PATHS.metrics, "GET") as NodeMetrics;
  assert.deepEqual([metrics.node_id, metrics.stopping], [1, false]);
  assert.deepEqual(metrics.raft_groups.map(({ core_id }) => core_id), [0, 1, 0, 1]);
  for (const group of metrics.raft_groups) {
    const { leads, votes, caught_up, lag, leader_id, followers, store_id, voter_stores } = group;
    assert.deepEqual({ leads, votes, caught_up, lag, leader_id, followers }, {
      leads: true,
      votes: true,
      caught_up: true,
      lag: 0,
      leader_id: 1,
      followers: [],
    });
    assert.deepEqual(voter_stores, { 1: store_id });
    assert.match(store_id, /^[0-9a-f]{16}$/);
  }
});

Deno.test("health, readiness and metrics are answered as on the client plane", async () => {
  for (const path of ["/healthz", "/readyz", "/metrics"]) {
    const { status, text, headers } = await ask(path, { method: "GET" });
    const other = await fetch(server().url + path);
    assert.equal(status, 200);
    assert.equal(headers.get("content-type"), other.headers.get("content-type"));
    if (path !== "/metrics") assert.equal(text, await other.text());
    else assert.match(text, /^# HELP ursula_/), await other.body?.cancel();
    const head = await ask(path, { method: "HEAD" });
    assert.deepEqual([head.status, head.text], [200, ""]);
  }
});

Deno.test("what is not there, or not so, is refused by a code of the table", async () => {
  const rows: [code: ErrorCode, path: string, method?: string][] = [
    ["not_found", "/"],
    ["not_found", "/v1/stream/flushed/other", "GET"],
    ["not_found", "/flushed", "GET"],
    ["not_found", "/__ursula/raft/0"],
    ["not_found", "/__ursula/raft/0/snapshot/1"],
    ["not_found", "/__ursula/raft/0/leader/give/1"],
    ["not_found", "/__ursula/raft/0/learners"],
    ["not_found", "/__ursula/leadership-shed"],
    ["not_found", "/__ursula/flush-cold/flushed"],
    ["invalid_group", "/__ursula/raft/4/snapshot"],
    ["invalid_group", "/__ursula/raft/-1/purge"],
    ["invalid_group", "/__ursula/raft/00/purge"],
    ["invalid_group", "/__ursula/raft/1e1/purge"],
    ["invalid_node", "/__ursula/raft/0/leader/transfer/0"],
    ["invalid_node", "/__ursula/raft/0/learners/x"],
    ["invalid_node", "/__ursula/raft/0/learners/2"],
    ["invalid_node", "/__ursula/raft/0/membership?voters=1,2"],
    ["not_a_voter", "/__ursula/raft/0/leader/transfer/2"],
    ["invalid_voters", "/__ursula/raft/0/membership"],
    ["invalid_voters", "/__ursula/raft/0/membership?voters="],
    ["invalid_voters", "/__ursula/raft/0/membership?voters=1,1"],
    ["invalid_voters", "/__ursula/raft/0/membership?voters=1&voters=1"],
    ["invalid_path", "/__ursula/flush-cold/flushed/%zz"],
    ["reserved_name", "/__ursula/flush-cold/__x/y"],
    ["stream_not_found", "/__ursula/flush-cold/flushed/none"],
    ["method_not_allowed", "/__ursula/raft/0/purge", "GET"],
    ["method_not_allowed", "/__ursula/metrics"],
    ["method_not_allowed", "/__ursula/leadership-shed/maintenance", "PUT"],
    ["method_not_allowed", "/healthz", "OPTIONS"],
  ];
  for (const [code, path, method] of rows) {
    assertError(await ask(path, { method }), code, `${method ?? "POST"} ${path}`);
  }
  const refused = await ask(ADMIN_PATHS.maintenance, { method: "GET" });
  assert.equal(refused.headers.get("allow"), "POST, DELETE");
});

Deno.test("web pages are kept away, whatever they ask for", async () => {
  for (const path of ["/healthz", ADMIN_PATHS.metrics, "/nothing"]) {
    for (const method of ["GET", "POST", "OPTIONS"]) {
      const headers = { origin: "https://page.example" };
      const answer = await ask(path, { method, headers });
      assertError(answer, "origin_forbidden", `${method} ${path}`);
      const names = [...answer.headers.keys()].join();
      assert.doesNotMatch(names, /access-control/);
    }
  }
  const { headers } = await ask("/healthz", { method: "GET" });
  assert.equal(headers.get("cross-origin-resource-policy"), "same-origin");
});

Deno.test("a host that is no address, localhost or configured name is turned away", async () => {
  const hosts: [host: string, isKnown: boolean][] = [
    ["127.0.0.1", true],
    ["10.0.0.9:4438", true],
    ["[::1]:4438", true],
    ["localhost:4438", true],
    ["LOCALHOST", true],
    ["ursula-1:4438", true],
    ["B.example", true],
    ["evil.example", false],
    ["localhost.evil.example", false],
    ["127.0.0.1.evil.example", false],
    ["ursula-1.evil.example", false],
    ["b.example.", false],
  ];
  for (const [host, isKnown] of hosts) {
    const answer = await raw([`GET /healthz HTTP/1.1`, `Host: ${host}`]);
    assert.match(answer, isKnown ? /^HTTP\/1.1 200 / : /^HTTP\/1.1 403 /, host);
    if (!isKnown) assert.match(answer, /"code":"host_forbidden"/);
  }
});

Deno.test("the program opens no admin plane where everybody could come", async () => {
  const { code, stderr } = await runProgram(["--admin-listen", "0.0.0.0:0", "--raft-memory"]);
  assert.equal(code, 64);
  assert.match(stderr, /admin plane can't listen on 0\.0\.0\.0:0, which is not loopback/);
});

Deno.test("createNode() opens an admin plane only when it is asked to, and close() ends it", async () => {
  const node = await createNode({ raftMemory: true, cores: 1, listen: "127.0.0.1:0" });
  const unasked = await node.fetch(
    new Request(`http://localhost${ADMIN_PATHS.snapshot(0)}`, { method: "POST" }),
  );
  assert.equal(unasked.status, 404, "it is not on the client plane");
  await assert.rejects(node.listenAdmin({ hostname: "0.0.0.0" }), /not loopback/);
  const { url } = await node.listenAdmin();
  await assert.rejects(node.listenAdmin(), /listens already/);
  const taken = await fetch(url + ADMIN_PATHS.snapshot(0), { method: "POST" });
  assert.deepEqual([taken.status, (await taken.json()).group], [200, 0], "in memory, too");
  const purged = await fetch(url + ADMIN_PATHS.purge(0), { method: "POST" });
  assert.equal(purged.status, 200);
  await purged.body?.cancel();
  await node.close();
  await assert.rejects(fetch(`${url}/healthz`));
});
