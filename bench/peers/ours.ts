/**
 * This server, on one shard.
 *
 * @module
 */

import type { Peer } from "./peer.ts";
import { freePort, scratchFolder, startProcess } from "./process.ts";
import { START } from "./start_task.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

function ours(name: string, settings: (scratch: string) => string[]): Peer {
  return {
    name,
    async absent() {
      try {
        await Deno.stat(`${ROOT}mod.ts`);
        return undefined;
      } catch {
        return "mod.ts does not exist";
      }
    },
    async start() {
      const port = freePort();
      const scratch = await scratchFolder();
      return startProcess({
        command: START.program,
        args: [
          ...START.args,
          "--listen",
          `127.0.0.1:${port}`,
          "--admin-listen",
          "127.0.0.1:0",
          "--core-count",
          "1",
          ...settings(scratch),
        ],
        cwd: ROOT,
        port,
        prefix: "/v1/stream/",
        scratch,
      });
    },
  };
}

/** Nothing on disk. */
export const oursMemory: Peer = ours("this server, memory", () => ["--raft-memory"]);

/** Every append synced before it is acknowledged. */
export const oursFsync: Peer = ours(
  "this server, fsync",
  (scratch) => ["--data-dir", scratch, "--fsync", "always"],
);
