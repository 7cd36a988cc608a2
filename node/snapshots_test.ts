import assert from "node:assert/strict";
import type { Answer, Group } from "../group/mod.ts";
import type { Command } from "../stream/mod.ts";
import { FETCH_BYTES_MAX } from "../shard/access.ts";
import { LossyAccess } from "../tests/given/access.ts";
import { joined } from "../tests/given/bytes.ts";
import { appendOf, bodyOf, createOf, openBucketOf, textOf } from "../tests/given/commands.ts";
import { givenShard } from "../tests/given/shard.ts";
import { GivenShards } from "../tests/given/shards.ts";
import {
  type FoundSnapshot,
  type Publication,
  STAGED_BYTES_MAX,
  StreamSnapshots,
} from "./snapshots.ts";

const KEY = "demo/a";
const LENGTH = 4 * STAGED_BYTES_MAX + 5;

async function given() {
  const groups: Group[] = [];
  const onGroup = (group: Group) => void groups.push(group);
  const { clock, shard } = await givenShard({ onGroup });
  const access = new LossyAccess(shard, clock);
  const snapshots = new StreamSnapshots(access, clock, undefined);
  const submit = (command: Command) => clock.until(shard.submit(0, command));
  await submit(openBucketOf("demo"));
  await submit(createOf(KEY, { body: bodyOf("hello") }));
  const bytes = new Uint8Array(LENGTH).map((_, at) => at >> 10);
  const publication: Publication = {
    key: KEY,
    incarnation: undefined,
    offset: 5,
    contentType: "text/plain",
    pieces: [bytes.subarray(0, 3), bytes.subarray(3)],
    length: LENGTH,
    digest: "d",
  };
  const begin = (more: Partial<Publication> = {}) => snapshots.publish({ ...publication, ...more });
  const publish = (more?: Partial<Publication>) => clock.until(begin(more));
  const read = async () => {
    const found = await clock.until(snapshots.find(KEY, undefined, false)) as FoundSnapshot;
    const { snapshot } = found;
    if (snapshot === undefined) return undefined;
    const pieces: Uint8Array[] = [];
    for (let at = 0; at === 0 || at < snapshot.length; at += FETCH_BYTES_MAX) {
      const bytes = Math.min(FETCH_BYTES_MAX, snapshot.length - at);
      const piece = await clock.until(snapshots.read(found, snapshot, at, bytes));
      assert.ok(!("unavailable" in piece), JSON.stringify(piece));
      pieces.push(piece);
    }
    return joined(pieces);
  };
  const [group] = groups;
  if (group === undefined) throw new Error("a shard has a group");
  return { access, begin, bytes, clock, group, publish, read, submit };
}

function assertPublished(answer: Answer): void {
  assert.ok("ok" in answer && answer.ok === "published", JSON.stringify(answer));
}

const EMPTY = { pieces: [], length: 0, digest: "of nothing" };

/** How many commands of a type were sent. */
function count(access: LossyAccess, type: Command["type"]): number {
  return access.sent.filter((sent) => sent === `0 ${type}`).length;
}

Deno.test("publish() stages pieces in order and publishes them as one object", async () => {
  const { access, bytes, publish, read } = await given();
  assertPublished(await publish());
  assert.deepEqual(await read(), bytes);
  assert.equal(count(access, "stage"), 6);
});

Deno.test("publish() stages nothing that could not be published", async () => {
  const { access, publish } = await given();
  assert.equal(
    (await publish({ key: "demo/none" }) as { refused: string }).refused,
    "stream_not_found",
  );
  assert.equal(
    (await publish({ offset: 4 }) as { refused: string }).refused,
    "offset_not_boundary",
  );
  assert.equal(
    (await publish({ offset: 6 }) as { refused: string }).refused,
    "snapshot_beyond_tail",
  );
  assert.equal(count(access, "stage"), 0);
  assertPublished(await publish());
  const staged = count(access, "stage");
  assertPublished(await publish());
  assert.equal(count(access, "stage"), staged);
});

Deno.test("publish() puts nothing anywhere for a snapshot of no bytes", async () => {
  const { access, publish, read } = await given();
  assertPublished(await publish(EMPTY));
  assert.equal(count(access, "stage"), 0);
  assert.deepEqual(await read(), new Uint8Array(0));
});

Deno.test("a snapshot of no bytes is ready on every node, also on one that is back", async () => {
  const stage = new GivenShards([1, 2, 3]);
  for (const id of stage.nodeIds) await stage.startOnDisk(id);
  await stage.elected();
  await stage.submit(openBucketOf("demo"));
  await stage.submit(createOf(KEY, { body: bodyOf("hello") }));
  const { shard, tier } = stage.leader.open;
  const snapshots = new StreamSnapshots(shard, stage.clock, tier);
  const empty = {
    ...EMPTY,
    key: KEY,
    incarnation: undefined,
    offset: 5,
    contentType: "text/plain",
  };
  assertPublished(await stage.clock.until(snapshots.publish(empty)));
  await stage.settled();
  const isReady = (id: number) => {
    const { ready, caughtUp, coldLacking } = stage.at(id).open.shard.facts(0);
    return ready && caughtUp && coldLacking === 0;
  };
  await stage.until(() => stage.nodeIds.every(isReady), 5_000);
  const follower = stage.nodeIds.find((id) => id !== stage.leader.id) ?? 0;
  await stage.startOnDisk(follower, "a", stage.kill(follower));
  await stage.until(() => isReady(follower), 5_000);
  for (const id of stage.nodeIds) {
    const { open, group } = stage.at(id);
    const plan = group.state.read(KEY, "now", 0);
    assert.ok("snapshot" in plan && plan.snapshot !== undefined);
    const bytes = await stage.clock.until(open.shard.fetch(0, plan.snapshot, 0, 0));
    assert.deepEqual(bytes, new Uint8Array(0), `node ${id}`);
  }
  await stage.stop();
});

Deno.test("publish() repeats a piece of which nobody knows what became of it", async () => {
  for (const unlucky of [0, 1, 2, 3, 4, 5]) {
    const { access, bytes, publish, read } = await given();
    let stages = 0;
    access.forgets = (_, { type }) => type === "stage" && stages++ === unlucky;
    assertPublished(await publish());
    assert.deepEqual(await read(), bytes, `piece ${unlucky} forgotten`);
  }
});

Deno.test("publish() repeats pieces that overtook one another, or found no room", async () => {
  for (const late of [0, 1, 2, 3, 4, 5]) {
    const { access, bytes, publish, read } = await given();
    let stages = 0;
    access.delayMs = (_, { type }) => type === "stage" && stages++ === late ? 20 : 1;
    assertPublished(await publish());
    assert.deepEqual(await read(), bytes, `piece ${late} late`);
  }
});

Deno.test("publish() takes another object when another one got the number", async () => {
  const { access, bytes, publish, read, submit } = await given();
  let begun = false;
  const outrun = () => {
    begun = true;
    void submit({ type: "stage", object: { number: 1, term: 9, length: 1 }, at: 0 });
  };
  access.forgets = (_, { type }) => {
    if (type === "stage" && !begun) outrun();
    return false;
  };
  assertPublished(await publish());
  assert.deepEqual(await read(), bytes);
});

Deno.test("publish() takes another object when its own is condemned half-way", async () => {
  const { access, bytes, publish, read, submit } = await given();
  let stages = 0;
  access.forgets = (_, { type }) => {
    if (type === "stage" && ++stages === 4) void submit({ type: "condemn", below: 2, numbers: [] });
    return false;
  };
  assertPublished(await publish());
  assert.deepEqual(await read(), bytes);
});

Deno.test("publish() is sent again when nobody knows what became of it", async () => {
  const { access, publish, read, bytes } = await given();
  let publishes = 0;
  access.forgets = (_, { type }) => type === "publish" && publishes++ === 1;
  const answer = await publish();
  assertPublished(answer);
  assert.equal((answer as { repeated: boolean }).repeated, true);
  assert.deepEqual(await read(), bytes);
});

Deno.test("publish() says that nothing was applied where it got no further than its pieces", async () => {
  const { access, publish, read } = await given();
  access.forgets = (_, { type }) => type === "stage";
  assert.deepEqual(await publish(), { unavailable: "no_leader" });
  access.forgets = () => false;
  access.refuses = (_, { type }) => type === "publish";
  assert.deepEqual(await publish(), { unavailable: "no_leader" });
  access.refuses = () => false;
  assert.equal(await read(), undefined);
});

Deno.test("publish() leaves nothing in memory where it gave up", async () => {
  const { access, clock, group, publish, submit } = await given();
  const { cold } = group.state;
  let stages = 0;
  access.refuses = (_, { type }) => type === "stage" && ++stages > 3;
  assert.deepEqual(await publish(), { unavailable: "no_leader" });
  await clock.run(1);
  assert.deepEqual([stages > 3, cold.pinnedBytes], [true, 0]);
  access.refuses = () => false;
  // Another one publishes the very same meanwhile, or further on.
  await submit(appendOf(KEY, "!"));
  await submit(appendOf(KEY, "!"));
  for (const [own, offset, outcome] of [[5, 5, "repeated"], [6, 7, "offset_trimmed"]] as const) {
    let publishes = 0;
    access.forgets = (_, { type }) => {
      if (type !== "publish" || ++publishes !== 2) return false;
      const object = { number: 100 + offset, term: 1, length: 3 };
      const contentType = "text/plain";
      void submit({ type: "publish", key: KEY, offset, contentType, object, digest: "d" });
      return false;
    };
    const answer = await publish({ offset: own });
    const what = "refused" in answer ? answer.refused : "repeated" in answer && "repeated";
    assert.equal(what, outcome);
    await clock.run(1);
    assert.equal(cold.pinnedBytes, 0, outcome);
  }
});

Deno.test("publish() leaves appends their turn", async () => {
  const { begin, clock, submit } = await given();
  let done = false;
  const publishing = begin().finally(() => done = true);
  let appends = 0;
  while (!done) {
    await submit(createOf(`demo/b${appends++}`));
    await clock.run(1);
  }
  assertPublished(await publishing);
  assert.ok(appends > 5, `${appends}`);
});

Deno.test("a snapshot that was replaced leaves memory, and so does one that was never published", async () => {
  const { clock, group, publish, read, submit } = await given();
  await submit({
    type: "stage",
    object: { number: 1, term: 1, length: 9 },
    at: 0,
    body: bodyOf("abc"),
  });
  assertPublished(await publish({ offset: 0 }));
  assertPublished(await publish());
  const { cold } = group.state;
  assert.equal(cold.pinnedBytes, 2 * LENGTH + 3);
  await clock.run(50_000);
  assert.equal(cold.pinnedBytes, 2 * LENGTH + 3, "whoever reads it has a while for it");
  await clock.run(15_000);
  assert.equal(cold.pinnedBytes, LENGTH);
  assert.equal((await read() as Uint8Array).length, LENGTH);
  assert.equal(textOf((await read() as Uint8Array).subarray(0, 1)), "\0");
  await clock.run(5_000);
  assert.equal(cold.objects.count, 1, "and the others are forgotten");
});
