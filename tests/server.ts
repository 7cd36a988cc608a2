/**
 * The server as a process of its own, for tests that look at it from outside.
 *
 * ```ts
 * await using server = await startServer({ args: ["--core-count", "2"] });
 * await fetch(`${server.url}/v1/stream/a`, { method: "PUT" });
 * ```
 *
 * Standard output and error go to files, not pipes: no read is ever pending here, so the test
 * runner's leak checks see only what a test itself leaves behind, and a chatty server never blocks.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

/** How a {@linkcode ServerProcess} is started. */
export interface ServerOptions {
  /** Flags besides `--listen` and the storage flag. */
  readonly args?: readonly string[];
  /** Keep nothing on disk (`--raft-memory`). @default false */
  readonly memory?: boolean;
  /** Data directory; without one, a temporary folder that is removed in the end. */
  readonly dataDir?: string;
  /** File handles that it may have; left out as many as this process. */
  readonly handlesMax?: number;
  /** Environment beside the inherited one, from which every `URSULA_` variable is taken away. */
  readonly env?: Readonly<Record<string, string>>;
}

/** How a process ended. */
export interface Exit {
  readonly code: number;
  readonly signal: Deno.Signal | null;
}

const MAIN = fileURLToPath(new URL("../mod.ts", import.meta.url));
const START_MS_MAX = 30_000;
const STOP_MS_MAX = 15_000;
const POLL_MS = 15;

/** Whatever still runs when the test process leaves is killed by its pid. */
const running = new Set<Deno.ChildProcess>();
globalThis.addEventListener("unload", () => {
  for (const child of running) signal(child, "SIGKILL");
});

/**
 * The program and its first arguments. `URSULA_TEST_COMMAND` (words separated by spaces) replaces
 * `deno run … mod.ts`, so that the same tests judge a compiled binary.
 */
export function serverCommand(): string[] {
  const own = Deno.env.get("URSULA_TEST_COMMAND");
  if (own !== undefined && own !== "") return own.split(" ");
  return [Deno.execPath(), "run", "-A", "--unstable-net", MAIN];
}

/** Starts a server and resolves once it listens; throws with its output when it ends before. */
export async function startServer(options: ServerOptions = {}): Promise<ServerProcess> {
  const folder = await Deno.makeTempDir({ prefix: "ursula-test-" });
  const server = new ServerProcess(options, folder);
  try {
    await server.restart();
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

/** Runs the program until it ends by itself: for starts that must fail, `--help` and the like. */
export async function runProgram(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const [program = "", ...first] = serverCommand();
  const output = await new Deno.Command(program, {
    args: [...first, ...args],
    env: environment(env),
    clearEnv: true,
    stdin: "null",
    signal: AbortSignal.timeout(START_MS_MAX),
  }).output();
  const text = new TextDecoder();
  return {
    code: output.code,
    stdout: text.decode(output.stdout),
    stderr: text.decode(output.stderr),
  };
}

/** A server that a test owns: stop it, kill it, start it again on the same data. */
export class ServerProcess implements AsyncDisposable {
  readonly #options: ServerOptions;
  readonly #folder: string;
  /** Where its data lies; nothing is written there in memory mode. */
  readonly dataDir: string;
  #child: Deno.ChildProcess | undefined;
  #url = "";
  #adminUrl = "";
  #starts = 0;

  /** Use {@linkcode startServer}. */
  constructor(options: ServerOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
    this.dataDir = options.dataDir ?? `${folder}/data`;
  }

  /** Base URL of the client plane, without a slash at the end; another one after a restart. */
  get url(): string {
    return this.#url;
  }

  /** Base URL of the admin plane, likewise. */
  get adminUrl(): string {
    return this.#adminUrl;
  }

  /** Host and port of the client plane, for raw connections. */
  get address(): { hostname: string; port: number } {
    const { hostname, port } = new URL(this.#url);
    return { hostname, port: Number(port) };
  }

  /** Process id of the running server. */
  get pid(): number {
    if (this.#child === undefined) throw new Error("the server does not run");
    return this.#child.pid;
  }

  /** What all starts so far wrote to standard error. */
  stderr(): Promise<string> {
    return this.#output("stderr");
  }

  /** What all starts so far wrote to standard output. */
  stdout(): Promise<string> {
    return this.#output("stdout");
  }

  /** Does it still run? */
  get alive(): boolean {
    return this.#child !== undefined && running.has(this.#child);
  }

  /** Starts it again on the same data, stopping it first where it runs; `args` replace the old ones. */
  async restart(args: readonly string[] = this.#options.args ?? []): Promise<void> {
    if (this.#child !== undefined) await this.stop();
    const start = ++this.#starts;
    const [program = "", ...first] = serverCommand();
    const storage = this.#options.memory === true ? ["--raft-memory"] : [
      "--data-dir",
      this.dataDir,
    ];
    const own = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    const flags = [...own, ...storage, ...args];
    // `exec` keeps the pid: signals reach the server and not a shell around it.
    const child = new Deno.Command("sh", {
      args: [
        "-c",
        '[ -z "$1" ] || ulimit -n "$1"; out=$2; err=$3; shift 3; exec "$@" >"$out" 2>"$err"',
        "sh",
        String(this.#options.handlesMax ?? ""),
        `${this.#folder}/stdout.${start}`,
        `${this.#folder}/stderr.${start}`,
        program,
        ...first,
        ...flags,
      ],
      env: environment(this.#options.env ?? {}),
      clearEnv: true,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#child = child;
    running.add(child);
    child.status.then(() => running.delete(child));
    this.#url = await this.#listening(child, start);
  }

  /** SIGTERM, and the way it ended. Killed, and an error, when it has not ended after 15 s. */
  async stop(): Promise<Exit> {
    return await this.#end("SIGTERM");
  }

  /** SIGKILL: what a power cut looks like to everything but the page cache. */
  async kill(): Promise<Exit> {
    return await this.#end("SIGKILL");
  }

  /** Resident memory in bytes (`VmRSS`, Linux). */
  async residentBytes(): Promise<number> {
    const status = await Deno.readTextFile(`/proc/${this.pid}/status`);
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
    if (kibibytes === undefined) throw new Error("no VmRSS in /proc/PID/status");
    return Number(kibibytes) * 1024;
  }

  /** Kills it where it still runs and removes its folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child !== undefined) await this.kill();
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #end(how: Deno.Signal): Promise<Exit> {
    const child = this.#child;
    if (child === undefined) throw new Error("the server does not run");
    this.#child = undefined;
    signal(child, how);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      signal(child, "SIGKILL");
    }, STOP_MS_MAX);
    const status = await child.status;
    clearTimeout(timer);
    if (late) {
      throw new Error(`still running ${STOP_MS_MAX} ms after ${how}\n${await this.stderr()}`);
    }
    return { code: status.code, signal: status.signal };
  }

  async #listening(child: Deno.ChildProcess, start: number): Promise<string> {
    const deadline = performance.now() + START_MS_MAX;
    while (performance.now() < deadline) {
      const printed = await textOf(`${this.#folder}/stdout.${start}`);
      const url = /listening on (https?:\/\/\S+)/.exec(printed)?.[1];
      this.#adminUrl = /^ {2}admin +(https?:\/\/\S+)$/m.exec(printed)?.[1] ?? "";
      if (url !== undefined && this.#adminUrl !== "") return url.replace(/\/$/, "");
      if (!this.alive) break;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    signal(child, "SIGKILL");
    const { code } = await child.status;
    this.#child = undefined;
    const said = await textOf(`${this.#folder}/stdout.${start}`) +
      await textOf(`${this.#folder}/stderr.${start}`);
    throw new Error(`the server did not start (exit code ${code}):\n${said}`);
  }

  async #output(name: string): Promise<string> {
    let all = "";
    for (let start = 1; start <= this.#starts; start++) {
      all += await textOf(`${this.#folder}/${name}.${start}`);
    }
    return all;
  }
}

function environment(more: Readonly<Record<string, string>>): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(Deno.env.toObject())) {
    if (!name.startsWith("URSULA_")) env[name] = value;
  }
  return { ...env, NO_COLOR: "1", ...more };
}

function signal(child: Deno.ChildProcess, how: Deno.Signal): void {
  try {
    child.kill(how);
  } catch {
    // It has ended already.
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return "";
  }
}

/** Starts a server before the tests of the calling file, and removes it after them. */
export function serverFixture(options: ServerOptions = {}): () => ServerProcess {
  let server: ServerProcess | undefined;
  Deno.test.beforeAll(async () => {
    server = await startServer(options);
  });
  Deno.test.afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });
  return () => {
    if (server === undefined) throw new Error("the server runs only while tests do");
    return server;
  };
}
