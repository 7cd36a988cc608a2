import assert from "node:assert/strict";
import fc from "fast-check";
import { editDistance, nearest } from "./nearest.ts";

Deno.test("editDistance() counts insertions, deletions, replacements and swaps", () => {
  assert.equal(editDistance("listen", "listen"), 0);
  assert.equal(editDistance("lisen", "listen"), 1);
  assert.equal(editDistance("listten", "listen"), 1);
  assert.equal(editDistance("lister", "listen"), 1);
  assert.equal(editDistance("litsen", "listen"), 1);
  assert.equal(editDistance("", "abc"), 3);
});

Deno.test("editDistance() is the same both ways", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 6 });
  fc.assert(fc.property(word, word, (a, b) => {
    assert.equal(editDistance(a, b), editDistance(b, a));
  }));
});

Deno.test("nearest() names nobody when all are far", () => {
  assert.equal(nearest("fsink", ["listen", "fsync"]), "fsync");
  assert.equal(nearest("zzzzzz", ["listen", "fsync"]), undefined);
});
