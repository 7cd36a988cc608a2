/**
 * Ursula in Rust as three nodes: crate `ursula`.
 *
 * @module
 */

import { NODES, type RunningNodes } from "./nodes.ts";
import type { Peer, Running } from "./peer.ts";
import { freePort, peerProgram, programIsAbsent, scratchFolder, startProcess } from "./process.ts";

const PROGRAM = "ursula";
const CRATE = "ursula --version 0.11.5 --locked";
const BUCKET = "bench";
/** Raft groups of each cluster that is compared: what one has to say of fewer, it says in fewer messages. */
export const GROUPS = 16;
/** Groups are there a while after their nodes answer. */
const TRIES = 300;
const TRY_MS = 100;

function configuration(node: number, ports: readonly number[], scratch: string): string {
  const peers = ports.map((port, at) =>
    `[[raft.peers]]\nnode_id = ${at + 1}\nurl = "http://127.0.0.1:${port}"\n`
  );
  return `[server]
listen = "127.0.0.1:${ports[node - 1]}"
admin_listen = "127.0.0.1:${freePort()}"
cluster_id = "bench"
[runtime]
core_count = 1
cpu_affinity = false
[raft]
node_id = ${node}
group_count = ${GROUPS}
[raft.wal]
path = "${scratch}/n${node}"
fsync = "always"
${peers.join("")}`;
}

async function start(): Promise<RunningNodes> {
  const ports = Array.from({ length: NODES }, freePort);
  const scratch = await scratchFolder();
  const prefix = `/${BUCKET}/`;
  const begun = ports.map(async (port, at) => {
    const file = `${scratch}/${at + 1}.toml`;
    await Deno.writeTextFile(file, configuration(at + 1, ports, scratch));
    const args = ["server", "-c", file];
    return await startProcess({ command: peerProgram(PROGRAM), args, port, prefix });
  });
  const nodes = (await Promise.allSettled(begun)).flatMap((node) =>
    node.status === "fulfilled" ? [node.value] : []
  );
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await Deno.remove(scratch, { recursive: true });
  };
  const [first] = nodes;
  if (first === undefined || nodes.length < NODES || !await isServing(first)) {
    await stop();
    throw new Error("the nodes did not come to elect leaders");
  }
  const leaderOf = (path: string) => leaderAmong(nodes, path);
  return { pid: first.pid, port: first.port, prefix, nodes, leaderOf, stop };
}

/** Buckets are made beforehand; streams of many names reach every group. */
async function isServing({ port }: Running): Promise<boolean> {
  const base = `http://127.0.0.1:${port}/${BUCKET}`;
  for (let tries = 0; tries < TRIES; tries++) {
    if (await isMade(base) && await everyGroupLeads(base)) return true;
    await new Promise((resolve) => setTimeout(resolve, TRY_MS));
  }
  return false;
}

async function everyGroupLeads(base: string): Promise<boolean> {
  for (let n = 0; n < 100; n++) if (!await isMade(`${base}/warm${n}`)) return false;
  return true;
}

/** Redirects are followed; while nodes disagree about a leader they lead in circles. */
async function isMade(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { method: "PUT" });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** A node that does not lead a stream's group answers 307 to one that does, or 503 for a while. */
async function leaderAmong(nodes: readonly Running[], path: string): Promise<Running> {
  let last = "";
  for (let tries = 0; tries < TRIES; tries++) {
    const response = await fetch(`http://127.0.0.1:${nodes[0]?.port}${path}`, {
      method: "PUT",
      headers: { "content-type": "text/plain" },
      redirect: "manual",
    });
    await response.body?.cancel();
    if (response.ok && nodes[0] !== undefined) return nodes[0];
    const location = response.headers.get("location") ?? "";
    const leader = nodes.find(({ port }) => location.startsWith(`http://127.0.0.1:${port}/`));
    if (leader !== undefined) return leader;
    last = `${response.status} ${location}`;
    await new Promise((resolve) => setTimeout(resolve, TRY_MS));
  }
  throw new Error(`no leader of ${path}: ${last}`);
}

/** It acknowledges what a majority has synced. */
export const ursulaNodes: Peer<RunningNodes> = {
  name: "Ursula in Rust, three nodes, to leaders",
  absent: () => programIsAbsent(PROGRAM, CRATE),
  start,
};
