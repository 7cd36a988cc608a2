import assert from "node:assert/strict";
import { putObject } from "../../storage/cold/mod.ts";
import { ColdGroup } from "../../tests/given/cold_group.ts";
import { SimRandom } from "../../tests/sim/random.ts";
import type { ColdJob } from "./job.ts";
import { Merger } from "./merger.ts";
import { Orphans } from "./orphans.ts";
import { Sweeper } from "./sweeper.ts";

const SECOND = 1_000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE;
/** What happens in one life, some 10 minutes apart. */
const EVENTS = 400;

/** Chances, from a seed. */
class Dice {
  readonly #random: SimRandom;

  constructor(seed: number) {
    this.#random = new SimRandom(seed);
  }

  below(limit: number): number {
    return Math.floor(this.#random.next() * limit);
  }

  one<T>(of: readonly T[]): T | undefined {
    return of[this.below(of.length)];
  }
}

/** Lets streams live, with a store that fails now and then; then counts. */
async function live(seed: number, isShared: boolean): Promise<ColdGroup> {
  const dice = new Dice(seed);
  const all = await ColdGroup.open({ isShared, setup: { flushMaxBytes: 4096, keepsMs: HOUR } });
  const { group, store } = all;
  const jobsOf = (): ColdJob[] => [
    new Sweeper(all.parts),
    new Orphans(all.parts),
    new Merger(all.parts, all.numbers),
  ];
  let jobs = jobsOf();
  let made = 0;
  for (let i = 0; i < EVENTS; i++) {
    const key = dice.one([...all.expected.keys()]);
    const kind = dice.below(20);
    if (kind < 9 || key === undefined) {
      const to = dice.below(4) === 0 || key === undefined ? `demo/${made++}` : key;
      const messages = Array.from({ length: 1 + dice.below(3) }, (_, n) => `${i}.${n}`.repeat(5));
      await all.append(to, ...messages);
      if (dice.below(2) === 0) await all.flush(4096, 1 + dice.below(200));
    } else if (kind < 10) {
      await all.fork(`demo/f${made++}`, key);
    } else if (kind < 12) {
      await all.delete(key);
    } else if (kind < 13) {
      await publish(all, dice, key);
    } else if (kind < 14) {
      // An upload that nobody commits.
      const lost = { ...all.numbers.take(group), length: 1 };
      await putObject(store, all.tier.object(0, lost), [new Uint8Array(1)]);
    } else if (kind < 15) {
      const odds = 1 + dice.below(4);
      store.fails = (operation) => operation !== "put" && dice.below(odds) === 0;
    } else if (kind < 16) {
      for (const job of jobs) await job.stop();
      jobs = jobsOf();
    } else {
      await all.flush(4096);
    }
    // Most of the time nobody looks at streams.
    await all.lookFor(dice.below(20) * MINUTE, 30 * SECOND, ...jobs);
    store.recover();
    if (i % 20 === 0) await all.checkStreams();
  }
  await all.lookFor(3 * HOUR, 30 * SECOND, ...jobs);
  return all;
}

/** Publishes a snapshot at the end of a message, which trims what is before. */
async function publish(all: ColdGroup, dice: Dice, key: string): Promise<void> {
  const { ends = [] } = all.expected.get(key) ?? {};
  const facts = all.group.state.find(key);
  const offset = dice.one(ends);
  if (offset === undefined || !("earliest" in facts) || offset < facts.earliest) return;
  const object = { ...all.numbers.take(all.group), length: 1 };
  await putObject(all.store, all.tier.object(0, object), [new Uint8Array(1)]);
  await all.run({
    type: "publish",
    key,
    offset,
    contentType: "text/plain",
    object,
    digest: `${object.number}`,
    provenIn: facts.incarnation,
  });
}

for (const isShared of [true, false]) {
  const kind = isShared ? "shared" : "own";

  Deno.test(`${kind}: after days of a random life the store holds what is referred to, and all of it`, async () => {
    let merges = 0, deleted = 0;
    for (let seed = 1; seed <= 2; seed++) {
      const all = await live(seed, isShared);
      await all.checkStreams();
      await all.checkObjects();
      assert.ok(all.clock.monotonicMs() > 48 * HOUR);
      merges += all.parts.counters.merges;
      deleted += all.parts.counters.deletedObjects;
      for (const key of [...all.expected.keys()]) await all.delete(key);
      const jobs = [new Sweeper(all.parts), new Orphans(all.parts)];
      await all.lookFor(3 * HOUR, 30 * SECOND, ...jobs);
      assert.deepEqual(await all.store.keys(), []);
      assert.equal(all.group.state.cold.objects.count, 0);
    }
    assert.ok(merges > 5, `${merges} merges`);
    assert.ok(deleted > 100, `${deleted} deletions`);
  });
}
