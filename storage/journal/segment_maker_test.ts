import assert from "node:assert/strict";
import { SimClock } from "../../tests/sim/clock.ts";
import { SimDisk } from "../../tests/sim/disk.ts";
import { SimRandom } from "../../tests/sim/random.ts";
import { Segment } from "./segment.ts";
import { SegmentMaker } from "./segment_maker.ts";

const SEGMENT_BYTES = 16 << 20;
/** What the zeros of a segment take at most: a write and a sync for each MiB. */
const UNPAUSED_MS_MAX = 16 * 2 + 1;

async function given(filled = 0) {
  const clock = new SimClock();
  const disk = new SimDisk({ random: new SimRandom(7), clock });
  await clock.until(disk.makeDirectory("/journal"));
  const ready: Segment[] = [];
  const maker = new SegmentMaker({
    disk,
    clock,
    directory: "/journal",
    journal: 0,
    segmentBytes: SEGMENT_BYTES,
    filled: () => filled,
    onReady: (segment) => ready.push(segment),
    onFailure: (error) => assert.fail(String(error)),
  });
  return { clock, maker, ready };
}

function newSegment(sequence: number): Segment {
  return new Segment(sequence, `/journal/${sequence}`, 0, SEGMENT_BYTES);
}

Deno.test("a spare is made with pauses in between, so that others have the disk", async () => {
  const { clock, maker, ready } = await given();
  maker.prepare();
  await clock.run(UNPAUSED_MS_MAX);
  const waiting = newSegment(1);
  maker.equip(waiting);
  assert.equal(waiting.file, undefined, "not yet there");
  await clock.until(maker.close());
  assert.deepEqual(ready, []);
});

Deno.test("nothing pauses where the segment in use fills up as fast", async () => {
  const { clock, maker } = await given(0.5);
  maker.prepare();
  await clock.run(UNPAUSED_MS_MAX);
  const segment = newSegment(1);
  maker.equip(segment);
  assert.ok(segment.file !== undefined);
  await clock.until(maker.close());
});

Deno.test("a spare is there after a while", async () => {
  const { clock, maker } = await given();
  maker.prepare();
  await clock.run(4 * UNPAUSED_MS_MAX);
  const segment = newSegment(1);
  maker.equip(segment);
  assert.ok(segment.file !== undefined);
  await clock.until(maker.close());
});

Deno.test("nothing pauses any more once somebody waits, and with the next spare it does again", async () => {
  const { clock, maker, ready } = await given();
  maker.prepare();
  await clock.run(UNPAUSED_MS_MAX / 3);
  const first = newSegment(1);
  maker.equip(first);
  await clock.run(UNPAUSED_MS_MAX);
  assert.deepEqual(ready, [first]);
  await clock.run(UNPAUSED_MS_MAX / 3);
  const second = newSegment(2);
  maker.equip(second);
  assert.equal(second.file, undefined);
  await clock.run(UNPAUSED_MS_MAX);
  assert.deepEqual(ready, [first, second]);
  await clock.until(maker.close());
});
