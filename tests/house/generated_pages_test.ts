import assert from "node:assert/strict";
import { formatted, PAGES, pageUrl } from "./generated_pages.ts";

for (const [name, page] of Object.entries(PAGES)) {
  Deno.test(`docs/${name} says what the tables in the code say`, async () => {
    const written = await Deno.readTextFile(pageUrl(name));
    assert.equal(written, await formatted(page()), "run `deno task docs`");
  });
}
