/** Pins what lies in stores: when one of these fails, old objects can't be read any more. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { SimRandom } from "../../tests/sim/random.ts";
import { ColdError } from "./error.ts";
import { objectKey } from "./keys.ts";
import { MemoryColdStore } from "./memory.ts";
import {
  BLOCK_BYTES,
  BLOCK_PAYLOAD_BYTES,
  blockCount,
  blockStart,
  type ColdObject,
  decodeHeader,
  encodeHeader,
  FORMAT_VERSION,
  HEADER_BYTES,
  storedBytes,
} from "./object.ts";
import { checkedParts, checkObject, readBlocks, storedParts } from "./object_reading.ts";
import { objectParts, putObject } from "./object_writing.ts";
import { failsWith, patterned } from "../../tests/cold/expectations.ts";

const P = BLOCK_PAYLOAD_BYTES;

function object(bytes: number, number = 5): ColdObject {
  return { formation: "c0ffee", group: 7, number, term: 9, bytes };
}

async function stored(object: ColdObject, payload: Uint8Array): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of objectParts(object, [payload])) parts.push(part.slice());
  return new Uint8Array(Buffer.concat(parts));
}

/** A store in which something else than the object lies under its key. */
async function storeWith(object: ColdObject, bytes: Uint8Array): Promise<MemoryColdStore> {
  const store = new MemoryColdStore();
  await store.put(objectKey(object), bytes.length, [bytes]);
  return store;
}

async function readAll(store: MemoryColdStore, object: ColdObject): Promise<Buffer> {
  return Buffer.concat(await readBlocks(store, object, 0, blockCount(object)));
}

Deno.test("version and sizes in stores stay as they are", () => {
  assert.deepEqual([FORMAT_VERSION, HEADER_BYTES, BLOCK_BYTES, P], [1, 128, 65_536, 65_532]);
  const sizes = [0, 1, P, P + 1, 8 << 20].map((bytes) => storedBytes({ bytes }));
  assert.deepEqual(sizes, [128, 133, 65_664, 65_669, 8_389_252]);
});

Deno.test("encodeHeader() lays a header down like this", () => {
  const bytes = encodeHeader(object(300));
  assert.equal(
    Buffer.from(bytes).toString("hex").replace(/(00)+$/, ""),
    "5572436fc18395a501000000000001000700000006000000050000000000000009000000000000002c01000000000000633066666565",
  );
  assert.deepEqual(decodeHeader(bytes), object(300));
  for (let at = 0; at < bytes.length; at++) {
    const rotten = bytes.slice();
    rotten[at] = (rotten[at] ?? 0) ^ 4;
    assert.equal(decodeHeader(rotten), undefined, `byte ${at}`);
  }
});

Deno.test("objectParts() lays a block down like this", async () => {
  const bytes = await stored(object(3), new Uint8Array([1, 2, 3]));
  assert.equal(Buffer.from(bytes.subarray(HEADER_BYTES)).toString("hex"), "010203d49a1368");
});

Deno.test("objectParts() gives the same bytes whatever pieces it gets", async () => {
  const payload = patterned(3 * P + 1_000);
  const made = object(payload.length);
  const once = await stored(made, payload);
  assert.equal(once.length, storedBytes(made));
  const cuts = fc.array(fc.nat(payload.length), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(cuts, fc.boolean(), async (places, isAsync) => {
      const sorted = [0, ...places.sort((one, other) => one - other), payload.length];
      const pieces = sorted.map((from, at) => payload.subarray(from, sorted[at + 1]));
      const source = isAsync
        ? (async function* () {
          await Promise.resolve();
          yield* pieces;
        })()
        : pieces;
      const parts: Uint8Array[] = [];
      for await (const part of objectParts(made, source)) parts.push(part.slice());
      assert.equal(Buffer.compare(Buffer.concat(parts), once), 0);
    }),
    { numRuns: 30 },
  );
});

Deno.test("objectParts() takes little memory and hands on bounded parts", async () => {
  const made = object(40 << 20);
  const piece = patterned(1 << 20);
  let bytes = 0;
  const buffers = new Set<ArrayBufferLike>();
  for await (const part of objectParts(made, Array(40).fill(piece))) {
    assert.ok(part.length <= HEADER_BYTES + (1 << 20), `${part.length}`);
    bytes += part.length;
    buffers.add(part.buffer);
  }
  assert.equal(bytes, storedBytes(made));
  assert.equal(buffers.size, 1);
});

Deno.test("objectParts() throws when its bytes are too many or too few", async () => {
  for (const bytes of [0, 10, P, 2 * P - 1]) {
    await assert.rejects(stored(object(bytes), new Uint8Array(bytes + 1)), RangeError);
    if (bytes > 0) {
      await assert.rejects(stored(object(bytes), new Uint8Array(bytes - 1)), RangeError);
    }
  }
});

Deno.test("readBlocks() gives what was written, at every border", async () => {
  for (const bytes of [1, P - 1, P, P + 1, 17 * P, 17 * P + 5]) {
    const payload = patterned(bytes);
    const store = new MemoryColdStore();
    await putObject(store, object(bytes), [payload]);
    assert.equal(Buffer.compare(await readAll(store, object(bytes)), payload), 0);
    await checkObject(store, object(bytes));
  }
  const store = new MemoryColdStore();
  await putObject(store, object(0), []);
  await checkObject(store, object(0));
});

Deno.test("a rotten bit is an error that names object and block, wherever it is", async () => {
  const made = object(2 * P + 500);
  const bytes = await stored(made, patterned(made.bytes));
  for (let seed = 1; seed <= 150; seed++) {
    const random = new SimRandom(seed);
    const rotten = bytes.slice();
    const at = seed <= 30 ? seed * 4 : random.below(bytes.length);
    rotten[at] = (rotten[at] ?? 0) ^ (1 << random.below(8));
    const store = await storeWith(made, rotten);
    const error = await failsWith("corrupt", checkObject(store, made), objectKey(made));
    const block = Math.floor((at - HEADER_BYTES) / BLOCK_BYTES);
    assert.equal(
      error.offset,
      block < 0 ? 0 : blockStart(block),
      `seed ${seed}: ${at} ${error.message}`,
    );
    // A range is hit only when its own blocks are.
    if (block < 0) assert.equal((await readAll(store, made)).length, made.bytes);
    else {
      await failsWith("corrupt", readBlocks(store, made, block, 1), objectKey(made));
      const other = block === 0 ? 1 : 0;
      assert.equal((await readBlocks(store, made, other, 1)).length, 1);
    }
  }
});

Deno.test("an object that is cut short is an error that names object and end", async () => {
  const made = object(2 * P + 500);
  const bytes = await stored(made, patterned(made.bytes));
  for (const length of [bytes.length - 1, 2 * BLOCK_BYTES, BLOCK_BYTES + 5, 128, 127, 0]) {
    const store = await storeWith(made, bytes.subarray(0, length));
    const error = await failsWith("corrupt", readAll(store, made), objectKey(made));
    assert.equal(error.offset, length);
    await failsWith("corrupt", checkObject(store, made), objectKey(made));
    const passing = checkedParts("peer 2", made, [bytes.subarray(0, length)]);
    const cut = await failsWith("corrupt", drained(passing), objectKey(made));
    assert.equal(cut.offset, length);
    assert.match(cut.message, /^peer 2: /);
  }
});

Deno.test("another object's bytes don't pass, nor do a block's in another place", async () => {
  const made = object(3 * P);
  const bytes = await stored(made, patterned(made.bytes));
  for (const other of [object(3 * P, 6), object(3 * P + 1), { ...made, group: 8 }]) {
    const foreign = await stored(other, patterned(other.bytes));
    const store = await storeWith(made, foreign);
    await failsWith("corrupt", readBlocks(store, made, 1, 1));
    const error = await failsWith("corrupt", checkObject(store, made));
    assert.match(error.message, /it says that it is c0ffee/);
  }
  const swapped = bytes.slice();
  swapped.copyWithin(blockStart(0), blockStart(1), blockStart(2));
  await failsWith("corrupt", readBlocks(await storeWith(made, swapped), made, 0, 1));
});

Deno.test("checkedParts() passes a peer's copy on, in whatever pieces it comes", async () => {
  const made = object(5 * P + 3);
  const payload = patterned(made.bytes);
  const from = new MemoryColdStore();
  const to = new MemoryColdStore();
  await putObject(from, made, [payload]);
  const key = objectKey(made);
  await to.put(key, storedBytes(made), checkedParts("peer", made, storedParts(from, made)));
  assert.equal(Buffer.compare(await readAll(to, made), payload), 0);
  const bytes = await stored(made, payload);
  const crumbs = Array.from(
    { length: Math.ceil(bytes.length / 999) },
    (_, at) => bytes.subarray(at * 999, (at + 1) * 999),
  );
  assert.equal(await drained(checkedParts("peer", made, crumbs)), bytes.length);
  const longer = checkedParts("peer", made, [...crumbs, new Uint8Array(1)]);
  await failsWith("corrupt", drained(longer));
});

Deno.test("checkedParts() lets a store put nothing that is damaged", async () => {
  const made = object(2 * P);
  const bytes = await stored(made, patterned(made.bytes));
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
  const store = new MemoryColdStore();
  const putting = store.put(objectKey(made), bytes.length, checkedParts("peer", made, [bytes]));
  await assert.rejects(putting, ColdError);
  assert.equal(await store.size(objectKey(made)), undefined);
});

async function drained(parts: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const part of parts) bytes += part.length;
  return bytes;
}
