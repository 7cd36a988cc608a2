/** The simulation notices each rule of `testing/mutants.ts` that is left out. */

import assert from "node:assert/strict";
import { type Mutant, MUTANTS } from "./testing/mutants.ts";
import { simulate } from "./testing/simulation.ts";

const ROOM = new URL("./", import.meta.url);
/** How many seeds may pass before a fault must have shown. */
const SEEDS_MAX = 300;

/** Copies the room's sources, tests apart, into `target`. Both end in a slash. */
async function copySources(source: URL, target: URL): Promise<void> {
  await Deno.mkdir(target, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(source)) {
    if (isDirectory) await copySources(new URL(`${name}/`, source), new URL(`${name}/`, target));
    else if (/(?<!_test)\.ts$/.test(name)) {
      await Deno.copyFile(new URL(name, source), new URL(name, target));
    }
  }
}

/** The simulation of a room in which `mutant` is at work. */
async function broken(mutant: Mutant, folder: URL): Promise<typeof simulate> {
  await copySources(ROOM, folder);
  const file = new URL(mutant.file, folder);
  const pieces = (await Deno.readTextFile(file)).split(mutant.from);
  assert.equal(pieces.length, 2, `${mutant.file} has the piece once`);
  await Deno.writeTextFile(file, pieces.join(mutant.to));
  return (await import(new URL("testing/simulation.ts", folder).href)).simulate;
}

/** How the first run fails that does; `seed` is tried first. */
function firstFault(run: typeof simulate, seed: number, changes = {}): string | undefined {
  for (let next = -1; next < SEEDS_MAX; next++) {
    try {
      run(next < 0 ? seed : next, changes);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
  return undefined;
}

for (const mutant of MUTANTS) {
  Deno.test(`simulate() fails without this: ${mutant.without}`, async () => {
    const folder = new URL(`file://${await Deno.makeTempDir()}/`);
    try {
      const fault = firstFault(await broken(mutant, folder), mutant.seed);
      assert.notEqual(fault, undefined, `not within ${SEEDS_MAX} seeds`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("simulate() fails when clocks drift further apart than leases allow for", () => {
  assert.match(firstFault(simulate, 69, { leaseDriftMs: 2 }) ?? "", /lease|linearizable read/);
});
