/** An append of the largest size, through a follower, holds up nobody else. */

import assert from "node:assert/strict";
import { send } from "../http/client.ts";
import { assertStatus, eventually } from "../http/expect.ts";
import type { Cluster } from "./cluster.ts";
import { clusterTest } from "./cluster_case.ts";
import { Load } from "./load.ts";

const BODY_BYTES = 32 << 20;
const BODIES = 3;
const TRIES_MAX = 20;
/** An append that is repeated is taken once. */
const PRODUCER = { "producer-id": "large", "producer-epoch": "0", "producer-seq": "0" };

clusterTest(
  "32 MiB appends through followers depose no leader, and small appends go on meanwhile",
  // One group, so that the small appends share log and leader with the large ones.
  { groups: 1 },
  (cluster) =>
    Load.during(cluster, { streams: 12, readers: 6 }, async (load) => {
      const body = new Uint8Array(BODY_BYTES).map((_, at) => at % 251);
      const type = { "content-type": "application/octet-stream" };
      const before = await settled(cluster);
      const followers = cluster.nodes.filter(({ id }) => !before.startsWith(`${id} `));
      await load.fault(`${BODIES} appends of 32 MiB`, async () => {
        for (let n = 0; n < BODIES; n++) {
          const { url } = followers[n % followers.length] ?? cluster.node(1);
          const path = `/v1/stream/large/s${n}`;
          assertStatus(await taken(() => send(url + path, "PUT", { headers: type })), 201);
          const append = { headers: { ...type, ...PRODUCER }, body };
          const answer = await taken(() => send(url + path, "POST", append));
          assert.ok(answer.status === 200 || answer.status === 204, answer.text);
          // Through another node, in pieces; all of it was checked once if the pieces match.
          for (const node of cluster.nodes) {
            const tail = await send(`${node.url}${path}?offset=${BODY_BYTES - 4096}`, "GET");
            assert.deepEqual(tail.bytes, body.subarray(BODY_BYTES - 4096));
          }
        }
      });
      assert.equal(await leaderships(cluster), before, "leader and term");
    }),
);

clusterTest(
  "2 MiB appends over links of 20 Mbit/s depose no leader",
  { groups: 1, links: true },
  async (cluster) => {
    const type = { "content-type": "application/octet-stream" };
    const body = new Uint8Array(2 << 20);
    const before = await settled(cluster);
    for (const from of [1, 2, 3]) {
      for (const to of [1, 2, 3]) if (from !== to) cluster.link(from, to).bytesPerSecond = 2.5e6;
    }
    for (const { id, url } of [...cluster.nodes, ...cluster.nodes]) {
      const path = `${url}/v1/stream/narrow/s${id}`;
      await send(path, "PUT", { headers: type });
      assertStatus(await send(path, "POST", { headers: type, body }), 204, `node ${id}`);
    }
    assert.equal(await leaderships(cluster), before, "leader and term");
  },
);

clusterTest(
  "32 MiB of as many JSON messages as may be go through any node",
  { groups: 1, memory: true },
  async (cluster) => {
    const type = { "content-type": "application/json" };
    // Each message adds its length to what nodes tell each other.
    const body = new TextEncoder().encode(`[${"1234567,".repeat(BODY_BYTES / 8 - 1)}12345]`);
    for (const { id, url } of cluster.nodes) {
      const path = `${url}/v1/stream/many/s${id}`;
      assertStatus(await send(path, "PUT", { headers: type }), 201);
      const append = { headers: { ...type, ...PRODUCER }, body };
      const answer = await taken(() => send(path, "POST", append));
      assert.ok(answer.status === 200 || answer.status === 204, answer.text);
      const head = await send(path, "HEAD");
      assert.equal(Number(head.headers.get("stream-next-offset")), body.length - 1);
      assertStatus(await send(path, "DELETE"), 204);
    }
  },
);

/** Sends until it is taken: three such bodies are more than a group holds before it is flushed. */
async function taken(sending: () => ReturnType<typeof send>): ReturnType<typeof send> {
  for (let tries = 1;; tries++) {
    const answer = await sending();
    if (answer.status !== 503 || tries === TRIES_MAX) return answer;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

/** Who leads each group and in which term, as node 1 knows. */
/** Whoever won the election gives the group to the node whose turn it is, which is the first. */
async function settled(cluster: Cluster): Promise<string> {
  const isFirst = async () => (await leaderships(cluster)).startsWith("1 ");
  await eventually(isFirst, "node 1 leads the only group", 20_000);
  return await leaderships(cluster);
}

async function leaderships(cluster: Cluster): Promise<string> {
  const groups = await cluster.node(1).groups();
  return groups.map(({ leader, term }) => `${leader} in term ${term}`).join(", ");
}
