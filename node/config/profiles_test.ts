import assert from "node:assert/strict";
import { memoryWarning } from "./profiles.ts";

const GiB = 2 ** 30;

Deno.test("memoryWarning() tells of a machine that is too small for its profile, and of no other", () => {
  assert.equal(memoryWarning("none", 4 * GiB), undefined);
  assert.equal(memoryWarning("standard", 3.8 * GiB), undefined, "what a machine of 4 GiB has");
  assert.match(memoryWarning("none", 2 * GiB) ?? "", /2048 MiB .* profile standard .* 4 GiB/);
  assert.match(memoryWarning("large", 16 * GiB) ?? "", /profile large/);
  assert.equal(memoryWarning("small", GiB), undefined);
  assert.equal(memoryWarning("tiny", GiB), undefined);
});
