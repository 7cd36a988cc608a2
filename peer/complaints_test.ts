import assert from "node:assert/strict";
import { Complaints } from "./complaints.ts";

Deno.test("Complaints warns of each reason once, until all is well again", () => {
  const lines: string[] = [];
  const complaints = new Complaints((line, level = "info") => lines.push(`${level} ${line}`));
  complaints.about("node 2", "cluster", "belongs elsewhere");
  complaints.about("node 2", "cluster", "belongs elsewhere");
  complaints.about("node 2", "version", "speaks another version");
  complaints.settle("node 2");
  complaints.about("node 2", "cluster", "belongs elsewhere");
  assert.deepEqual(lines, [
    "warn belongs elsewhere",
    "warn speaks another version",
    "warn belongs elsewhere",
  ]);
});
