import assert from "node:assert/strict";
import { formattedPage, PAGE } from "./configuration_page.ts";

Deno.test("docs/configuration.md says what the table of options says", async () => {
  const page = await Deno.readTextFile(PAGE);
  assert.equal(page, await formattedPage(), "run `deno task docs`");
});
