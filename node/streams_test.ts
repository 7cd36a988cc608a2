import assert from "node:assert/strict";
import type { GroupAccess } from "../shard/mod.ts";
import type { StreamFacts } from "../stream/mod.ts";
import { factsOf } from "../tests/given/cluster.ts";
import { SimClock } from "../tests/sim/clock.ts";
import { Buckets } from "./buckets.ts";
import { Forks } from "./forks.ts";
import { Streams } from "./streams.ts";

/** Groups of which one answers watches in turn, and every read the same. */
function given(watches: readonly (StreamFacts | undefined)[], read: unknown) {
  const asked: string[] = [];
  const answers = [...watches];
  const access = {
    groupCount: 1,
    watch() {
      asked.push("watch");
      return answers.shift();
    },
    read() {
      asked.push("read");
      return read;
    },
    survey: () => ({ link: undefined }),
  } as unknown as GroupAccess; // what a watch asks of it
  const clock = new SimClock();
  const streams = new Streams(access, clock, new Buckets(access, clock), new Forks(access, clock));
  return { asked, watch: () => clock.until(Promise.resolve(streams.watch("demo/a", "i"))) };
}

const FACTS = factsOf(3);
const READ = { plan: { facts: FACTS, from: 3, next: 3, slices: [], upToDate: true } };

Deno.test("watch() tries again when the leader went as it began, and a read finds the next one", async () => {
  const { asked, watch } = given([undefined, FACTS], READ);
  assert.equal((await watch())?.position, 3);
  assert.equal(asked.filter((what) => what === "watch").length, 2);
});

Deno.test("watch() gives up when nobody leads, and when the incarnation is over", async () => {
  for (const read of [{ unavailable: "no_leader" }, { refused: "stream_not_found" }]) {
    const { asked, watch } = given([undefined, FACTS], read);
    assert.equal(await watch(), undefined);
    assert.equal(asked.filter((what) => what === "watch").length, 1);
  }
});

Deno.test("watch() does not try for ever", async () => {
  const { asked, watch } = given([], READ);
  assert.equal(await watch(), undefined);
  assert.equal(asked.filter((what) => what === "watch").length, 3);
});

Deno.test("create() never says of a bucket that it was to make that it is missing", async () => {
  const access = {
    groupCount: 1,
    submit: (_group: number, { type }: { type: string }) =>
      Promise.resolve(
        type === "create"
          ? { refused: "bucket_not_found" }
          : { ok: "bucket", phase: "open", version: 2, existed: true, streams: 0 },
      ),
  } as unknown as GroupAccess; // what a create asks of it
  const clock = new SimClock();
  const streams = new Streams(access, clock, new Buckets(access, clock), new Forks(access, clock));
  const command = { type: "create", key: "demo/a", closed: false } as const;
  const made = await clock.until(streams.create(command, "make"));
  assert.deepEqual(made, { unavailable: "no_leader" });
  const refused = await clock.until(streams.create(command, "refuse"));
  assert.deepEqual(refused, { refused: "bucket_not_found" });
});
