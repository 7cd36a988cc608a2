import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { SimClock } from "../../tests/sim/clock.ts";
import { SimRandom } from "../../tests/sim/random.ts";
import { ColdError } from "./error.ts";
import { objectKey } from "./keys.ts";
import { MemoryColdStore } from "./memory.ts";
import { BLOCK_BYTES, BLOCK_PAYLOAD_BYTES, type ColdObject } from "./object.ts";
import { putObject } from "./object_writing.ts";
import { ColdReader, type ColdReadOptions } from "./reader.ts";
import { failsWith, patterned } from "../../tests/cold/expectations.ts";

const P = BLOCK_PAYLOAD_BYTES;
/** Two blocks a run, so that small objects have many. */
const RUN_BYTES = 2 * BLOCK_BYTES;

/** A store whose answers come when the test lets them, and which counts the questions. */
class HeldStore extends MemoryColdStore {
  readonly asked: { start: number; length: number; isAborted: () => boolean }[] = [];
  failures: Error[] = [];
  mostAtOnce = 0;
  #atOnce = 0;
  #gate: { opened: Promise<void>; open: () => void } | undefined;

  hold(): void {
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    this.#gate = { opened, open };
  }

  letGo(): void {
    this.#gate?.open();
    this.#gate = undefined;
  }

  override async get(
    key: string,
    start: number,
    length: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    this.asked.push({ start, length, isAborted: () => signal?.aborted ?? false });
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#atOnce);
    try {
      await this.#gate?.opened;
      const failure = this.failures.shift();
      if (failure) throw failure;
      return await super.get(key, start, length, signal);
    } finally {
      this.#atOnce--;
    }
  }
}

function object(bytes: number, number = 1): ColdObject {
  return { formation: "f", group: 1, number, term: 1, bytes };
}

async function stored(bytes: number, number = 1) {
  const store = new HeldStore();
  const made = object(bytes, number);
  const payload = patterned(bytes);
  await putObject(store, made, [payload]);
  return { store, made, payload };
}

async function bytesOf(
  reader: ColdReader,
  from: ColdObject,
  offset: number,
  length: number,
  options?: ColdReadOptions,
): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of reader.read(from, offset, length, options)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Lets every promise that can settle do so. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("ColdReader.read() gives any range, whatever is in the cache", async () => {
  const { store, made, payload } = await stored(11 * P + 77);
  const ranges = fc.array(
    fc.tuple(fc.nat(made.bytes), fc.nat(5 * P), fc.nat(made.bytes)),
    { maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(ranges, fc.constantFrom(0, 3 * RUN_BYTES), async (all, cacheBytesMax) => {
      const options = { store, cacheBytesMax, runBytesMax: RUN_BYTES, fetchesMax: 3 };
      const reader = new ColdReader(options);
      await Promise.all(all.map(async ([offset, wanted, until]) => {
        const length = Math.min(wanted, made.bytes - offset);
        const found = await bytesOf(reader, made, offset, length, { until });
        assert.equal(Buffer.compare(found, payload.subarray(offset, offset + length)), 0);
      }));
      await settled();
      assert.ok(reader.usage().bytes <= cacheBytesMax, `${reader.usage().bytes} kept`);
      reader.close();
    }),
    { numRuns: 60 },
  );
  assert.ok(store.mostAtOnce <= 3, `${store.mostAtOnce} at once`);
});

Deno.test("ColdReader.read() asks once when many read the same", async () => {
  const { store, made, payload } = await stored(2 * P);
  const reader = new ColdReader({ store });
  store.hold();
  const reading = Array.from({ length: 50 }, () => bytesOf(reader, made, 5, P));
  await settled();
  store.letGo();
  for (const found of await Promise.all(reading)) {
    assert.equal(Buffer.compare(found, payload.subarray(5, 5 + P)), 0);
  }
  assert.equal(store.asked.length, 1);
  await bytesOf(reader, made, 0, 2 * P);
  assert.equal(store.asked.length, 1, "kept");
  assert.equal(reader.usage().fetches, 1);
  reader.forget(made);
  assert.equal(reader.usage().bytes, 0);
  await bytesOf(reader, made, 0, 1);
  assert.equal(store.asked.length, 2, "forgotten");
});

Deno.test("ColdReader.read() asks for no more than the blocks that it needs", async () => {
  const { store, made } = await stored(100 * P);
  const reader = new ColdReader({ store });
  await bytesOf(reader, made, 50 * P + 5, 100);
  assert.deepEqual(store.asked.map(({ length }) => length), [BLOCK_BYTES]);
  await bytesOf(reader, made, 50 * P - 1, 2 * P + 2);
  assert.deepEqual(store.asked.map(({ length }) => length / BLOCK_BYTES), [1, 1, 2]);
  assert.equal(reader.usage().blocksFound, 3);
});

Deno.test("ColdReader.read() reads ahead, within its range and as far as it is told", async () => {
  const { store, made } = await stored(20 * P);
  const options = { store, runBytesMax: RUN_BYTES, runsAhead: 2 };
  const reader = new ColdReader(options);
  const reading = reader.read(made, 0, 20 * P);
  await reading.next();
  assert.equal(store.asked.length, 3, "its own and two ahead");
  await reading.next();
  assert.equal(store.asked.length, 3, "the same run");
  await reading.next();
  assert.equal(store.asked.length, 4);
  await reading.return(undefined);
  const other = new ColdReader(options);
  store.asked.length = 0;
  await bytesOf(other, made, 0, 10, { until: 3 * P });
  await settled();
  assert.deepEqual(store.asked.map(({ length }) => length / BLOCK_BYTES), [1, 2]);
  await bytesOf(other, made, 2 * P, P);
  assert.equal(store.asked.length, 2, "was there already");
});

Deno.test("ColdReader.read() leaves other readers alone when one is aborted", async () => {
  const { store, made } = await stored(P);
  const reader = new ColdReader({ store });
  store.hold();
  const aborting = new AbortController();
  const reason = new Error("gone");
  const one = bytesOf(reader, made, 0, P, { signal: aborting.signal });
  const other = bytesOf(reader, made, 0, P);
  await settled();
  aborting.abort(reason);
  await assert.rejects(one, (error) => error === reason);
  assert.ok(!store.asked[0]?.isAborted());
  store.letGo();
  assert.equal((await other).length, P);
  assert.equal(store.asked.length, 1);
});

Deno.test("ColdReader.read() ends a request that nobody waits for, and begins anew", async () => {
  const { store, made } = await stored(P);
  const reader = new ColdReader({ store, fetchesMax: 1 });
  store.hold();
  const aborting = new AbortController();
  const { signal } = aborting;
  const two = object(P, 2);
  const reading = [made, made, two].map((each) => bytesOf(reader, each, 0, P, { signal }));
  await settled();
  assert.equal(store.asked.length, 1, "the second object waits for its turn");
  aborting.abort(new Error("gone"));
  for (const outcome of reading) await assert.rejects(outcome, /gone/);
  assert.ok(store.asked[0]?.isAborted());
  store.letGo();
  assert.equal((await bytesOf(reader, made, 0, P)).length, P);
  assert.equal(store.asked.length, 2, "the second object was never asked for");
  assert.equal(reader.usage().bytes, BLOCK_BYTES);
});

Deno.test("ColdReader.read() fails for all who wait, and asks again for the next", async () => {
  const { store, made } = await stored(P);
  const reader = new ColdReader({ store });
  store.failures = [new ColdError("unavailable", "memory", objectKey(made), "busy")];
  store.hold();
  const reading = [bytesOf(reader, made, 0, P), bytesOf(reader, made, 5, 5)];
  await settled();
  store.letGo();
  for (const outcome of reading) await failsWith("unavailable", outcome, objectKey(made));
  assert.equal(reader.usage().bytes, 0);
  assert.equal((await bytesOf(reader, made, 0, P)).length, P);
});

Deno.test("ColdReader.read() gives no byte of a damaged block, and all others", async () => {
  const { store, made } = await stored(6 * P);
  const whole = await store.get(objectKey(made), 0, await store.size(objectKey(made)) ?? 0);
  const rotten = whole.slice();
  rotten[3 * BLOCK_BYTES + 200] = (rotten[3 * BLOCK_BYTES + 200] ?? 0) ^ 1;
  await store.put(objectKey(made), rotten.length, [rotten]);
  const reader = new ColdReader({ store, runBytesMax: BLOCK_BYTES });
  let bytes = 0;
  const reading = (async () => {
    for await (const piece of reader.read(made, 0, made.bytes)) bytes += piece.length;
  })();
  await failsWith("corrupt", reading, objectKey(made));
  assert.equal(bytes, 3 * P);
  assert.equal((await bytesOf(reader, made, 4 * P, 2 * P)).length, 2 * P);
  // A whole copy was put in its place: nothing of the failure is left.
  await store.put(objectKey(made), whole.length, [whole]);
  assert.equal((await bytesOf(reader, made, 0, made.bytes)).length, made.bytes);
});

Deno.test("ColdReader.read() is right or fails alone when the store is slow and fails at random", async () => {
  const outcomes = { whole: 0, aborted: 0, failed: 0 };
  for (let seed = 1; seed <= 40; seed++) {
    const random = new SimRandom(seed);
    const clock = new SimClock();
    const { store, made, payload } = await stored(15 * P + 9);
    const get = store.get.bind(store);
    store.get = async (key, start, length, signal) => {
      await new Promise<void>((resolve) => clock.setTimer(random.next() * 20, resolve));
      signal?.throwIfAborted();
      if (random.chance(0.1)) throw new ColdError("unavailable", store.name, key, "busy");
      return await get(key, start, length, signal);
    };
    const options = { store, cacheBytesMax: 4 * RUN_BYTES, runBytesMax: RUN_BYTES, fetchesMax: 3 };
    const reader = new ColdReader(options);
    const readings = Array.from({ length: 30 }, async () => {
      await new Promise<void>((resolve) => clock.setTimer(random.next() * 100, resolve));
      const aborting = new AbortController();
      const reason = new Error("gone");
      if (random.chance(0.3)) clock.setTimer(random.next() * 40, () => aborting.abort(reason));
      const offset = random.below(made.bytes);
      const length = random.below(made.bytes - offset);
      const until = random.below(made.bytes);
      try {
        const found = await bytesOf(reader, made, offset, length, {
          signal: aborting.signal,
          until,
        });
        assert.equal(Buffer.compare(found, payload.subarray(offset, offset + length)), 0);
        outcomes.whole++;
      } catch (error) {
        if (error === reason) outcomes.aborted++;
        else if (error instanceof ColdError && error.kind === "unavailable") outcomes.failed++;
        else throw error;
      }
    });
    await clock.until(Promise.all(readings));
    await clock.run(1_000);
    assert.ok(reader.usage().bytes <= 4 * RUN_BYTES, `seed ${seed}: ${reader.usage().bytes}`);
    // Nothing hangs, and nothing of all that is left.
    store.get = get;
    const found = await bytesOf(reader, made, 0, made.bytes);
    assert.equal(Buffer.compare(found, payload), 0, `seed ${seed}`);
  }
  assert.ok(outcomes.whole > 200 && outcomes.aborted > 100 && outcomes.failed > 100);
});

Deno.test("ColdReader keeps what was used last when its memory is full", async () => {
  const { store, made } = await stored(4 * P);
  const reader = new ColdReader({ store, cacheBytesMax: 2 * BLOCK_BYTES, runBytesMax: 1 });
  for (const block of [0, 1, 0, 2, 0, 1]) await bytesOf(reader, made, block * P, 10);
  const blocks = store.asked.map(({ start }) => Math.floor(start / BLOCK_BYTES));
  assert.deepEqual(blocks, [0, 1, 2, 1]);
  assert.ok(reader.usage().bytes <= 2 * BLOCK_BYTES);
});

Deno.test("ColdReader.read() refuses a range outside the object", async () => {
  const { store, made } = await stored(P);
  const reader = new ColdReader({ store });
  for (const [offset, length] of [[0, P + 1], [-1, 2], [P, 1], [0, -1]] as const) {
    await assert.rejects(bytesOf(reader, made, offset, length), RangeError);
  }
  assert.equal((await bytesOf(reader, made, P, 0)).length, 0);
  assert.equal(store.asked.length, 0);
});

Deno.test("ColdReader.close() ends what is under way, and reads no more", async () => {
  const { store, made } = await stored(P);
  const reader = new ColdReader({ store });
  store.hold();
  const reading = bytesOf(reader, made, 0, P);
  await settled();
  reader.close();
  await failsWith("unavailable", reading);
  store.letGo();
  await failsWith("unavailable", bytesOf(reader, made, 0, P));
  assert.equal(reader.usage().bytes, 0);
});
