/**
 * Starts a cluster of three nodes on this machine, to try things on, and ends it at Ctrl-C.
 *
 * ```sh
 * deno task cluster                # data under ./ursula-cluster/
 * deno task cluster --memory       # nothing on disk
 * deno task cluster --port 5000 --core-count 2    # what it does not know goes to every node
 * ```
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const NODES = [1, 2, 3];
const FOLDER = "./ursula-cluster";
const PORT_DEFAULT = 4437;
/** From a node's client port to the next one's; operators connect to the one right above it. */
const NODE_PORT_DISTANCE = 10;
/** From a node's client port to its port for the other nodes. */
const PEER_PORT_DISTANCE = 1_000;
const HIGHEST_PORT = PEER_PORT_DISTANCE + NODE_PORT_DISTANCE * (NODES.length - 1);
const MAIN = fileURLToPath(new URL("../../mod.ts", import.meta.url));
const READY_LOOK_MS = 50;

const { values, tokens } = parseArgs({
  args: Deno.args,
  strict: false,
  tokens: true,
  options: {
    memory: { type: "boolean", default: false },
    port: { type: "string", default: String(PORT_DEFAULT) },
  },
});
const port = Number(values.port);
if (!Number.isSafeInteger(port) || port < 1 || port + HIGHEST_PORT > 65_535) {
  console.error(`--port ${values.port} is no port with ${HIGHEST_PORT} more above it`);
  Deno.exit(2);
}
const known = new Set(
  tokens.flatMap((token) =>
    token.kind === "option" && (token.name === "memory" || token.name === "port")
      ? [token.index, ...(token.value !== undefined && !token.inlineValue ? [token.index + 1] : [])]
      : []
  ),
);
const more = Deno.args.filter((_, at) => !known.has(at));

const portOf = (id: number) => port + NODE_PORT_DISTANCE * (id - 1);
const urlOf = (id: number) => `http://127.0.0.1:${portOf(id)}`;
const peerOf = (id: number) => `127.0.0.1:${portOf(id) + PEER_PORT_DISTANCE}`;
const peers = NODES.flatMap((id) => ["--raft-peer", `${id}=${urlOf(id)},cluster=${peerOf(id)}`]);

const nodes = NODES.map((id) =>
  new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--unstable-net",
      MAIN,
      "--listen",
      `127.0.0.1:${portOf(id)}`,
      "--cluster-listen",
      peerOf(id),
      "--raft-node-id",
      String(id),
      ...peers,
      "--raft-init-membership",
      ...(values.memory === true ? ["--raft-memory"] : ["--data-dir", `${FOLDER}/node-${id}`]),
      ...more,
    ],
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
    // Ctrl-C reaches this program alone: a second signal would end a node in no good order.
    detached: true,
  }).spawn()
);

let ending = false;
const end = () => {
  ending = true;
  for (const node of nodes) {
    try {
      node.kill("SIGTERM");
    } catch {
      // It has ended already.
    }
  }
};
const onSignal = () => ending || end();
Deno.addSignalListener("SIGINT", onSignal);
Deno.addSignalListener("SIGTERM", onSignal);

announce().catch((reason) => console.error(reason));
const codes = await Promise.all(nodes.map(async (node, at) => {
  const { code } = await node.status;
  if (!ending) {
    console.error(`node ${NODES[at]} has ended with ${code}; so do the others`);
    end();
  }
  return code;
}));
Deno.exit(Math.max(...codes));

/** Says where the nodes are once all serve. */
async function announce(): Promise<void> {
  for (const id of NODES) {
    while (!ending && !await isReady(id)) {
      await new Promise((resolve) => setTimeout(resolve, READY_LOOK_MS));
    }
  }
  if (ending) return;
  const data = values.memory === true ? "in memory" : `in ${FOLDER}`;
  console.log(`a cluster of three nodes, with its data ${data}; Ctrl-C ends it`);
  for (const id of NODES) console.log(`  node ${id}  ${urlOf(id)}`);
}

async function isReady(id: number): Promise<boolean> {
  try {
    const response = await fetch(`${urlOf(id)}/readyz`);
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
