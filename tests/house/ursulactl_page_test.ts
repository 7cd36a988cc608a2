import assert from "node:assert/strict";
import { PAGE, synopses, verbsOf, withSynopses } from "./ursulactl_page.ts";

Deno.test("docs/ursulactl.md says what the command line says", async () => {
  const page = await Deno.readTextFile(PAGE);
  assert.equal(page, withSynopses(page), "run `deno task docs`");
  assert.deepEqual(verbsOf(page).sort(), [...synopses().keys()].sort());
});

Deno.test("withSynopses() puts in what the verb says of itself", () => {
  const page = withSynopses(
    "a\n\n```text ursulactl cat\nold\n```\n\n```text ursulactl tail\n```\n",
  );
  assert.match(page, /^a\n\n```text ursulactl cat\nursulactl cat \[options\] <stream>\n/);
  assert.match(page, /\n {2}--from <place> .*default: "now"\)\n```\n$/);
  assert.doesNotMatch(page, /old|--help/);
});
