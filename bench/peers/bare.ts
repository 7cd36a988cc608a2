/**
 * `Deno.serve` with nothing behind it: the floor under any server that is written on it.
 *
 * @module
 */

import type { Peer } from "./peer.ts";
import { freePort, startProcess } from "./process.ts";

function served(name: string, kind: readonly string[]): Peer {
  return {
    name,
    absent: () => Promise.resolve(undefined),
    start() {
      const port = freePort();
      const script = new URL("bare_server.ts", import.meta.url).pathname;
      return startProcess({
        command: "deno",
        args: ["run", "-A", script, String(port), ...kind],
        port,
        prefix: "/v1/stream/",
      });
    },
  };
}

/** Reads the body and answers 204. */
export const bare: Peer = served("bare Deno.serve", []);

/** Looks at the headers of an append besides, and answers with those that it is to have. */
export const bareHeaders: Peer = served("bare Deno.serve, headers of an append", ["headers"]);
