/** SIGKILL while streams, buckets and forks come and go: each step is whole or never was. */

import assert from "node:assert/strict";
import { send } from "../http/client.ts";
import { type ServerProcess, startServer } from "../server.ts";
import { pause, random, SEED } from "./random.ts";
import { broken } from "./writer.ts";

const KILLS = 5;
const TYPE = { "content-type": "text/plain" };

/** What a worker believes of a path: as it was answered, or not known since a crash. */
type Belief = "there" | "gone" | "unknown";

Deno.test("forks, deletions and buckets are whole or free after SIGKILL", async () => {
  console.log(`seed ${SEED}`);
  const next = random(SEED + 2);
  await using server = await startServer({ args: ["--core-count", "2"] });
  for (let at = 0; at < 4; at++) await until(server, "PUT", source(at), "source", [201, 200]);

  const forks = new Map<string, Belief>();
  const buckets = new Map<string, Belief>();
  const stop = new AbortController();
  const forker = async (worker: number) => {
    const turn = random(SEED + worker);
    for (let at = 0; !stop.signal.aborted; at++) {
      const path = `/v1/stream/forks-${worker}/f${at % 30}`;
      const create = forks.get(path) !== "there" || turn() < 0.3;
      forks.set(
        path,
        await change(
          forks.get(path),
          create,
          () =>
            create
              ? send(server.url + path, "PUT", {
                headers: { "stream-forked-from": source(at % 30 % 4) },
              })
              : send(server.url + path, "DELETE"),
        ),
      );
    }
  };
  const bucketeer = async (worker: number) => {
    for (let at = 0; !stop.signal.aborted; at++) {
      const path = `/kill-bucket-${worker}-${at % 10}`;
      const create = buckets.get(path) !== "there";
      buckets.set(
        path,
        await change(
          buckets.get(path),
          create,
          () => send(server.url + path, create ? "PUT" : "DELETE"),
        ),
      );
    }
  };
  const running = Promise.all([1, 2, 3, 4].flatMap((at) => [forker(at), bucketeer(at)]));

  const crashing = (async () => {
    for (let kill = 0; kill < KILLS; kill++) {
      await pause(300 + next() * 700);
      await server.kill();
      await server.restart(["--core-count", String(1 + kill % 2)]);
    }
    await pause(300);
    stop.abort();
  })();
  await Promise.race([Promise.all([crashing, running]), running]);
  await crashing;

  let there = 0;
  let unknown = 0;
  for (const [path, belief] of forks) {
    if (belief === "unknown") unknown++;
    if (await takeAway(server, path, belief)) there++;
    // Whole or free: the path takes a plain stream now, or the fork comes whose last step was broken
    // off, which nobody heard of: its path was reserved until now.
    const free = await until(server, "PUT", path, "plain", [201, 409], "path_reserved");
    if (free.status === 409) {
      assert.equal(belief, "unknown", `${path}: ${free.text}`);
      assert.ok(await takeAway(server, path, belief), `${path}: ${free.text}`);
      there++;
      await until(server, "PUT", path, "plain", [201]);
    }
    assert.equal((await send(server.url + path, "GET")).text, "plain", path);
  }
  for (const [path, belief] of buckets) {
    const { status } = await patiently(() => send(server.url + path, "GET"));
    if (belief === "there") assert.equal(status, 200, path);
    else if (belief === "gone") assert.equal(status, 404, path);
    await until(server, "PUT", path, undefined, [200, 201]);
    await until(server, "PUT", `${path}/s`, "x", [201]);
    await until(server, "DELETE", `${path}/s`, undefined, [204]);
    await until(server, "DELETE", path, undefined, [204]);
  }
  // No fork is left that a crash hid: the sources go at once.
  for (let at = 0; at < 4; at++) {
    await until(server, "DELETE", source(at), undefined, [204]);
    await until(server, "PUT", source(at), "anew", [201]);
  }
  console.log(`${forks.size} forks, ${there} there, ${unknown} unknown; ${buckets.size} buckets`);
  assert.ok(forks.size > 20);
});

Deno.test("a kept stream keeps its configuration, producers and close over SIGKILL", async () => {
  await using server = await startServer();
  const url = () => `${server.url}/v1/stream/kept/s`;
  const producer = (seq: number) => ({
    ...TYPE,
    "producer-id": "p",
    "producer-epoch": "3",
    "producer-seq": String(seq),
  });
  await send(url(), "PUT", { headers: { ...TYPE, "stream-ttl": "3600" } });
  await send(url(), "POST", { headers: { ...producer(0), "stream-seq": "m" }, body: "a" });
  const before = await send(url(), "HEAD");
  await server.kill();
  await server.restart();
  const after = await send(url(), "HEAD");
  for (const name of ["stream-next-offset", "stream-ttl", "stream-incarnation", "content-type"]) {
    assert.equal(after.headers.get(name), before.headers.get(name), name);
  }
  assert.equal((await send(url(), "POST", { headers: producer(0), body: "a" })).status, 204);
  assert.equal(
    (await send(url(), "POST", { headers: { ...TYPE, "stream-seq": "a" }, body: "x" })).status,
    409,
  );
  const close = { headers: { ...producer(1), "stream-closed": "true" }, body: "b" };
  assert.equal((await send(url(), "POST", close)).status, 200);
  await server.kill();
  await server.restart();
  assert.equal((await send(url(), "POST", close)).status, 204);
  const read = await send(url(), "GET");
  assert.equal(read.text, "ab");
  assert.equal(read.headers.get("stream-closed"), "true");
});

/** Deletes a fork that is whole; false where there is none, as was believed. */
async function takeAway(server: ServerProcess, path: string, belief: Belief): Promise<boolean> {
  const answer = await patiently(() => send(server.url + path, "GET"));
  const what = `${path} believed ${belief}: ${answer.status} ${answer.text}`;
  if (answer.status !== 200) {
    assert.equal(answer.status, 404, what);
    assert.notEqual(belief, "there", what);
    return false;
  }
  assert.notEqual(belief, "gone", what);
  assert.equal(answer.text, "source", what);
  await until(server, "DELETE", path, undefined, [204]);
  return true;
}

function source(at: number): string {
  return `/v1/stream/sources/s${at}`;
}

/** What is believed of a path after a create or a delete of it. */
async function change(
  before: Belief | undefined,
  create: boolean,
  act: () => Promise<{ status: number; text: string }>,
): Promise<Belief> {
  try {
    const { status, text } = await act();
    if (create && (status === 201 || status === 200)) return "there";
    if (!create && status === 204) return "gone";
    // A crash left it unknown whether the same was done already.
    if (!create && status === 404 && before === "unknown") return "gone";
    if (status === 503 || status === 408) return "unknown";
    if (status === 409 && /path_reserved|bucket_busy/.test(text)) return before ?? "unknown";
    throw new Error(`${create ? "create" : "delete"} of a path ${before}: ${status} ${text}`);
  } catch (error) {
    if (!broken(error)) throw error;
    await pause(20);
    return "unknown";
  }
}

/** Repeats a read while the server can't answer it. */
async function patiently<T extends { status: number }>(act: () => Promise<T>): Promise<T> {
  for (let at = 0;; at++) {
    const answer = await act();
    if (answer.status !== 503 || at > 100) return answer;
    await pause(50);
  }
}

/**
 * Repeats a request until its status is one of `statuses` and its text does not say `wait`; sweeps
 * finish what a crash broke off.
 */
async function until(
  server: ServerProcess,
  method: string,
  path: string,
  body: string | undefined,
  statuses: readonly number[],
  wait?: string,
): Promise<{ status: number; text: string }> {
  const deadline = performance.now() + 15_000;
  for (;;) {
    const answer = await send(server.url + path, method, { headers: TYPE, body });
    if (statuses.includes(answer.status) && !(wait && answer.text.includes(wait))) return answer;
    if (performance.now() > deadline) {
      assert.fail(`${method} ${path}: ${answer.status} ${answer.text}, not ${statuses}`);
    }
    await pause(50);
  }
}
