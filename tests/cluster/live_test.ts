/** Live readers on every node see what was written through the others. */

import assert from "node:assert/strict";
import { send } from "../http/client.ts";
import { assertStatus } from "../http/expect.ts";
import { EventReader } from "../http/sse.ts";
import { clusterTest } from "./cluster_case.ts";

const TEXT = { "content-type": "text/plain" };
const STREAMS = 12;
const ROUNDS = 10;

for (const cores of [1, 2]) {
  clusterTest(
    `SSE and long-poll readers on each node see what is written through the others (${cores} cores)`,
    { cores, memory: true },
    async (cluster) => {
      const urls = cluster.nodes.map(({ url }) => url);
      const at = (index: number) => urls[index % urls.length] ?? "";
      await Promise.all(Array.from({ length: STREAMS }, async (_, stream) => {
        const path = `/v1/stream/live/s${stream}`;
        assertStatus(await send(at(stream) + path, "PUT", { headers: TEXT, body: "begin" }), 201);
        const readers = await Promise.all(
          urls.map((url) => EventReader.open(`${url}${path}?offset=-1&live=sse`)),
        );
        for (const reader of readers) {
          assert.equal(reader.response.status, 200);
          assert.equal(await reader.data(), "begin");
          await reader.control();
        }
        let tail = "begin".length;
        for (let round = 0; round < ROUNDS; round++) {
          const polls = urls.map((url) =>
            send(`${url}${path}?offset=${tail}&live=long-poll&timeout_ms=10000`, "GET")
          );
          // Whatever goes wrong first is what counts.
          for (const poll of polls) poll.catch(() => {});
          const message = `round ${round} of ${stream};`;
          const written = await send(at(stream + round) + path, "POST", {
            headers: TEXT,
            body: message,
          });
          assertStatus(written, 204);
          for (const poll of await Promise.all(polls)) {
            assertStatus(poll, 200);
            assert.equal(poll.text, message);
          }
          for (const reader of readers) {
            assert.equal(await reader.data(), message);
            await reader.control();
          }
          tail += message.length;
        }
        const closed = await send(at(stream + 1) + path, "POST", {
          headers: { "stream-closed": "true" },
        });
        assertStatus(closed, 204);
        for (const reader of readers) {
          assert.equal((await reader.control()).streamClosed, true);
          assert.deepEqual(await reader.rest(), []);
          await reader[Symbol.asyncDispose]();
        }
      }));
    },
  );
}

clusterTest(
  "a deletion through one node ends live reads on the others",
  { memory: true },
  async (cluster) => {
    const [first = "", second = "", third = ""] = cluster.nodes.map(({ url }) => url);
    for (let stream = 0; stream < STREAMS; stream++) {
      const path = `/v1/stream/ended/s${stream}`;
      assertStatus(await send(first + path, "PUT", { headers: TEXT, body: "x" }), 201);
      await using reader = await EventReader.open(`${second}${path}?offset=-1&live=sse`);
      assert.equal(await reader.data(), "x");
      const poll = send(`${third}${path}?offset=1&live=long-poll&timeout_ms=10000`, "GET");
      poll.catch(() => {});
      assertStatus(await send(first + path, "DELETE"), 204);
      for (const event of await reader.rest()) {
        assert.doesNotMatch(event.data, /streamClosed/, "a stream that was deleted is not closed");
      }
      const { status } = await poll;
      assert.ok(status === 404 || status === 410, `long-poll: ${status}`);
    }
  },
);
