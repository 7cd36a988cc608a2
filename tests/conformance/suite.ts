/**
 * Installs the suite and vitest from npm, as locked in `npm/package-lock.json`, outside the
 * repository: in the user's cache folder, once per content of the lock.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { fileURLToPath } from "node:url";

/**
 * The test file that vitest runs. It is written out beside the installed packages because only there
 * do its imports resolve, for Node and Deno alike.
 */
const SUITE = `import { runConformanceTests } from "@durable-streams/server-conformance-tests";

const { URSULA_SUITE_URL, URSULA_SUITE_RUNTIME, URSULA_SUITE_LONG_POLL_MS } = process.env;
const runtime = globalThis.Deno === undefined ? "node" : "deno";
if (runtime !== URSULA_SUITE_RUNTIME) throw new Error("run by " + runtime);

runConformanceTests({
  baseUrl: URSULA_SUITE_URL,
  longPollTimeoutMs: Number(URSULA_SUITE_LONG_POLL_MS),
});
`;

/** Name of the test file inside the folder of {@linkcode installSuite}. */
export const SUITE_FILE = "suite.test.mjs";

/** Makes the folder ready and answers its path. */
export async function installSuite(): Promise<string> {
  const source = fileURLToPath(new URL("./npm", import.meta.url));
  const manifest = await Deno.readTextFile(`${source}/package.json`);
  const lock = await Deno.readTextFile(`${source}/package-lock.json`);
  const hash = createHash("sha256").update(manifest).update(lock).digest("hex").slice(0, 12);
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? `${homedir()}/.cache`;
  const folder = `${cache}/ursula/conformance-${hash}`;

  if (!(await exists(folder))) {
    await Deno.mkdir(`${cache}/ursula`, { recursive: true });
    const building = await Deno.makeTempDir({ dir: `${cache}/ursula`, prefix: "installing-" });
    await Deno.writeTextFile(`${building}/package.json`, manifest);
    await Deno.writeTextFile(`${building}/package-lock.json`, lock);
    console.log(`installing the suite from npm into ${folder}`);
    await npmCi(building);
    // Renamed when whole, so that an install that was broken off is never taken for one.
    await Deno.rename(building, folder).catch(async (error) => {
      await Deno.remove(building, { recursive: true });
      if (!(await exists(folder))) throw error;
    });
  }
  await Deno.writeTextFile(`${folder}/${SUITE_FILE}`, SUITE);
  return folder;
}

async function npmCi(folder: string): Promise<void> {
  const npm = Deno.build.os === "windows" ? "npm.cmd" : "npm";
  const { code } = await new Deno.Command(npm, {
    args: ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"],
    cwd: folder,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  if (code === 0) return;
  await Deno.remove(folder, { recursive: true });
  throw new Error(`npm ci failed with exit code ${code}`);
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}
