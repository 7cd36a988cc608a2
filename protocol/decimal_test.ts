import assert from "node:assert/strict";
import fc from "fast-check";
import { parseDecimal } from "./decimal.ts";

Deno.test("parseDecimal() reads what String() writes", () => {
  fc.assert(fc.property(fc.maxSafeNat(), (value) => {
    assert.equal(parseDecimal(String(value)), value);
  }));
});

Deno.test("parseDecimal() refuses signs, fractions, exponents, leading zeros and 2^53", () => {
  for (const text of ["", "+1", "-1", "01", "1.0", "1e3", " 1", "1 ", "0x1", "9007199254740992"]) {
    assert.equal(parseDecimal(text), undefined, text);
  }
});
