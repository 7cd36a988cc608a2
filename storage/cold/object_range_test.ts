import assert from "node:assert/strict";
import { SimRandom } from "../../tests/sim/random.ts";
import { joined } from "../../tests/given/bytes.ts";
import { objectParts, storedBytes, storedRange } from "./mod.ts";

function objectOf(bytes: number) {
  return { formation: "f0", group: 1, number: 2, term: 3, bytes };
}

/** Bytes in pieces of odd lengths, some of them empty. */
function* piecesOf(payload: Uint8Array): Generator<Uint8Array> {
  for (let at = 0, size = 1; at < payload.length; at += size, size = (size * 7 + 3) % 9_973) {
    yield payload.subarray(at, at);
    yield payload.subarray(at, at + size);
  }
}

async function whole(payload: Uint8Array): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of objectParts(objectOf(payload.length), [payload])) {
    parts.push(part.slice());
  }
  return joined(parts);
}

Deno.test("storedRange() makes what a store would hold, wherever it is cut", async () => {
  const random = new SimRandom(1);
  for (const length of [0, 1, 65_532, 65_533, 200_000]) {
    const payload = random.bytes(length);
    const object = objectOf(length);
    const stored = await whole(payload);
    assert.equal(stored.length, storedBytes(object));
    for (const at of [0, 1, 127, 128, 129, 65_663, 65_664, 65_665, 131_199, 131_201]) {
      for (const size of [0, 1, 128, 65_536, 65_537, 150_000, stored.length]) {
        const [start, end] = [Math.min(at, stored.length), Math.min(at + size, stored.length)];
        const made = storedRange(object, piecesOf(payload), start, end - start);
        assert.deepEqual(made, stored.subarray(start, end), `${length}: ${start} to ${end}`);
      }
    }
  }
});

Deno.test("storedRange() throws when the stretch lies outside, or the bytes end before it does", () => {
  const payload = new Uint8Array(100);
  assert.throws(() => storedRange(objectOf(100), [payload], 0, 1_000), RangeError);
  assert.throws(() => storedRange(objectOf(100), [payload], -1, 1), RangeError);
  assert.throws(() => storedRange(objectOf(101), [payload], 0, 200), RangeError);
});
