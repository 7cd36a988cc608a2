/**
 * Ursula in Rust as a single node: crate `ursula`.
 *
 * @module
 */

import type { Peer, Running } from "./peer.ts";
import { freePort, peerProgram, programIsAbsent, scratchFolder, startProcess } from "./process.ts";

const PROGRAM = "ursula";
const CRATE = "ursula --version 0.11.5 --locked";
const BUCKET = "bench";

/** The settings that the three-node comparison uses too, with one voter. */
function configuration(port: number, adminPort: number, scratch: string, fsync: string): string {
  return `[server]
listen = "127.0.0.1:${port}"
admin_listen = "127.0.0.1:${adminPort}"
cluster_id = "bench"
[runtime]
core_count = 1
cpu_affinity = false
[raft]
node_id = 1
group_count = 16
[raft.wal]
path = "${scratch}/wal"
fsync = "${fsync}"
[[raft.peers]]
node_id = 1
url = "http://127.0.0.1:${port}"
`;
}

/** Its buckets are made beforehand, and its groups elect themselves a while after it answers. */
async function makeBucket(running: Running): Promise<Running> {
  const base = `http://127.0.0.1:${running.port}/${BUCKET}`;
  let last = "";
  for (let tries = 0; tries < 300; tries++) {
    const bucket = await fetch(base, { method: "PUT" });
    last = await bucket.text();
    if (bucket.ok && await everyGroupLeads(base)) return running;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await running.stop();
  throw new Error(`ursula made no bucket within 30 s: ${last}`);
}

/** Streams of many names reach every group. */
async function everyGroupLeads(base: string): Promise<boolean> {
  for (let n = 0; n < 100; n++) {
    const stream = await fetch(`${base}/warm${n}`, { method: "PUT" });
    await stream.body?.cancel();
    if (!stream.ok) return false;
  }
  return true;
}

function ursula(name: string, fsync: "always" | "never"): Peer {
  return {
    name,
    absent: () => programIsAbsent(PROGRAM, CRATE),
    async start() {
      const port = freePort();
      const scratch = await scratchFolder();
      const file = `${scratch}/ursula.toml`;
      await Deno.writeTextFile(file, configuration(port, freePort(), scratch, fsync));
      return makeBucket(
        await startProcess({
          command: peerProgram(PROGRAM),
          args: ["server", "-c", file],
          port,
          prefix: `/${BUCKET}/`,
          scratch,
        }),
      );
    },
  };
}

/** It acknowledges what is synced. */
export const ursulaFsync: Peer = ursula("Ursula in Rust, fsync", "always");

/** Its nearest to a memory mode that takes a configuration: a journal that is never synced. */
export const ursulaUnsynced: Peer = ursula("Ursula in Rust, no fsync", "never");
