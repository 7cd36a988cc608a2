/** Links between nodes that are cut, one way or both, broken or slow; and nodes that are cut off. */

import assert from "node:assert/strict";
import { pause } from "../http/expect.ts";
import { EventReader } from "../http/sse.ts";
import { clusterTest } from "./cluster_case.ts";
import { Load } from "./load.ts";

/** Longer than any election timeout, so that every cut is noticed. */
const CUT_MS = 3_000;
/** Two election timeouts, an answer's patience, and what a busy machine adds. */
const ENDED_MS_MAX = 10_000;

clusterTest(
  "writes go on while a link between two nodes is cut, both ways, one way, or broken",
  { links: true },
  (cluster) =>
    Load.during(cluster, {}, async (load) => {
      await load.fault("link 1-2 cut both ways", () => cluster.cut(1, 2), { afterMs: CUT_MS });
      await load.fault("link 1-2 healed", () => cluster.heal());
      await load.fault("link 2-3 cut from 2 to 3", () => cluster.cut(2, 3, { oneWay: true }), {
        afterMs: CUT_MS,
      });
      await load.fault("link 2-3 healed", () => cluster.heal());
      await load.fault("link 1-3 reset", () => {
        cluster.link(1, 3).break();
        cluster.link(3, 1).break();
      }, { afterMs: CUT_MS });
      await load.fault("link 1-3 healed", () => cluster.heal());
    }),
);

clusterTest(
  "writes go on while all links are slow",
  { links: true },
  (cluster) =>
    Load.during(cluster, {}, async (load) => {
      for (const from of [1, 2, 3]) {
        for (const to of [1, 2, 3]) if (from !== to) cluster.link(from, to).delayMs = 20;
      }
      await load.fault("20 ms on every link", () => {}, { afterMs: 2_000 });
    }),
);

clusterTest(
  "a node that is cut off ends its live reads, answers no stale read and loses nothing",
  { links: true },
  (cluster) =>
    Load.during(cluster, {}, async (load) => {
      const lonely = cluster.node(1);
      const texts = load.writers.filter((writer) => !writer.json).slice(0, 8);
      const readers = await Promise.all(
        texts.map((writer) => EventReader.open(`${lonely.url}${writer.path}?offset=now&live=sse`)),
      );
      // On streams that nobody writes to, so that only the cut can end them.
      const quiet = texts.map((_, at) => `${lonely.url}/v1/stream/quiet/s${at}`);
      for (const url of quiet) {
        const made = await fetch(url, { method: "PUT", headers: { "content-type": "text/plain" } });
        await made.body?.cancel();
        assert.equal(made.status, 201);
      }
      const quietReaders = await Promise.all(
        quiet.map((url) => EventReader.open(`${url}?offset=-1&live=sse`)),
      );
      const polls = quiet.map(async (url) => {
        const response = await fetch(`${url}?offset=0&live=long-poll&timeout_ms=60000`, {
          signal: AbortSignal.timeout(ENDED_MS_MAX),
        });
        await response.body?.cancel();
        return response.status;
      });
      await load.fault("node 1 cut off", async () => {
        const since = performance.now();
        cluster.isolate(1);
        for (const reader of [...readers, ...quietReaders]) {
          for (const event of await reader.rest(ENDED_MS_MAX)) {
            assert.doesNotMatch(
              event.data,
              /streamClosed/,
              "a node that is cut off closes nothing",
            );
          }
          await reader[Symbol.asyncDispose]();
        }
        for (const status of await Promise.all(polls)) assert.equal(status, 503);
        console.log(`  live reads ended within ${Math.round(performance.now() - since)} ms`);
        // Every stream is either led by the other two, or nobody may answer for it.
        await load.progress();
        const known = texts.map((writer) => ({ writer, count: writer.acknowledged }));
        await Promise.all(known.map(async ({ writer, count }) => {
          const response = await fetch(`${lonely.url}${writer.path}?offset=-1`, {
            signal: AbortSignal.timeout(ENDED_MS_MAX),
          });
          const text = await response.text();
          assert.equal(response.status, 503, `${writer.path}: ${text.length}, ${count} messages`);
        }));
      });
      await load.fault("node 1 healed", async () => {
        cluster.heal();
        await pause(100);
        await lonely.ready();
      });
    }),
);
