/** SIGTERM: what is in flight is finished, live reads end cleanly, exit 0. And who else may start. */

import assert from "node:assert/strict";
import { send } from "../http/client.ts";
import { assertError } from "../http/expect.ts";
import { type RawAnswer, RawConnection } from "../http/raw.ts";
import { EventReader } from "../http/sse.ts";
import { runProgram, startServer } from "../server.ts";
import { pause } from "./random.ts";
import { Writer } from "./writer.ts";

const TYPE = { "content-type": "text/plain" };
const STOP_MS_MAX = 10_000;

for (const cores of ["1", "2"]) {
  Deno.test(`SIGTERM ends live reads cleanly and exits 0 within 10 s (${cores} cores)`, async () => {
    await using server = await startServer({ args: ["--core-count", cores] });
    const paths = Array.from({ length: 10 }, (_, at) => `${server.url}/v1/stream/stop/s${at}`);
    for (const path of paths) await send(path, "PUT", { headers: TYPE, body: "a" });
    const readers = await Promise.all(
      paths.map((path) => EventReader.open(`${path}?offset=-1&live=sse`)),
    );
    for (const reader of readers) {
      assert.equal(await reader.data(), "a");
      await reader.control();
    }
    const polls = paths.map((path) =>
      fetch(`${path}?offset=1&live=long-poll&timeout_ms=60000`).then(async (response) => {
        await response.text();
        return response.status;
      })
    );
    await pause(200);
    const began = performance.now();
    const stopping = server.stop();
    // Whole: the last chunk came, nothing was reset.
    for (const reader of readers) {
      for (const event of await reader.rest(STOP_MS_MAX)) {
        assert.doesNotMatch(event.data, /streamClosed/, "a server that stops closes no stream");
      }
    }
    for (const status of await Promise.all(polls)) {
      assert.ok([200, 204, 503].includes(status), `a long-poll ended with ${status}`);
    }
    const exit = await stopping;
    const took = performance.now() - began;
    assert.equal(exit.code, 0, await server.stderr());
    assert.ok(took < STOP_MS_MAX, `${took} ms`);
    console.log(`stopped in ${Math.round(took)} ms`);
    for (const reader of readers) await reader[Symbol.asyncDispose]();
  });
}

/** An append of two bytes, the first of which is there before the server is told to stop. */
async function uploadDuringStop(lateMs: number): Promise<RawAnswer | undefined> {
  await using server = await startServer({ args: ["--core-count", "2"] });
  await send(`${server.url}/v1/stream/a`, "PUT", { headers: TYPE });
  using connection = await RawConnection.open(server.address);
  const head = "POST /v1/stream/a HTTP/1.1\r\nhost: a\r\ncontent-type: text/plain\r\n";
  await connection.write(`${head}content-length: 2\r\n\r\nx`);
  await pause(200);
  const stopping = server.stop();
  await pause(lateMs);
  await connection.write("y").catch(() => {});
  const answer = await connection.answer();
  assert.equal((await stopping).code, 0, await server.stderr());
  return answer;
}

Deno.test("SIGTERM lets a body come that is on its way", async () => {
  assert.equal((await uploadDuringStop(500))?.status, 204);
});

Deno.test("SIGTERM breaks off a body that takes too long, and says that it is not its client's fault", async () => {
  assertError(await uploadDuringStop(6_000), "shutting_down");
});

Deno.test("SIGTERM under load loses nothing that was acknowledged, and exits 0", async () => {
  await using server = await startServer({ args: ["--core-count", "2"] });
  const writers = Array.from(
    { length: 20 },
    (_, at) => new Writer(server, `/v1/stream/term/s${at}`, false),
  );
  const stop = new AbortController();
  const running = Promise.all(writers.map((writer) => writer.run(stop.signal)));
  for (let round = 0; round < 3; round++) {
    await pause(500);
    const exit = await server.stop();
    assert.equal(exit.code, 0, await server.stderr());
    await server.restart();
  }
  stop.abort();
  await running;
  for (const writer of writers) await writer.settle();
  for (const writer of writers) {
    const { text } = await send(server.url + writer.path, "GET");
    assert.ok(text === writer.content(writer.acknowledged), writer.path);
  }
  console.log(`${writers.reduce((sum, writer) => sum + writer.acknowledged, 0)} appends`);
});

Deno.test("SIGTERM does not wait for a client that sends its body slowly", async () => {
  await using server = await startServer();
  await send(`${server.url}/v1/stream/slow`, "PUT", { headers: TYPE });
  using connection = await Deno.connect(server.address);
  await connection.write(new TextEncoder().encode(
    "POST /v1/stream/slow HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: 100\r\n\r\nhalf",
  ));
  await pause(100);
  const began = performance.now();
  const exit = await server.stop();
  assert.equal(exit.code, 0, await server.stderr());
  assert.ok(performance.now() - began < STOP_MS_MAX);
});

Deno.test("a second process on the same data directory is refused, and the first is unharmed", async () => {
  await using server = await startServer();
  const url = `${server.url}/v1/stream/mine`;
  await send(url, "PUT", { headers: TYPE, body: "a" });
  for (let at = 0; at < 3; at++) {
    const second = await runProgram([
      "--listen",
      "127.0.0.1:0",
      "--data-dir",
      server.dataDir,
    ]);
    assert.notEqual(second.code, 0);
    assert.ok(second.stderr.includes(server.dataDir), `it names the folder: ${second.stderr}`);
    assert.match(second.stderr, /another|in use|lock|already/i);
    assert.doesNotMatch(second.stderr, /^\s+at .*:\d+:\d+/m, "no stack trace for an operator");
    assert.doesNotMatch(second.stdout, /listening on/);
    assert.equal((await send(url, "POST", { headers: TYPE, body: "b" })).status, 204);
  }
  assert.equal((await send(url, "GET")).text, "abbb");
  await server.kill();
  // The lock of a process that was killed holds nobody up.
  await server.restart();
  assert.equal((await send(`${server.url}/v1/stream/mine`, "GET")).text, "abbb");
});

Deno.test("--core-count may change between starts on the same data", async () => {
  await using server = await startServer({ args: ["--core-count", "1"] });
  const paths = Array.from({ length: 60 }, (_, at) => `/v1/stream/cores/s${at}`);
  for (const path of paths) await send(server.url + path, "PUT", { headers: TYPE });
  let expected = "";
  for (const cores of ["2", "3", "1", "2"]) {
    await server.restart(["--core-count", cores]);
    await Promise.all(
      paths.map((path) => send(server.url + path, "POST", { headers: TYPE, body: cores })),
    );
    expected += cores;
    for (const path of paths) assert.equal((await send(server.url + path, "GET")).text, expected);
  }
});

Deno.test("a start on a port that is taken fails with a clear message", async () => {
  await using server = await startServer({ memory: true });
  const { hostname, port } = server.address;
  const second = await runProgram([
    "--listen",
    `${hostname}:${port}`,
    "--admin-listen",
    "127.0.0.1:0",
    "--raft-memory",
    "--core-count",
    "1",
  ]);
  assert.notEqual(second.code, 0);
  assert.ok(second.stderr.includes(String(port)), second.stderr);
  assert.equal((await send(`${server.url}/healthz`, "GET")).status, 200);
});
