import assert from "node:assert/strict";
import { ColdError } from "../../storage/cold/mod.ts";
import { Complaints, isDamage, obstacleOf } from "./failures.ts";

const damaged = (key: string) => new ColdError("corrupt", "disk", key, "a block is not whole");
const SLOW = new ColdError("unavailable", "disk", "a", "no answer");

Deno.test("damage is told from a store that is not there", () => {
  const missing = new ColdError("not_found", "disk", "a", "no such object");
  assert.deepEqual([damaged("a"), missing, SLOW, new Error("a")].map(isDamage), [
    true,
    true,
    false,
    false,
  ]);
  assert.deepEqual(obstacleOf(missing), { unavailable: "cold_damaged", object: "a" });
  assert.deepEqual(obstacleOf(SLOW), { unavailable: "cold_unavailable" });
});

Deno.test("Complaints are errors about objects and warnings about the store, seldom", () => {
  const told: string[] = [];
  const complaints = new Complaints((line, level) => told.push(`${level} ${line.slice(-30)}`));
  complaints.about(damaged("a"), 0);
  complaints.about(damaged("b"), 1_000);
  complaints.about(SLOW, 1_000);
  complaints.about(damaged("a"), 59_000);
  complaints.about(SLOW, 59_000);
  complaints.about(damaged("a"), 60_000);
  assert.deepEqual(told.map((line) => line.split(" ")[0]), ["error", "error", "warn", "error"]);
});
