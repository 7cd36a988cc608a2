/**
 * The official server in Rust: crate `durable-streams`.
 *
 * @module
 */

import type { Peer } from "./peer.ts";
import { freePort, peerProgram, programIsAbsent, scratchFolder, startProcess } from "./process.ts";

const PROGRAM = "durable-streams-server";
const CRATE = "durable-streams --version 0.1.5 --locked";

function official(name: string, settings: string[]): Peer {
  return {
    name,
    absent: () => programIsAbsent(PROGRAM, CRATE),
    async start() {
      const port = freePort();
      const scratch = await scratchFolder();
      return startProcess({
        command: peerProgram(PROGRAM),
        args: ["--host", "127.0.0.1", "--port", String(port), "--data-dir", scratch, ...settings],
        port,
        prefix: "/v1/stream/",
        scratch,
      });
    },
  };
}

/** It acknowledges what is in the page cache. */
export const officialMemory: Peer = official("official Rust, memory", ["--durability", "memory"]);

/** It acknowledges what one `fdatasync` for all made durable. */
export const officialWal: Peer = official("official Rust, WAL", [
  "--durability",
  "wal",
  "--wal-shards",
  "1",
]);
