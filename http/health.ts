import { type Reply, respond } from "./answer.ts";

/** GET /healthz: the process is up. */
export function health(): Reply {
  return respond(200, { "content-type": "text/plain", "cache-control": "no-store" }, "ok\n");
}
