import assert from "node:assert/strict";
import { failsWith, patterned } from "../cold/expectations.ts";
import { SimClock } from "./clock.ts";
import { SimBucket } from "./cold_store.ts";
import { ProcessClock } from "./process_clock.ts";
import { SimRandom } from "./random.ts";

const KEY = "00f0/3/a.object";
const BYTES = patterned(1000);

function bucketOf(seed = 1): { clock: SimClock; bucket: SimBucket } {
  const clock = new SimClock();
  const bucket = new SimBucket({ clock, random: new SimRandom(seed), latencyMsMax: 10 });
  return { clock, bucket };
}

Deno.test("SimBucket.open() gives a store whose requests arrive when their process has died", async () => {
  const { clock, bucket } = bucketOf();
  const process = new ProcessClock(clock);
  let isAnswered = false;
  bucket.open(1, process).put(KEY, BYTES.length, [BYTES]).then(() => isAnswered = true);
  await clock.run(0);
  process.kill();
  await clock.run(1_000);
  assert.equal(isAnswered, false);
  const found = await clock.until(bucket.open(2, clock).get(KEY, 10, 20));
  assert.deepEqual(found, BYTES.subarray(10, 30));
});

Deno.test("SimBucket.open() gives a store whose answers may be lost when it is flaky", async () => {
  const { clock, bucket } = bucketOf();
  bucket.faults.failsLate = 1;
  const store = bucket.open(1, clock);
  await clock.until(failsWith("unavailable", store.put(KEY, BYTES.length, [BYTES]), KEY));
  assert.deepEqual(bucket.keys(), [KEY]);
  bucket.heal();
  bucket.faults.fails = 1;
  await clock.until(failsWith("unavailable", store.delete(KEY), KEY));
  assert.deepEqual(bucket.keys(), [KEY]);
});

Deno.test("SimBucket.open() gives a store that fails as a whole, or for one node", async () => {
  const { clock, bucket } = bucketOf();
  const [one, two] = [bucket.open(1, clock), bucket.open(2, clock)];
  bucket.faults.cutOff.add(1);
  await clock.until(failsWith("unavailable", one.size(KEY)));
  assert.equal(await clock.until(two.size(KEY)), undefined);
  bucket.faults.isFull = true;
  await clock.until(failsWith("full", two.put(KEY, BYTES.length, [BYTES])));
  bucket.faults.isDown = true;
  await clock.until(failsWith("unavailable", two.size(KEY)));
  bucket.heal();
  assert.equal(await clock.until(one.size(KEY)), undefined);
});
