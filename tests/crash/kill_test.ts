/** SIGKILL at random moments: what was acknowledged, and what a reader saw, is there afterwards. */

import assert from "node:assert/strict";
import { startServer } from "../server.ts";
import { assertMessages, begun, contentOf } from "./content.ts";
import { pause, random, SEED } from "./random.ts";
import { Reader } from "./reader.ts";
import { Writer } from "./writer.ts";

const STREAMS = 40;
const KILLS = 6;
const RUN_MS_MIN = 150;
const RUN_MS_MAX = 1_200;

Deno.test("every acknowledged append survives SIGKILL, once and in order, and so does what was read", async () => {
  console.log(`seed ${SEED}`);
  const next = random(SEED);
  await using server = await startServer({ args: ["--core-count", "2"] });
  const writers = Array.from(
    { length: STREAMS },
    (_, at) => new Writer(server, `/v1/stream/crash-${at % 5}/s${at}`, at % 3 === 0),
  );
  const readers = writers.filter((writer) => !writer.json).map((writer, at) => ({
    writer,
    reader: new Reader(server, writer.path, at % 2 === 0 ? "long-poll" : "sse"),
  }));
  const stop = new AbortController();
  const running = [
    ...writers.map((writer) => writer.run(stop.signal)),
    ...readers.map(({ reader }) => reader.run(stop.signal)),
  ];
  const failed = Promise.all(running);
  let restart = 0;

  const crashing = (async () => {
    await begun(writers);
    for (let kill = 0; kill < KILLS; kill++) {
      await pause(RUN_MS_MIN + next() * (RUN_MS_MAX - RUN_MS_MIN));
      const before = new Map(readers.map(({ writer, reader }) => [writer, reader.seen]));
      const acknowledged = new Map(writers.map((writer) => [writer, writer.acknowledged]));
      await server.kill();
      const began = performance.now();
      // The number of cores may change with every start.
      await server.restart(["--core-count", String(1 + Math.floor(next() * 2))]);
      restart = Math.max(restart, performance.now() - began);
      for (const writer of writers) {
        const text = await contentOf(server.url + writer.path);
        const seen = before.get(writer) ?? "";
        assert.ok(text.startsWith(seen), `${writer.path}: a reader saw what is gone`);
        assertMessages(writer, text, acknowledged.get(writer) ?? 0);
      }
    }
    await pause(500);
    stop.abort();
  })();

  await Promise.race([Promise.all([crashing, failed]), failed]);
  await crashing;
  for (const writer of writers) await writer.settle();
  for (const writer of writers) {
    const text = await contentOf(server.url + writer.path);
    assert.ok(text === writer.content(writer.acknowledged), `${writer.path} in the end`);
  }
  for (const { writer, reader } of readers) {
    assert.ok(
      writer.content(writer.acknowledged).startsWith(reader.seen),
      `${writer.path} as read`,
    );
    assert.ok(reader.seen.length > 0, `${writer.path} was never read`);
  }
  const total = writers.reduce((sum, writer) => sum + writer.acknowledged, 0);
  const repeated = writers.reduce((sum, writer) => sum + writer.repeated, 0);
  console.log(
    `${total} appends acknowledged, ${repeated} repeated, ${KILLS} kills, ` +
      `slowest restart ${Math.round(restart)} ms`,
  );
  assert.ok(total > STREAMS * KILLS, "too little was written to prove anything");
});

Deno.test("a server that is killed while it starts comes up with everything", async () => {
  const next = random(SEED + 1);
  await using server = await startServer();
  const writers = Array.from(
    { length: 10 },
    (_, at) => new Writer(server, `/v1/stream/boot/s${at}`, false),
  );
  const stop = new AbortController();
  const running = writers.map((writer) => writer.run(stop.signal));
  await pause(800);
  await server.kill();
  stop.abort();
  await Promise.all(running);
  for (let at = 0; at < 4; at++) {
    // Killed by an alarm of its own, somewhere between its first instruction and its first answer.
    const starting = server.restart().catch(() => {});
    await pause(next() * 400);
    if (server.alive) await server.kill();
    await starting;
    if (server.alive) await server.kill();
  }
  await server.restart();
  for (const writer of writers) await writer.settle();
  for (const writer of writers) {
    const text = await contentOf(server.url + writer.path);
    assert.ok(text === writer.content(writer.acknowledged), writer.path);
  }
});
