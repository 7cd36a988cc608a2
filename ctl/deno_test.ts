import assert from "node:assert/strict";
import { denoMachine } from "./deno.ts";

Deno.test("shell() answers the exit code of the command", async () => {
  assert.equal(await denoMachine.shell("exit 0"), 0);
  assert.equal(await denoMachine.shell("exit 7"), 7);
  assert.equal(await denoMachine.shell("kill -9 $$"), 137);
});

Deno.test("shell() does not wait for what the command leaves running", async () => {
  const before = performance.now();
  // It holds the output for as long as it runs.
  assert.equal(await denoMachine.shell("sleep 3 & exit 3"), 3);
  assert.ok(performance.now() - before < 2_000);
});
