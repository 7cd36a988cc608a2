import assert from "node:assert/strict";
import project from "../../deno.json" with { type: "json" };
import { deployFile } from "./files.ts";

Deno.test("every start of the server passes V8 the same flags", async () => {
  const v8 = (command: string) => command.match(/--v8-flags=\S+/g);
  const { compile, start } = project.tasks;
  const [ofServer = ""] = compile.split("&&");
  assert.notEqual(v8(start), null);
  assert.deepEqual(v8(ofServer), v8(start), "deno task compile");
  assert.deepEqual(v8(await deployFile("ursula")), v8(start), "deploy/ursula");
});
