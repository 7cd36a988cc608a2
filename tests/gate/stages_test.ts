import assert from "node:assert/strict";
import { TIMED } from "./stages.ts";

Deno.test("TIMED names every test that holds gaps in writes against the clock", async () => {
  const found: string[] = [];
  for (const folder of ["tests/cluster", "tests/ctl"]) {
    for await (const { name } of Deno.readDir(folder)) {
      if (!name.endsWith("_test.ts")) continue;
      const text = await Deno.readTextFile(`${folder}/${name}`);
      if (/from "[^"]*\/load\.ts"/.test(text)) found.push(`${folder}/${name}`);
    }
  }
  assert.deepEqual(found.sort(), [...TIMED]);
});
