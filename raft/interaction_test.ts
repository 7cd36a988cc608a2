/**
 * Runs the scripts in `testdata/`; see `testing/script.ts` for their language. With
 * `RAFT_REWRITE=1` in the environment they are rewritten with what they print, to be read as a diff.
 */

import assert from "node:assert/strict";
import { runScript } from "./testing/script.ts";

const folder = new URL("./testdata/", import.meta.url);
const mayReadEnvironment =
  Deno.permissions.querySync({ name: "env", variable: "RAFT_REWRITE" }).state === "granted";
const rewrite = mayReadEnvironment && Deno.env.get("RAFT_REWRITE") === "1";

for (const { name } of [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1)) {
  Deno.test(`testdata/${name} prints what it says`, () => {
    const file = new URL(name, folder);
    const script = Deno.readTextFileSync(file);
    const printed = runScript(script);
    if (rewrite) Deno.writeTextFileSync(file, printed);
    else assert.equal(printed, script);
  });
}
