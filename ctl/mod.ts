/**
 * `ursulactl`: looks after a cluster of Ursula, and reads and writes its streams from a terminal.
 * docs/ursulactl.md explains every verb.
 *
 * Run as the main module, it is the program. Imported, it gives {@linkcode ursulactl}, which does
 * the same inside a program of one's own.
 *
 * ```ts ignore
 * import { ursulactl } from "@ursula/server/ctl";
 *
 * Deno.exitCode = await ursulactl(["status", "--config", "cluster.json"]);
 * ```
 *
 * @module
 */

import { denoMachine } from "./deno.ts";
import { run } from "./program.ts";

/**
 * Runs one command line with this process's standard input and output.
 *
 * @param args what stands behind the program's name
 * @returns its exit code: 0 done, 2 aborted safely, 1 anything else
 */
export async function ursulactl(args: readonly string[]): Promise<number> {
  return await run(args, denoMachine);
}

if (import.meta.main) Deno.exit(await ursulactl(Deno.args));
