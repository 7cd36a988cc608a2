/**
 * `Deno.serve` with a handler that reads the body and answers 204: the floor under any server
 * that is written on it.
 *
 * @module
 */

import type { Peer } from "./peer.ts";
import { freePort, startProcess } from "./process.ts";

/** The floor. */
export const bare: Peer = {
  name: "bare Deno.serve",
  absent: () => Promise.resolve(undefined),
  start() {
    const port = freePort();
    const script = new URL("bare_server.ts", import.meta.url).pathname;
    return startProcess({
      command: "deno",
      args: ["run", "-A", script, String(port)],
      port,
      prefix: "/v1/stream/",
    });
  },
};
