import assert from "node:assert/strict";
import { LossyAccess, surveyed } from "../tests/given/access.ts";
import { createOf } from "../tests/given/commands.ts";
import { givenShard, keyIn } from "../tests/given/shard.ts";
import { Buckets } from "./buckets.ts";
import { Forks } from "./forks.ts";
import { Streams } from "./streams.ts";
import { Sweep } from "./sweep.ts";

const SOURCE = keyIn(0, 2, "demo/source");
const FORK = keyIn(1, 2, "demo/fork");

async function given() {
  const { clock, shard } = await givenShard({ groupCount: 2 });
  const access = new LossyAccess(shard);
  const buckets = new Buckets(access, clock);
  const forks = new Forks(access, clock);
  const streams = new Streams(access, clock, buckets, forks);
  await clock.until(buckets.create("demo"));
  await clock.until(streams.create(createOf(SOURCE), "refuse"));
  const sweepOf = (groups: number[]) => new Sweep({ access, clock, buckets, forks, groups });
  const left = () =>
    [0, 1].map((group) => {
      const { intents, reservations, unlinks } = surveyed<"errands">(shard, group, {
        about: "errands",
      });
      return intents.length + reservations.length + unlinks.length;
    });
  const fork = () =>
    streams.create(createOf(FORK, { fork: { source: SOURCE, subOffset: 0 } }), "refuse");
  /** Has nothing of that type arrive while `work` is done. */
  const losing = async (type: string, work: () => Promise<unknown>, forMs = 100) => {
    access.loses = (_group, command) => command.type === type;
    work();
    await clock.run(forMs);
    access.loses = () => false;
  };
  return { clock, access, buckets, streams, sweepOf, left, fork, losing };
}

Deno.test("the sweep finishes what a crash left of buckets and forks", async () => {
  const { clock, buckets, streams, sweepOf, left, fork, losing } = await given();
  await losing("settle_bucket", () => buckets.create("other"));
  await losing("link", fork, 11_000);
  assert.deepEqual(left().reduce((sum, count) => sum + count), 2);
  const sweep = sweepOf([0, 1]);
  await clock.run(2_500);
  assert.deepEqual(left(), [0, 0]);
  await losing("unlink", () => streams.delete({ type: "delete", key: FORK }));
  await losing("settle_bucket", () => buckets.delete("other"));
  assert.deepEqual(left().reduce((sum, count) => sum + count), 2);
  await clock.run(2_500);
  assert.deepEqual(left(), [0, 0]);
  sweep.stop();
});

Deno.test("the sweep looks after the groups it was given alone", async () => {
  const { clock, sweepOf, left, fork, losing } = await given();
  await losing("link", fork, 11_000);
  const elsewhere = sweepOf([0]);
  await clock.run(3_000);
  assert.deepEqual(left(), [0, 1]);
  elsewhere.stop();
  const here = sweepOf([1]);
  await clock.run(2_500);
  assert.deepEqual(left(), [0, 0]);
  here.stop();
});

Deno.test("the sweep leaves a reservation alone that is not overdue", async () => {
  const { clock, access, sweepOf, fork, losing } = await given();
  await losing("link", fork);
  const sweep = sweepOf([0, 1]);
  access.sent.length = 0;
  await clock.run(5_000);
  assert.deepEqual(access.sent, []);
  await clock.run(6_000);
  assert.deepEqual(access.sent, ["0 create", "1 link"]);
  sweep.stop();
});

Deno.test("the sweep leaves an intent alone that whoever began it may be about to finish", async () => {
  const { clock, access, buckets, sweepOf, left, losing } = await given();
  const sweep = sweepOf([0, 1]);
  await clock.run(800);
  await losing("settle_bucket", () => buckets.create("other"));
  access.sent.length = 0;
  await clock.run(1_000);
  assert.deepEqual(access.sent, [], "at the first look it may be of that moment");
  await clock.run(1_000);
  assert.deepEqual(left(), [0, 0]);
  sweep.stop();
});

Deno.test("stop() ends the sweeping, even from within one", async () => {
  const { clock, access, buckets, sweepOf, left, losing } = await given();
  await losing("settle_bucket", () => buckets.create("other"));
  const sweep = sweepOf([0, 1]);
  access.loses = (_group, { type }) => {
    if (type === "set_bucket") sweep.stop();
    return false;
  };
  await clock.run(2_500);
  assert.deepEqual(left(), [0, 0], "what was begun is finished");
  await losing("settle_bucket", () => buckets.create("another"));
  access.sent.length = 0;
  await clock.run(5_000);
  assert.deepEqual(access.sent, []);
});
