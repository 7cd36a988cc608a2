/**
 * Starts a server process on the servers' core and waits until it answers.
 *
 * @module
 */

import { SERVER_CORE } from "./cores.ts";
import type { Running } from "./peer.ts";

/** How long a server may take to answer its first request. */
const START_PATIENCE_MS = 30_000;

/** What runs now. */
const running = new Set<Running>();

/** Ends every server that still runs: for whoever is interrupted. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((server) => server.stop()));
}

/** What {@linkcode startProcess} starts. */
export interface ServerProcess {
  command: string;
  args: string[];
  /** Where it runs; the present folder when it is left out. */
  cwd?: string;
  /** The port that it was told to listen on. */
  port: number;
  prefix: string;
  /** A folder that is removed when it ends. */
  scratch?: string;
}

/** Starts one. @throws {Error} with what it printed, when it ends or stays silent */
export async function startProcess(server: ServerProcess): Promise<Running> {
  // A shell raises the limit of open files to the hard one, and becomes the server.
  const script = 'ulimit -n "$(ulimit -Hn)"; exec taskset -c "$0" "$@"';
  const child = new Deno.Command("sh", {
    args: ["-c", script, String(SERVER_CORE), server.command, ...server.args],
    cwd: server.cwd,
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const said = { text: "" };
  const quiet = Promise.all([collect(child.stdout, said), collect(child.stderr, said)]);
  const ended = { value: false };
  const status = child.status.then(() => {
    ended.value = true;
  });

  const stop = async () => {
    running.delete(started);
    if (!ended.value) child.kill("SIGKILL");
    await status;
    await quiet;
    if (server.scratch !== undefined) await Deno.remove(server.scratch, { recursive: true });
  };

  const started: Running = { pid: child.pid, port: server.port, prefix: server.prefix, stop };
  running.add(started);
  const deadline = performance.now() + START_PATIENCE_MS;
  while (!(await answers(server.port))) {
    if (ended.value || performance.now() > deadline) {
      await stop();
      throw new Error(`${server.command} did not start: ${said.text.slice(-2000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return started;
}

/** Keeps the end of what a server says, for the error message. */
async function collect(from: ReadableStream<Uint8Array>, into: { text: string }): Promise<void> {
  for await (const piece of from.pipeThrough(new TextDecoderStream() as never)) {
    into.text = (into.text + piece).slice(-4000);
  }
}

async function answers(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/`);
    await response.body?.cancel();
    return true;
  } catch {
    return false;
  }
}

/** A port that nobody listened on a moment ago. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

/** A fresh folder for one server's data, on the disk that holds the temporary files. */
export function scratchFolder(): Promise<string> {
  return Deno.makeTempDir({ prefix: "ursula-bench-" });
}

/** The path of a peer's program, where `cargo install` put it. */
export function peerProgram(name: string): string {
  const home = Deno.env.get("HOME") ?? "";
  return `${Deno.env.get("URSULA_PEERS") ?? `${home}/.cache/ursula-peers`}/bin/${name}`;
}

/** Why a peer's program is not at hand, and how to get it; `undefined` when it is. */
export async function programIsAbsent(name: string, crate: string): Promise<string | undefined> {
  const path = peerProgram(name);
  try {
    await Deno.stat(path);
    return undefined;
  } catch {
    return `${path} is missing: \`cargo install ${crate}\`, see bench/README.md`;
  }
}
