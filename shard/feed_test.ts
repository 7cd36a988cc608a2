import assert from "node:assert/strict";
import type { LiveEvent, Watcher } from "../group/mod.ts";
import type { StreamFacts } from "../stream/mod.ts";
import { sliceOf } from "../stream/mod.ts";
import { textOf } from "../tests/given/commands.ts";
import { factsOf } from "../tests/given/facts.ts";
import type { GroupAccess } from "./access.ts";
import { type Feed, type FeedBatch, type FeedReader, Feeds } from "./feed.ts";

const FACTS = factsOf();

const ENDED: LiveEvent = { from: 3, to: 3, slices: [], closed: false, ended: true };

/** An owner of streams that answers watches when the test says so. */
class Owner {
  readonly watchers: Watcher[] = [];
  readonly unwatched: Watcher[] = [];
  readonly answers: PromiseWithResolvers<StreamFacts | undefined>[] = [];
  readonly feeds: Feeds;

  /** @param near the owner is on the feeds' own shard and answers at once */
  constructor(readonly near = true) {
    this.feeds = new Feeds(this as unknown as GroupAccess); // what feeds call of it
  }

  watch(_group: number, _key: string, _incarnation: string, watcher: Watcher) {
    this.watchers.push(watcher);
    if (this.near) return FACTS;
    const answer = Promise.withResolvers<StreamFacts | undefined>();
    this.answers.push(answer);
    return answer.promise;
  }

  unwatch(_group: number, _key: string, watcher: Watcher): void {
    this.unwatched.push(watcher);
  }

  async open(incarnation = "i"): Promise<Feed> {
    const feed = await this.feeds.open(0, "demo/a", incarnation);
    assert.ok(feed !== undefined);
    return feed;
  }

  tell(from: number, text: string, more: Partial<LiveEvent> = {}): void {
    const bytes = new TextEncoder().encode(text);
    const to = from + bytes.length;
    this.watchers.at(-1)?.({
      from,
      to,
      slices: [sliceOf(bytes)],
      closed: false,
      ended: false,
      ...more,
    });
  }
}

class Reader implements FeedReader {
  readonly told: string[] = [];
  readonly batches: FeedBatch[] = [];

  onBatch(batch: FeedBatch): void {
    this.batches.push(batch);
    this.told.push(`${batch.from}-${batch.to} ${textOf(batch.bytes)}`);
  }

  onEnd(): void {
    this.told.push("end");
  }
}

Deno.test("Feeds.open() watches a stream once, however many read it", async () => {
  const owner = new Owner();
  const [first, second] = [await owner.open(), await owner.open()];
  assert.equal(first, second);
  const other = await owner.open("another incarnation");
  assert.notEqual(other, first);
  assert.equal(owner.watchers.length, 2);
  assert.equal(owner.feeds.size, 2);
});

Deno.test("Feeds.open() watches once when the owner takes its time to answer", async () => {
  const owner = new Owner(false);
  const opening = [owner.open(), owner.open()];
  owner.answers[0]?.resolve(FACTS);
  const [first, second] = await Promise.all(opening);
  assert.equal(first, second);
  assert.equal(await owner.open(), first);
  assert.equal(owner.watchers.length, 1);
});

Deno.test("Feeds.open() answers undefined when the incarnation is not there, and asks again", async () => {
  const owner = new Owner(false);
  const opening = owner.feeds.open(0, "demo/a", "i");
  owner.answers[0]?.resolve(undefined);
  assert.equal(await opening, undefined);
  assert.equal(owner.feeds.size, 0);
  const again = owner.open();
  owner.answers[1]?.resolve(FACTS);
  assert.ok(await again);
});

Deno.test("a Feed tells all readers the same batch, which is rendered once by name", async () => {
  const owner = new Owner();
  const feed = await owner.open();
  const readers = [new Reader(), new Reader()];
  for (const reader of readers) feed.add(reader);
  owner.tell(3, "new");
  assert.equal(feed.position, 6);
  const [one, two] = readers.map(({ batches }) => batches[0]);
  assert.ok(one !== undefined && one === two);
  let rendered = 0;
  const render = () => `rendered ${++rendered}`;
  assert.equal(one.rendering("sse", render), "rendered 1");
  assert.equal(two.rendering("sse", render), "rendered 1");
  assert.equal(one.rendering("long-poll", render), "rendered 2");
});

Deno.test("a Feed keeps what comes before the owner's answer", async () => {
  const owner = new Owner(false);
  const opening = owner.open();
  owner.tell(3, "early", { closed: true });
  owner.answers[0]?.resolve(FACTS);
  const feed = await opening;
  assert.deepEqual([feed.position, feed.closed, feed.ended], [8, true, false]);
  const ended = new Owner(false);
  const over = ended.open();
  ended.watchers[0]?.(ENDED);
  ended.answers[0]?.resolve(FACTS);
  assert.equal((await over).ended, true);
  assert.equal(ended.feeds.size, 0);
});

Deno.test("a Feed stops watching when its last reader leaves", async () => {
  const owner = new Owner();
  const [feed] = [await owner.open(), await owner.open()];
  const [first, second] = [new Reader(), new Reader()];
  const [one, other] = [feed.add(first), feed.add(second)];
  feed.remove(one);
  assert.deepEqual([owner.unwatched.length, owner.feeds.size], [0, 1]);
  feed.remove(other);
  feed.remove(other);
  assert.deepEqual(owner.unwatched, owner.watchers);
  assert.equal(owner.feeds.size, 0);
  assert.notEqual(await owner.open(), feed);
});

Deno.test("a Feed goes on watching when somebody who asked for it has yet to read", async () => {
  for (const near of [true, false]) {
    const owner = new Owner(near);
    const opening = [owner.open(), owner.open()];
    owner.answers[0]?.resolve(FACTS);
    const [feed] = await Promise.all(opening);
    const [hasty, slow] = [new Reader(), new Reader()];
    assert.ok(feed !== undefined);
    feed.remove(feed.add(hasty));
    const seat = feed.add(slow);
    owner.tell(3, "new");
    assert.deepEqual(slow.told, ["3-6 new"]);
    assert.deepEqual(owner.unwatched, []);
    feed.remove(seat);
    assert.equal(owner.unwatched.length, 1);
  }
});

Deno.test("a Feed tells the end to everybody, and then leaves the owner alone", async () => {
  const owner = new Owner();
  const feed = await owner.open();
  const [reader, leaver] = [new Reader(), new Reader()];
  const seat = feed.add(leaver);
  leaver.onEnd = () => feed.remove(seat);
  const other = feed.add(reader);
  owner.watchers[0]?.(ENDED);
  assert.deepEqual(reader.told, ["end"]);
  assert.equal(feed.ended, true);
  feed.remove(other);
  assert.deepEqual(owner.unwatched, []);
  assert.equal(owner.feeds.size, 0);
});

Deno.test("a reader may leave while it is told", async () => {
  const owner = new Owner();
  const feed = await owner.open();
  const [leaver, reader] = [new Reader(), new Reader()];
  const seat = feed.add(leaver);
  leaver.onBatch = () => feed.remove(seat);
  feed.add(reader);
  owner.tell(3, "a");
  owner.tell(4, "b");
  assert.deepEqual(reader.told, ["3-4 a", "4-5 b"]);
});

Deno.test("a batch has no bytes when there were too many to send along", async () => {
  const owner = new Owner();
  const feed = await owner.open();
  const reader = new Reader();
  feed.add(reader);
  owner.tell(3, "much", { slices: undefined });
  assert.deepEqual(reader.told, ["3-7 nothing"]);
});

Deno.test("forsake() gives up a watch that nobody else waits for", async () => {
  const owner = new Owner(false);
  const [one, other] = [owner.open(), owner.open()];
  owner.answers[0]?.resolve(FACTS);
  const feed = await one;
  feed.forsake();
  assert.equal(owner.unwatched.length, 0, "another one is on its way");
  (await other).forsake();
  assert.deepEqual(owner.unwatched, owner.watchers);
});

Deno.test("a feed says whether its stream is over, or its replica can no longer tell", async () => {
  for (const lost of [false, true]) {
    const owner = new Owner();
    const feed = await owner.open();
    owner.watchers[0]?.({ ...ENDED, lost });
    assert.deepEqual([feed.ended, feed.lost], [true, lost]);
  }
});
