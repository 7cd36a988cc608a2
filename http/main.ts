/**
 * The server as a program: its command line, its start-up lines, its signals and its exit codes.
 *
 * @module
 */

import { availableCores } from "../io/machine.ts";
import { asksForTokens, type Config } from "../node/config/mod.ts";
import { readCommandLine } from "../node/config/cli.ts";
import { createLog } from "../node/log.ts";
import { type ListenAddress, startNode, type UrsulaNode } from "./embed.ts";
import { VERSION } from "./version.ts";

/** Exit code of a node that could not start. */
const EXIT_FAILED = 1;
/** Exit code of a node whose disk failed it, or that lost a shard (SPEC section 8). */
const EXIT_FATAL = 70;
/** A stop that takes longer is given up (SPEC section 8). */
const STOP_MS = 10_000;

/** Runs the program. Ends the process itself. */
export async function main(): Promise<void> {
  const line = await readCommandLine({
    args: Deno.args,
    env: Deno.env.toObject(),
    readFile: (path) => Deno.readTextFile(path),
    machine: { cores: availableCores() },
    version: VERSION,
  });
  if (line.action === "print") return await print(line.text);
  if (line.action === "fail") {
    console.error(`ursula: ${line.message}`);
    Deno.exit(line.exitCode);
  }
  const { config, warnings } = line.resolved;
  const encoder = new TextEncoder();
  const log = createLog(
    { level: config.logLevel, format: config.logFormat },
    (text) => void Deno.stderr.writeSync(encoder.encode(text)),
    Date.now,
  );
  for (const warning of warnings) log("warn", warning);
  let node: UrsulaNode;
  let address: ListenAddress;
  let admin: ListenAddress;
  try {
    node = await startNode(config, log);
    admin = await node.listenAdmin();
    address = await node.listen();
  } catch (reason) {
    log("error", reason instanceof Error ? reason.message : String(reason));
    Deno.exit(EXIT_FAILED);
  }
  await print(startUpLines(config, address, admin));
  stopOnSignals(node);
  reloadOnSignal(config, node);
  const failure = await node.closed;
  Deno.exit(failure === undefined ? 0 : EXIT_FATAL);
}

function startUpLines(config: Config, { url }: ListenAddress, admin: ListenAddress): string {
  const data = config.raftMemory
    ? "in memory: gone when this process ends"
    : `in ${config.dataDir}, ${
      config.fsync === "always" ? "synced" : "not synced"
    } before it is acknowledged`;
  const token = asksForTokens(config) ? ' -H "Authorization: Bearer $TOKEN"' : "";
  return [
    `ursula ${VERSION} listening on ${url}`,
    `  admin   ${admin.url}`,
    `  data    ${data}`,
    `  shards  ${config.cores}, with ${config.raftGroupCount} groups`,
    "Try:",
    `  curl -X PUT ${url}/v1/stream/hello${token} -H 'Content-Type: text/plain'`,
    `  curl -X POST ${url}/v1/stream/hello${token} -H 'Content-Type: text/plain' -d 'Hello, world'`,
    `  curl -N '${url}/v1/stream/hello?offset=-1&live=sse'${token}`,
    "",
  ].join("\n");
}

/** The first signal stops the node in good order, the second one ends the process at once. */
function stopOnSignals(node: UrsulaNode): void {
  let signals = 0;
  const stop = () => {
    if (++signals > 1) Deno.exit(EXIT_FAILED);
    setTimeout(() => Deno.exit(EXIT_FAILED), STOP_MS);
    node.close().catch((reason) => {
      console.error(`ursula: ${reason instanceof Error ? reason.message : reason}`);
      Deno.exit(EXIT_FATAL);
    });
  };
  Deno.addSignalListener("SIGTERM", stop);
  Deno.addSignalListener("SIGINT", stop);
}

/** Without anything to read again, a hang-up ends the process as it does others. */
function reloadOnSignal({ authFile, tlsCert, clusterTlsCert }: Config, node: UrsulaNode): void {
  if ((authFile ?? tlsCert ?? clusterTlsCert) === undefined) return;
  // There is no such signal on Windows.
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGHUP", () => void node.reload());
}

async function print(text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
}
