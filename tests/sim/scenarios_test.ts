/**
 * What the simulation found, told as short scenarios: each was once wrong.
 */

import assert from "node:assert/strict";
import { checkResidue } from "./check/residue.ts";
import { createOf, Stage } from "./stage.ts";

const SETTLE_MS = 15_000;
/** More events than any of these requests takes. */
const EVENTS_MAX = 40;

Deno.test("a RaftSnapshot taken while appends go on loads again", async () => {
  const stage = new Stage(1, { groups: 1, snapshotLogBytesMin: 1024 });
  await stage.start();
  await stage.create("alpha/one");
  let text = "";
  for (let round = 0; round < 6; round++) {
    for (let at = 0; at < 40; at++) {
      const part = `${round}.${at} ${"x".repeat(40)};`;
      await stage.append("alpha/one", part);
      text += part;
    }
    stage.node.kill();
    await stage.start();
    assert.equal(await stage.text("alpha/one"), text);
  }
});

Deno.test("a bucket's deletion that was cut short leaves a bucket whole, wherever it was cut", async () => {
  for (let events = 1; events < EVENTS_MAX; events++) {
    const stage = new Stage(events);
    await stage.start();
    await stage.create("alpha/one");
    const begun = await stage.begin(({ buckets }) => buckets.delete("alpha"), events);
    stage.node.kill();
    await stage.start();
    await stage.clock.run(SETTLE_MS);
    checkResidue(stage.node.groups);
    assert.equal(await stage.text("alpha/one"), "");
    const again = await stage.do(({ buckets }) => buckets.delete("alpha"));
    assert.deepEqual(again, { refused: "bucket_not_empty" }, `${events} events`);
    if (begun.answer !== undefined && !("lost" in begun.answer)) break;
  }
});

Deno.test("a fork that was cut short is whole or its path is free, wherever it was cut", async () => {
  for (let events = 1; events < EVENTS_MAX; events++) {
    const stage = new Stage(events);
    await stage.start();
    const [source, fork] = [stage.pathIn("alpha", 0), stage.pathIn("alpha", 1)];
    await stage.create(source);
    await stage.append(source, "begin;");
    const command = createOf(fork, { fork: { source, subOffset: 0 } });
    const begun = await stage.begin(({ streams }) => streams.create(command, "refuse"), events);
    stage.node.kill();
    await stage.start();
    await stage.clock.run(SETTLE_MS);
    checkResidue(stage.node.groups);
    const found = await stage.text(fork);
    if (found === "stream_not_found") {
      const created = await stage.create(fork);
      assert.ok("ok" in created && created.ok === "created", `${events} events`);
    } else {
      assert.equal(found, "begin;");
    }
    if (begun.answer !== undefined && !("lost" in begun.answer)) break;
  }
});

Deno.test("a fork that was answered as created is there, though the node stopped meanwhile", async () => {
  for (let events = 1; events < EVENTS_MAX; events++) {
    const stage = new Stage(events);
    await stage.start();
    const [source, fork] = [stage.pathIn("alpha", 0), stage.pathIn("alpha", 1)];
    await stage.create(source);
    const command = createOf(fork, { fork: { source, subOffset: 0 } });
    const begun = await stage.begin(({ streams }) => streams.create(command, "refuse"), events);
    await stage.clock.until(stage.node.stop());
    await stage.start();
    const { answer } = begun;
    if (answer === undefined || !("ok" in answer)) continue;
    assert.equal(await stage.text(fork), "", `${events} events`);
  }
});

Deno.test("a fork over a path that is being deleted finds its source", async () => {
  for (let seed = 1; seed < 20; seed++) {
    const stage = new Stage(seed);
    await stage.start();
    const [source, fork] = [stage.pathIn("alpha", 0), stage.pathIn("alpha", 1)];
    await stage.create(source);
    await stage.create(fork);
    const answers = await stage.do(({ streams }) =>
      Promise.all([
        streams.delete({ type: "delete", key: fork }),
        streams.create(createOf(fork, { fork: { source, subOffset: 0 } }), "refuse"),
      ])
    );
    assert.ok(Array.isArray(answers));
    const [, forked] = answers;
    const refused = "refused" in forked ? forked.refused : undefined;
    assert.ok("ok" in forked || refused === "stream_exists", JSON.stringify(forked));
  }
});

Deno.test("what was found after a failed sync survives a power cut", async () => {
  for (let seed = 1; seed < 10; seed++) {
    const stage = new Stage(seed);
    await stage.start();
    await stage.create("alpha/one");
    stage.node.disk.failAt("sync", 1);
    // More than a sector, or the next append would write it again.
    const failed = await stage.append("alpha/one", "first;".repeat(500));
    assert.ok(!("ok" in failed));
    await stage.start();
    const found = await stage.text("alpha/one");
    await stage.append("alpha/one", "second;");
    stage.node.cutPower();
    await stage.start();
    assert.equal(await stage.text("alpha/one"), `${found}second;`);
  }
});
