/** SIGKILL while hot bytes become objects: whatever was cut short, nothing is lost. */

import assert from "node:assert/strict";
import { startServer } from "../server.ts";
import { assertMessages, begun, contentOf } from "./content.ts";
import { pause, random, SEED } from "./random.ts";
import { Writer } from "./writer.ts";

const STREAMS = 20;
const KILLS = 8;
const RUN_MS_MIN = 100;
const RUN_MS_MAX = 700;
/** So that a flush is under way at any moment. */
const FLAGS = [
  "--cold-backend",
  "fs",
  "--cold-flush-interval-ms",
  "10ms",
  "--cold-flush-min-hot-bytes",
  "1B",
  "--cold-flush-max-bytes",
  "16KiB",
  "--raft-group-count",
  "4",
];

Deno.test("every acknowledged append survives SIGKILL while it is flushed", async () => {
  console.log(`seed ${SEED}`);
  const next = random(SEED);
  await using server = await startServer({ args: FLAGS });
  const writers = Array.from(
    { length: STREAMS },
    (_, at) => new Writer(server, `/v1/stream/cold-${at % 3}/s${at}`, at % 3 === 0),
  );
  const stop = new AbortController();
  const running = Promise.all(writers.map((writer) => writer.run(stop.signal)));

  const crashing = (async () => {
    await begun(writers);
    for (let kill = 0; kill < KILLS; kill++) {
      await pause(RUN_MS_MIN + next() * (RUN_MS_MAX - RUN_MS_MIN));
      const acknowledged = new Map(writers.map((writer) => [writer, writer.acknowledged]));
      await server.kill();
      await server.restart();
      for (const writer of writers) {
        const text = await contentOf(server.url + writer.path);
        assertMessages(writer, text, acknowledged.get(writer) ?? 0);
      }
    }
    stop.abort();
  })();

  await Promise.race([Promise.all([crashing, running]), running]);
  await crashing;
  for (const writer of writers) await writer.settle();
  for (const writer of writers) {
    const text = await contentOf(server.url + writer.path);
    assert.ok(text === writer.content(writer.acknowledged), `${writer.path} in the end`);
  }
  const objects = await objectsIn(`${server.dataDir}/cold`);
  const total = writers.reduce((sum, writer) => sum + writer.acknowledged, 0);
  console.log(`${total} appends acknowledged, ${KILLS} kills, ${objects} objects`);
  assert.ok(objects > KILLS, "too little was flushed to prove anything");
});

/** How many objects lie in a folder, and those below it. */
async function objectsIn(folder: string): Promise<number> {
  let count = 0;
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) count += await objectsIn(`${folder}/${name}`);
    else if (name.endsWith(".object")) count++;
  }
  return count;
}
