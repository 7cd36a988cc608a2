/** SIGSTOP: a node that says nothing for longer than any election, and then goes on as if nothing were. */

import assert from "node:assert/strict";
import { pause } from "../http/expect.ts";
import { clusterTest } from "./cluster_case.ts";
import { Load } from "./load.ts";

const PAUSE_MS = 5_000;

clusterTest(
  "writes go on while a node is paused for 5 s, and it answers no stale read when it goes on",
  {},
  (cluster) =>
    Load.during(cluster, {}, async (load) => {
      const node = cluster.node(1);
      await load.fault("SIGSTOP of node 1 for 5 s", async () => {
        node.pause();
        await pause(PAUSE_MS - 1_000);
        // Asked while others lead already, answered by a node that may believe that it still does.
        const asked = load.writers.map(async (writer) => {
          const acknowledged = writer.acknowledged;
          const response = await fetch(`${node.url}${writer.path}?offset=-1`);
          return { writer, acknowledged, status: response.status, text: await response.text() };
        });
        await pause(1_000);
        node.continue();
        let answered = 0;
        for (const { writer, acknowledged, status, text } of await Promise.all(asked)) {
          if (status === 503) continue;
          assert.equal(status, 200, `${writer.path}: ${text}`);
          const known = writer.content(acknowledged);
          // Of JSON all but the closing bracket.
          const begins = text.startsWith(writer.json ? known.slice(0, -1) : known);
          assert.ok(begins, `${writer.path}: ${text.length} bytes, ${known.length} acknowledged`);
          answered++;
        }
        console.log(`  ${answered} of ${asked.length} reads answered by the node that went on`);
      });
    }),
);
