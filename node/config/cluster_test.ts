import assert from "node:assert/strict";
import { printConfig } from "./print.ts";
import { configFromInput, resolveConfig, type ResolvedConfig } from "./resolve.ts";
import type { ConfigInput } from "./types.ts";

const machine = { cores: 2 };
const PEERS = ["1=http://127.0.0.1:4437", "2=http://127.0.0.1:4447", "3=http://127.0.0.1:4457"];

function cluster(input: ConfigInput) {
  return configFromInput({ nodeId: 1, raftPeers: PEERS, ...input }, machine).cluster;
}

function refused(input: ConfigInput, message: string): void {
  assert.throws(() => configFromInput(input, machine), { name: "ConfigError", message });
}

function resolve(
  flags: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<ResolvedConfig> {
  const readFile = (path: string) =>
    path in files ? Promise.resolve(files[path] ?? "") : Promise.reject(new Error("no such file"));
  return resolveConfig({ flags: new Map(Object.entries(flags)), env, readFile, machine });
}

Deno.test("configFromInput() derives where every node's peer plane is", () => {
  assert.deepEqual(cluster({ raftPeers: [...PEERS].reverse() }), {
    nodeId: 1,
    peers: [
      { nodeId: 1, url: "http://127.0.0.1:4437", hostname: "127.0.0.1", port: 14437 },
      { nodeId: 2, url: "http://127.0.0.1:4447", hostname: "127.0.0.1", port: 14447 },
      { nodeId: 3, url: "http://127.0.0.1:4457", hostname: "127.0.0.1", port: 14457 },
    ],
    listen: { hostname: "127.0.0.1", port: 14437 },
    initMembership: false,
    secret: undefined,
  });
  const given = cluster({
    listen: "0.0.0.0:0",
    clusterListen: "[::]:7000",
    raftPeers: ["1=http://[::1]:4437", "2=https://b.example", "3=http://c:60000,cluster=c:7000"],
    raftInitMembership: true,
    clusterSecret: "hush",
  });
  assert.deepEqual(given?.peers.map(({ hostname, port }) => [hostname, port]), [
    ["::1", 14437],
    ["b.example", 10443],
    ["c", 7000],
  ]);
  assert.deepEqual(given?.listen, { hostname: "::", port: 7000 });
  assert.deepEqual([given?.initMembership, given?.secret], [true, "hush"]);
});

Deno.test("configFromInput() takes no peers, or itself alone, for a single node", () => {
  const alone = configFromInput({ nodeId: 7, raftPeers: ["7=http://a:1"] }, machine);
  assert.deepEqual([alone.cluster, alone.nodeId, alone.clusterListen], [undefined, 7, undefined]);
  const none = configFromInput({ listen: "0.0.0.0:0" }, machine);
  assert.deepEqual([none.cluster, none.nodeId, none.readLease], [undefined, 1, true]);
});

Deno.test("configFromInput() refuses what makes no cluster", () => {
  refused({ raftPeers: PEERS }, "--raft-node-id is missing: which of the peers 1, 2, 3 is this?");
  refused(
    { nodeId: 4, raftPeers: PEERS },
    "--raft-node-id 4 is not among the peers 1, 2, 3 (--raft-peer)",
  );
  refused(
    { nodeId: 1, raftPeers: ["2=http://a:1"] },
    "--raft-node-id 1 is not among the peers 2 (--raft-peer)",
  );
  refused(
    { nodeId: 1, raftPeers: ["1=http://a:1", "2=http://a:1"] },
    "peers 1 and 2 have one address, a:10001",
  );
  refused(
    { nodeId: 1, raftPeers: ["1=http://a:1", "2=http://b:60000"] },
    "--raft-peer 2=http://b:60000 needs ,cluster=HOST:PORT: 70000 is no port",
  );
  refused(
    { nodeId: 1, raftPeers: PEERS, listen: "127.0.0.1:0" },
    "--listen with port 0 needs --cluster-listen in a cluster",
  );
  refused(
    { nodeId: 1, raftPeers: PEERS, listen: "127.0.0.1:60000" },
    "--listen with port 60000 needs --cluster-listen: 70000 is no port",
  );
  refused(
    {
      nodeId: 1,
      raftPeers: PEERS,
      maxAppendBytes: (32 << 20) + 1,
      maxBodyBytesInFlight: 1 << 30,
    },
    "--max-append-bytes (33554433B) must not be above 32MiB in a cluster",
  );
  refused({ nodeId: 0 }, "option nodeId 0: expected a whole number from 1 to 4294967295");
});

Deno.test("configFromInput() wants a secret where the peer plane leaves loopback", () => {
  const needs = (address: string) =>
    `the peer plane can't listen on ${address}, which is not loopback, without URSULA_CLUSTER_SECRET`;
  const nodes = { nodeId: 1, raftPeers: PEERS };
  refused({ ...nodes, listen: "0.0.0.0:4437" }, needs("0.0.0.0:14437"));
  refused({ ...nodes, listen: "[::]:4437" }, needs("[::]:14437"));
  refused({ ...nodes, clusterListen: "127.example:7000" }, needs("127.example:7000"));
  for (const listen of ["localhost:4437", "127.9.9.9:4437", "[::1]:4437"]) {
    assert.ok(cluster({ listen }) !== undefined);
  }
  assert.ok(cluster({ listen: "0.0.0.0:4437", clusterListen: "127.0.0.1:7000" }) !== undefined);
  assert.ok(cluster({ listen: "0.0.0.0:4437", clusterSecret: "hush" }) !== undefined);
});

Deno.test("resolveConfig() reads peers from flags, environment and config file alike", async () => {
  const ids = ({ config }: ResolvedConfig) => config.cluster?.peers.map(({ nodeId }) => nodeId);
  const id = { "raft-node-id": "2" };
  assert.deepEqual(ids(await resolve({ ...id, "raft-peer": PEERS.join(",") })), [1, 2, 3]);
  assert.deepEqual(ids(await resolve(id, {}, { URSULA_RAFT_PEER: PEERS.join(" ") })), [1, 2, 3]);
  const file = JSON.stringify({ raft_peer: PEERS, raft_node_id: 3 });
  const both = await resolve({ config: "u.json", "raft-peer": "3=http://a:1,4=http://b:1" }, {
    "u.json": file,
  });
  assert.deepEqual(ids(both), [3, 4], "a stronger layer replaces the list");
});

Deno.test("resolveConfig() lays the cluster file over the config file and under the rest", async () => {
  const files = {
    "u.json": '{ "cluster_id": "weak", "raft_cluster_config": "c.json", "log_level": "debug" }',
    "c.json": `{
      "node_id": 1, "cluster_id": "prod", "init_membership_per_group": true,
      "peers": [
        { "node_id": 1, "url": "http://127.0.0.1:4437" },
        { "node_id": 2, "url": "http://127.0.0.1:4447", "cluster": "127.0.0.1:7000" }, // a comment
      ],
    }`,
  };
  const { config, origins } = await resolve({ config: "u.json", "raft-node-id": "2" }, files);
  assert.deepEqual([config.clusterId, config.nodeId, config.logLevel], ["prod", 2, "debug"]);
  assert.equal(config.cluster?.peers[1]?.port, 7000);
  assert.equal(config.cluster?.initMembership, true);
  assert.deepEqual([origins.clusterId, origins.nodeId], ["c.json", "--raft-node-id"]);
});

Deno.test("resolveConfig() says what is wrong with a cluster file", async () => {
  const rows: [string, string][] = [
    ["{", "cluster file c.json is not valid JSON"],
    ["[]", 'cluster file c.json must hold one JSON object, {"peers": […]}'],
    [
      '{"node": 1}',
      "unknown key node in c.json; " +
      "known are node_id, cluster_id, peers, init_membership, init_membership_per_group",
    ],
    ['{"peer": []}', "unknown key peer in c.json; did you mean peers?"],
    [
      '{"init_membership": true, "init_membership_per_group": false}',
      "c.json: init_membership and init_membership_per_group mean the same, but differ",
    ],
    [
      '{"node_id": "one"}',
      "c.json: node_id one: expected a whole number from 1 to 4294967295",
    ],
  ];
  for (const [text, message] of rows) {
    await assert.rejects(
      resolve({ "raft-cluster-config": "c.json" }, { "c.json": text }),
      (error) => {
        assert.ok(error instanceof Error && error.message.startsWith(message), String(error));
        return true;
      },
    );
  }
  await assert.rejects(resolve({ "raft-cluster-config": "gone" }), {
    message: "cluster file gone can't be read: no such file",
  });
});

Deno.test("printConfig() masks the secret and shows what was derived", async () => {
  const flags = { "raft-node-id": "1", "raft-peer": PEERS.join(","), listen: "0.0.0.0:4437" };
  const lines = printConfig(await resolve(flags, {}, { URSULA_CLUSTER_SECRET: "hush" })).split(
    "\n",
  );
  assert.ok(lines.every((line) => !line.includes("hush")));
  assert.ok(
    lines.some((line) => /^URSULA_CLUSTER_SECRET +\*\*\* +URSULA_CLUSTER_SECRET$/.test(line)),
  );
  assert.ok(lines.some((line) => /^--cluster-listen +0\.0\.0\.0:14437 +default$/.test(line)));
  await assert.rejects(resolve({}, {}, { URSULA_CLUSTER_SECRET: "hu\nsh" }), {
    message: "URSULA_CLUSTER_SECRET: expected 1 to 1024 characters in one line",
  });
});
