import assert from "node:assert/strict";
import { MemoryColdStore, objectKey } from "../../storage/cold/mod.ts";
import { Holdings, NotedStore } from "./holdings.ts";

const FORMATION = "f0000000";
const keyOf = (group: number, number: number, term = 1, formation = FORMATION) =>
  objectKey({ formation, group, number, term });
const BYTES = [Uint8Array.of(1)];

function given() {
  const inner = new MemoryColdStore();
  const holdings = new Holdings(FORMATION);
  return { inner, holdings, store: new NotedStore(inner, holdings) };
}

Deno.test("Holdings know what was there, what is put, and what is deleted", async () => {
  const { inner, holdings, store } = given();
  await inner.put(keyOf(1, 7), 1, BYTES);
  await inner.put(keyOf(10, 8), 1, BYTES);
  await inner.put(keyOf(1, 9, 1, "another"), 1, BYTES);
  assert.equal(holdings.has(1, { number: 7, term: 1 }), false);
  assert.equal(holdings.isListed(1), false);
  await holdings.list(store, 1);
  assert.equal(holdings.isListed(1), true);
  assert.equal(holdings.has(1, { number: 7, term: 1 }), true);
  assert.equal(holdings.has(1, { number: 7, term: 2 }), false);
  assert.equal(holdings.has(1, { number: 9, term: 1 }), false);
  assert.equal(holdings.isListed(10), false);
  await store.put(keyOf(1, 7, 2), 1, BYTES);
  await store.delete(keyOf(1, 7));
  assert.equal(holdings.has(1, { number: 7, term: 1 }), false);
  assert.equal(holdings.has(1, { number: 7, term: 2 }), true);
  assert.equal(holdings.losses(1), 1);
  assert.equal(holdings.losses(10), 0);
});

Deno.test("NotedStore notes no put that failed, and what turns out to be missing", async () => {
  const { inner, holdings, store } = given();
  await assert.rejects(store.put(keyOf(1, 1), 2, BYTES), RangeError);
  assert.equal(holdings.has(1, { number: 1, term: 1 }), false);
  await store.put(keyOf(1, 1), 1, BYTES);
  await inner.delete(keyOf(1, 1));
  await assert.rejects(store.get(keyOf(1, 1), 0, 1), { kind: "not_found" });
  assert.equal(holdings.has(1, { number: 1, term: 1 }), false);
  await store.put("folder/any.other", 1, BYTES);
  assert.deepEqual(await Array.fromAsync(store.list("folder/")), ["folder/any.other"]);
});
