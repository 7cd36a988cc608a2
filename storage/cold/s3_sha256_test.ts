import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { patterned } from "../../tests/cold/expectations.ts";
import { Sha256 } from "./s3_sha256.ts";

Deno.test("Sha256.digest() is the hash of all pieces, large or small, in any order", async () => {
  const rows = [[], [0], [3], [100_000], [100_000, 3], [3, 100_000], [70_000, 70_000, 5], [65_536]];
  const reused = new Sha256();
  for (const lengths of rows) {
    const pieces = lengths.map((length, seed) => patterned(length, seed));
    const expected = createHash("sha256");
    const hash = new Sha256();
    reused.reset();
    for (const piece of pieces) for (const each of [expected, hash, reused]) each.update(piece);
    const sum = new Uint8Array(expected.digest());
    assert.deepEqual(await hash.digest(), sum, lengths.join());
    assert.deepEqual(await reused.digest(), sum, lengths.join());
  }
});

Deno.test("Sha256.digest() is an HMAC when there is a secret", async () => {
  for (const length of [5, 100_000]) {
    const expected = createHmac("sha256", "secret").update(patterned(length)).digest();
    for (const secret of ["secret", new TextEncoder().encode("secret")]) {
      const hash = new Sha256(secret);
      hash.update(patterned(length));
      assert.deepEqual(await hash.digest(), new Uint8Array(expected));
    }
  }
});
