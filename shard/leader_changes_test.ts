import assert from "node:assert/strict";
import type { Group } from "../group/mod.ts";
import { LeaderChanges } from "./leader_changes.ts";

Deno.test("LeaderChanges tells in one line what changed since the last look", () => {
  const lines: string[] = [];
  const changes = new LeaderChanges((line, level = "info") => lines.push(`${level} ${line}`));
  const look = (...leaders: (string | undefined)[]) =>
    changes.look(leaders.map((leader, id) => ({ id, status: () => ({ leader }) }) as Group)); // what is looked at
  look("1.a", undefined, "3.c", undefined);
  look("1.a", undefined, "3.c", undefined);
  look("1.a", "1.a", "3.c", "2.b");
  look("1.a", "1.a", "3.d", "2.b");
  assert.deepEqual(lines, [
    "warn leaders changed in 4 of 4 groups: node 1 leads 1, node 3 leads 1, 2 have no leader",
    "info leaders changed in 2 of 4 groups: node 1 leads 2, node 2 leads 1, node 3 leads 1",
    "info leaders changed in 1 of 4 groups: node 1 leads 2, node 2 leads 1, node 3 leads 1",
  ]);
});
