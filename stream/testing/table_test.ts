/**
 * Registers a script as a test.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Script } from "./script_test.ts";

/**
 * Runs `rows` against a group with the open bucket `demo`, once as they are and once with an export
 * and import in the middle, and both again with a flush after each command; then ends all its
 * streams, after which no slab may be held.
 */
export function table(name: string, rows: string): void {
  Deno.test(name, async () => {
    await runOnce(rows, false);
    await runOnce(rows, true);
    for (const pins of [false, true]) {
      const flushEach = (script: Script) => {
        script.pins = pins;
        script.afterEach = () => void script.flush(4);
      };
      await runOnce(rows, false, flushEach);
      await runOnce(rows, true, flushEach);
    }
  });
}

/** The same as it is and with an export and import, for rows that are about objects themselves. */
export function coldTable(name: string, rows: string): void {
  Deno.test(name, async () => {
    await runOnce(rows, false);
    await runOnce(rows, true);
  });
}

async function runOnce(
  rows: string,
  reload: boolean,
  prepare?: (script: Script) => void,
): Promise<void> {
  const script = new Script();
  prepare?.(script);
  script.run("set demo open 2 -> open version=2 streams=0");
  if (reload) {
    const lines = rows.split("\n");
    const middle = lines.length >>> 1;
    script.run(lines.slice(0, middle).join("\n"));
    script.state.takeChanged();
    await script.reload();
    script.run(lines.slice(middle).filter((line) => !line.trim().startsWith("changed")).join("\n"));
  } else {
    script.run(rows);
  }
  // A fork keeps its source: several rounds end both.
  for (const _ of [1, 2, 3]) {
    const ids = script.state.listStreams("demo", "", undefined, 1000);
    for (const { streamId } of ids) script.apply({ type: "delete", key: `demo/${streamId}` });
  }
  script.finish([]);
  if (!reload) { for (const slab of script.slabs) assert.equal(slab.live, 0, "a slab is held"); }
}
