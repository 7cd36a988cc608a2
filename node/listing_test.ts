import assert from "node:assert/strict";
import type { Unavailable } from "../group/mod.ts";
import { createOf } from "../tests/given/commands.ts";
import { givenShard } from "../tests/given/shard.ts";
import { factsOf } from "../tests/given/facts.ts";
import { type GroupAccess, groupOf } from "../shard/mod.ts";
import { compareUtf8, type ListedStream } from "../stream/mod.ts";
import { Buckets } from "./buckets.ts";
import { type Listing, Listings } from "./listing.ts";

/** What a listing found. */
function listed<T>(listing: Listing<T> | Unavailable): Listing<T> {
  assert.ok("items" in listing);
  return listing;
}

const GROUPS = 5;
const ALL = { prefix: "", after: "", limit: 1_000 };

async function given(bucketIds: string[], streamIds: string[] = []) {
  const { clock, shard } = await givenShard({ groupCount: GROUPS });
  const buckets = new Buckets(shard, clock);
  for (const bucket of bucketIds) await clock.until(buckets.create(bucket));
  for (const id of streamIds) {
    const key = `${bucketIds[0]}/${id}`;
    await clock.until(shard.submit(groupOf(key, GROUPS), createOf(key)));
  }
  return { clock, shard, buckets, listings: new Listings(shard) };
}

// Beyond the first plane UTF-16 and UTF-8 order differently.
const IDS = ["a", "a/b", "b", "ba", "c0", "c1", "c2", "c3", "z", "é", "\u{ffee}", "\u{1f600}"];

Deno.test("streams() merges all groups in byte order", async () => {
  const { listings } = await given(["demo"], [...IDS].reverse());
  const { items, hasMore } = listed(await listings.streams("demo", ALL));
  assert.deepEqual(items.map(({ streamId }) => streamId), IDS);
  assert.deepEqual([...IDS].sort(compareUtf8), IDS);
  assert.equal(hasMore, false);
});

Deno.test("streams() pages without gap or repetition, whatever the limit", async () => {
  const { listings } = await given(["demo"], IDS);
  for (let limit = 1; limit <= IDS.length + 1; limit++) {
    const found: string[] = [];
    for (let after = "", more = true; more;) {
      const { items, hasMore } = listed(
        await listings.streams("demo", { ...ALL, after, limit }),
      );
      assert.ok(items.length <= limit && items.length > 0);
      found.push(...items.map(({ streamId }) => streamId));
      after = found.at(-1) ?? "";
      more = hasMore;
    }
    assert.deepEqual(found, IDS, `limit ${limit}`);
  }
});

Deno.test("streams() names a stream once that was made anew in another group meanwhile", async () => {
  const streamsOf: Record<number, ListedStream[]> = {
    1: [
      { streamId: "a", facts: factsOf({ incarnation: "old", createdAtMs: 1 }) },
      { streamId: "c", facts: factsOf() },
    ],
    3: [{ streamId: "a", facts: factsOf({ incarnation: "new", createdAtMs: 2 }) }],
    4: [{ streamId: "b", facts: factsOf() }],
  };
  const survey = (group: number) => streamsOf[group] ?? [];
  const listings = new Listings({ groupCount: GROUPS, survey } as unknown as GroupAccess); // all it asks
  const { items, hasMore } = listed(await listings.streams("demo", { ...ALL, limit: 3 }));
  assert.deepEqual(items.map(({ streamId }) => streamId), ["a", "b", "c"]);
  assert.equal(items[0]?.facts.incarnation, "new");
  assert.equal(hasMore, false);
});

Deno.test("streams() finds what begins with a prefix", async () => {
  const { listings } = await given(["demo"], IDS);
  const idsOf = async (page: Partial<typeof ALL>) =>
    listed(await listings.streams("demo", { ...ALL, ...page })).items.map(({ streamId }) =>
      streamId
    );
  assert.deepEqual(await idsOf({ prefix: "c" }), ["c0", "c1", "c2", "c3"]);
  assert.deepEqual(await idsOf({ prefix: "c", after: "c1" }), ["c2", "c3"]);
  assert.deepEqual(await idsOf({ prefix: "none" }), []);
});

Deno.test("buckets() lists and pages the buckets in byte order", async () => {
  const ids = ["also", "demo", "more", "some"];
  const { listings } = await given([...ids].reverse());
  assert.deepEqual(await listings.buckets(ALL), { items: ids, hasMore: false });
  assert.deepEqual(await listings.buckets({ ...ALL, limit: 3 }), {
    items: ids.slice(0, 3),
    hasMore: true,
  });
  assert.deepEqual(listed(await listings.buckets({ ...ALL, after: "demo" })).items, ids.slice(2));
  assert.deepEqual(listed(await listings.buckets({ ...ALL, prefix: "mo" })).items, ["more"]);
});

Deno.test("describe() counts the streams of all groups, and knows no bucket that is gone", async () => {
  const { clock, shard, buckets, listings } = await given(["demo", "some"], [...IDS, "more"]);
  assert.deepEqual(await listings.describe("demo"), { bucket: "demo", streams: 13 });
  assert.deepEqual(await listings.describe("some"), { bucket: "some", streams: 0 });
  await clock.until(buckets.delete("some"));
  assert.equal(await listings.describe("some"), undefined);
  assert.equal(await listings.exists("some"), false);
  assert.equal(await listings.exists("demo"), true);
  // As it is while a deletion is under way.
  const closed = { type: "set_bucket", bucket: "demo", phase: "closed", version: 9_000 } as const;
  await clock.until(shard.submit(groupOf("demo", GROUPS), closed));
  assert.equal(await listings.exists("demo"), false);
});
