/**
 * Does what `docs/deploy.md` says, with its very commands: every machine is an address of the
 * loopback interface, and its files lie in a folder of its own.
 */

import assert from "node:assert/strict";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { freePorts } from "../cluster/ports.ts";
import { pause } from "../http/expect.ts";
import { type Block, blocksOf, isAsSaid } from "./page.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PAGE = `${ROOT}docs/deploy.md`;
const MACHINES = [1, 2, 3];
/** A block that is tried again comes true within this. */
const AGAIN_MS_MAX = 40_000;
/** A block that ends at all ends within this. */
const BLOCK_MS_MAX = 40_000;
const AGAIN_MS = 250;

/** Machines that are folders. */
class Machines {
  readonly #folder: string;
  readonly #port: number;

  constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
  }

  /** Runs commands on one; answers what they print. */
  async run(commands: string, machine: number): Promise<string> {
    const child = new Deno.Command("sh", {
      args: ["-c", this.#here(commands, machine)],
      env: {
        // What the page calls `deno` is what runs this.
        PATH: `${dirname(Deno.execPath())}:${Deno.env.get("PATH")}`,
        URSULA_CORE_COUNT: "1",
        NO_COLOR: "1",
      },
      stdin: "null",
      stderr: "inherit",
      signal: AbortSignal.timeout(BLOCK_MS_MAX),
    });
    return new TextDecoder().decode((await child.output()).stdout);
  }

  async make(): Promise<void> {
    for (const machine of MACHINES) await Deno.mkdir(this.#path(machine), { recursive: true });
  }

  /** Kills what runs still. */
  async close(): Promise<void> {
    for (const machine of MACHINES) {
      const path = `${this.#path(machine)}/pid`;
      const pid = Number(await Deno.readTextFile(path).catch(() => "0"));
      if (pid === 0) continue;
      try {
        Deno.kill(pid, "SIGKILL");
      } catch {
        // It has ended, as it should have.
      }
    }
  }

  /** The nodes' logs. */
  async logs(): Promise<string> {
    const texts = MACHINES.map(async (machine) => {
      const text = await Deno.readTextFile(`${this.#path(machine)}/log`).catch(() => "");
      return `machine ${machine}\n${text}`;
    });
    return (await Promise.all(texts)).join("\n");
  }

  #path(machine: number): string {
    return `${this.#folder}/${machine}`;
  }

  #here(commands: string, machine: number): string {
    return commands
      .replace(/^ssh 10\.0\.0\.(\d) '?(.*?)'?$/gm, (_, to, rest) => this.#here(rest, Number(to)))
      .replace(/^scp (.+) 10\.0\.0\.(\d):(\S+)$/gm, (_, from, to, path) => {
        const there = this.#here(path, Number(to));
        // A file names the same paths everywhere, and here each machine's are others.
        const rename = `s#${this.#path(machine)}/#${this.#path(to)}/#g`;
        return `cp ${this.#here(from, machine)} ${there} && sed -i '${rename}' ${there}/*`;
      })
      .replaceAll("/etc/ursula", `${this.#path(machine)}/etc`)
      .replaceAll("/var/lib/ursula", `${this.#path(machine)}/data`)
      .replaceAll("/var/log/ursula.log", `${this.#path(machine)}/log`)
      .replaceAll("/run/ursula.pid", `${this.#path(machine)}/pid`)
      .replaceAll("/opt/ursula", ROOT)
      .replaceAll("10.0.0.", "127.0.0.")
      .replaceAll("4437", String(this.#port));
  }
}

Deno.test({
  name: "docs/deploy.md does what it says",
  // Other systems have one loopback address only.
  ignore: Deno.build.os !== "linux",
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "ursula-deploy-" });
    const machines = new Machines(folder, clientPort());
    try {
      await machines.make();
      const blocks = blocksOf(await Deno.readTextFile(PAGE));
      assert.ok(blocks.length > 0, "the page has commands");
      for (const block of blocks) {
        for (const machine of block.machines) await check(machines, block, machine);
      }
    } catch (reason) {
      console.log(await machines.logs());
      throw reason;
    } finally {
      await machines.close();
      await Deno.remove(folder, { recursive: true });
    }
  },
});

async function check(machines: Machines, block: Block, machine: number): Promise<void> {
  const { commands, prints = "", line } = block;
  const deadline = performance.now() + AGAIN_MS_MAX;
  for (;;) {
    const printed = await machines.run(commands, machine);
    if (isAsSaid(printed, here(prints))) return;
    if (!block.again || performance.now() > deadline) {
      assert.equal(printed, prints, `docs/deploy.md:${line} on machine ${machine}`);
    }
    await pause(AGAIN_MS);
  }
}

/** What the page says is printed, where addresses are these. */
function here(text: string): string {
  return text.replaceAll("10.0.0.", "127.0.0.");
}

/** One whose admin and peer ports are free, too. */
function clientPort(): number {
  for (;;) {
    const [port = 0] = freePorts(1);
    try {
      for (const other of [port + 1, port + 10_000]) {
        Deno.listen({ hostname: "127.0.0.1", port: other }).close();
      }
      return port;
    } catch {
      // Taken: the next one.
    }
  }
}
