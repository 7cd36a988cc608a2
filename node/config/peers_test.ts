import assert from "node:assert/strict";
import { raftPeers } from "./peers.ts";

const PEERS = [
  { nodeId: 1, url: "http://10.0.0.1:4437" },
  { nodeId: 2, url: "http://[::1]:4437", cluster: { hostname: "::1", port: 7000 } },
  { nodeId: 30, url: "https://c.example" },
];

Deno.test("raftPeers reads a list as text, parted by commas or white space", () => {
  const text =
    "1=http://10.0.0.1:4437,2=http://[::1]:4437,cluster=[::1]:7000,30=https://c.example/";
  assert.deepEqual(raftPeers.read(text), PEERS);
  assert.deepEqual(raftPeers.read(`  ${text.replaceAll(",", "\n ")}\n`), PEERS);
  assert.deepEqual(raftPeers.read(raftPeers.write(PEERS)), PEERS);
  assert.deepEqual(raftPeers.read(""), []);
  assert.equal(raftPeers.write([]), "");
});

Deno.test("raftPeers reads lists of a file and of a program", () => {
  assert.deepEqual(raftPeers.read(raftPeers.write(PEERS).split(/,(?=[0-9])/)), PEERS);
  assert.deepEqual(
    raftPeers.read([
      { node_id: 1, url: "http://10.0.0.1:4437" },
      { node_id: 2, url: "http://[::1]:4437", cluster: "[::1]:7000" },
      PEERS[2],
    ]),
    PEERS,
  );
  assert.deepEqual(raftPeers.read(PEERS), PEERS);
});

Deno.test("raftPeers refuses ids twice, and what is no peer", () => {
  const refused: unknown[] = [
    "1=http://a:1,1=http://b:1",
    "0=http://a:1",
    "-1=http://a:1",
    "x=http://a:1",
    "http://a:1",
    "1=a:1",
    "1=ftp://a",
    "1=http://a/path",
    "1=http://u:p@a",
    "1=http://a:99999",
    "cluster=a:1",
    "1=http://a:1,cluster=a",
    "1=http://a:1,cluster=a:0",
    "1=http://a:1,cluster=a:1,cluster=a:2",
    [{ node_id: 1.5, url: "http://a" }],
    [{ node_id: 1 }],
    [{ node_id: 1, url: "http://a", clutser: "a:1" }],
    [null],
    { 1: "http://a" },
    7,
    Array.from({ length: 65 }, (_, at) => `${at + 1}=http://a:${at + 1}`),
  ];
  for (const raw of refused) assert.equal(raftPeers.read(raw), undefined, JSON.stringify(raw));
});
