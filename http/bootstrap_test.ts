import assert from "node:assert/strict";
import { putObject } from "../storage/cold/mod.ts";
import { copySlices, sliceOf } from "../stream/mod.ts";
import { GivenStore } from "../tests/given/cold_store.ts";
import { textOf } from "../tests/given/commands.ts";
import { type Part, partsOf } from "../tests/given/multipart.ts";
import { type GivenPlane, givenPlane } from "../tests/given/plane.ts";
import { COLD_FORMATION, coldSetupOf, keyIn } from "../tests/given/shard.ts";

const JSON_TYPE = { "content-type": "application/json" };
/** As `textParts` writes an empty first part. */
const EMPTY = "application/octet-stream ";

/** A node whose store is shared, or its own, and what a flusher would do with it. */
async function given(kind: "s3" | "memory" = "s3") {
  const store = new GivenStore();
  const backend = kind === "s3"
    ? { kind, bucket: "b", region: "r", endpoint: undefined, root: "" } as never // it is not opened
    : { kind } as const;
  const cold = coldSetupOf({
    backend,
    flushIntervalMs: 1e9,
    flushMinHotBytes: 1e9,
    hotBytesPerGroupMax: 1e9,
    cacheBytesMax: 0,
  });
  const plane = await givenPlane({}, { cold }, store);
  assert.equal((await plane.ask("PUT", "/demo")).status, 201);
  return Object.assign(plane, {
    store,
    async make(key: string, messages: readonly string[], headers?: HeadersInit) {
      assert.equal((await plane.ask("PUT", `/${key}`, undefined, headers)).status, 201);
      for (const message of messages) await post(plane, key, message, headers);
    },
    /** Puts a stream's hot bytes into an object. */
    async flush(key: string) {
      const { state, id } = groupOfKey(plane, key);
      const { slices, ranges, length } = state.cold.planFlush({
        maxBytes: 1 << 30,
        skips: (other) => other !== key,
      });
      const object = { number: state.cold.nextNumber, term: 1, length };
      const name = { formation: COLD_FORMATION, group: id, number: object.number, term: 1 };
      await putObject(store, { ...name, bytes: length }, [copySlices(slices)]);
      const answer = await plane.clock.until(
        plane.runtime.access.submit(id, { type: "flush", object, ranges }),
      );
      assert.ok("ok" in answer && answer.ok === "stored", JSON.stringify(answer));
    },
    /** Stages a snapshot and publishes it. */
    async publish(key: string, offset: number, text: string) {
      const { state, id } = groupOfKey(plane, key);
      const bytes = new TextEncoder().encode(text);
      const object = { number: state.cold.nextNumber, term: 1, length: bytes.length };
      const { access } = plane.runtime;
      if (kind === "s3") {
        const name = { formation: COLD_FORMATION, group: id, number: object.number, term: 1 };
        await putObject(store, { ...name, bytes: bytes.length }, [bytes]);
      } else {
        const body = { data: sliceOf(bytes) };
        await plane.clock.until(access.submit(id, { type: "stage", object, at: 0, body }));
      }
      const facts = state.find(key);
      const answer = await plane.clock.until(access.submit(id, {
        type: "publish",
        key,
        offset,
        contentType: "text/x-state",
        object,
        digest: String(text.length),
        provenIn: "incarnation" in facts ? facts.incarnation : undefined,
      }));
      assert.ok("ok" in answer && answer.ok === "published", JSON.stringify(answer));
    },
  });
}

async function post(plane: GivenPlane, key: string, body: string, headers?: HeadersInit) {
  const { status } = await plane.ask("POST", `/${key}`, body, headers);
  assert.equal(status, 204);
}

function groupOfKey({ groups }: GivenPlane, key: string) {
  const group = groups.find(({ state }) => "tail" in state.find(key));
  assert.ok(group !== undefined, key);
  return group;
}

async function partsAt(plane: GivenPlane, key: string): Promise<Part[]> {
  const response = await plane.ask("GET", `/${key}/bootstrap`, undefined, {});
  assert.equal(response.status, 200);
  return await bodyOf(plane, response);
}

async function bodyOf(plane: GivenPlane, response: Response): Promise<Part[]> {
  const bytes = await plane.clock.until(response.bytes());
  return await partsOf(response.headers.get("content-type") ?? "", bytes);
}

/** Each part as its type and its text. */
async function textParts(plane: GivenPlane, key: string): Promise<string[]> {
  const parts = await partsAt(plane, key);
  return parts.map(({ contentType, bytes }) => `${contentType} ${textOf(bytes)}`);
}

const TEXT = "text/plain ";

Deno.test("bootstrap() answers an empty stream with an empty part", async () => {
  const node = await given();
  await node.make("demo/a", []);
  const response = await node.ask("GET", "/demo/a/bootstrap", undefined, {});
  const { headers } = response;
  assert.equal(headers.get("stream-snapshot-offset"), "-1");
  assert.equal(headers.get("stream-next-offset"), "0".repeat(20));
  assert.equal(headers.get("stream-up-to-date"), "true");
  assert.equal(headers.get("stream-closed"), null);
  assert.equal(headers.get("cache-control"), "no-store");
  assert.ok(headers.get("stream-incarnation"));
  const [part, ...rest] = await bodyOf(node, response);
  assert.deepEqual(rest, []);
  assert.deepEqual(part, { contentType: "application/octet-stream", bytes: new Uint8Array(0) });
  await node.close();
});

Deno.test("bootstrap() sends a part for each message, of text, bytes and JSON", async () => {
  const node = await given();
  await node.make("demo/text", ["one", "two\r\n--", "three"]);
  assert.deepEqual(await textParts(node, "demo/text"), [
    EMPTY,
    `${TEXT}one`,
    `${TEXT}two\r\n--`,
    `${TEXT}three`,
  ]);
  await node.make("demo/json", ['[1, {"a": ","}]', '"x"'], JSON_TYPE);
  const json = "application/json ";
  assert.deepEqual(await textParts(node, "demo/json"), [
    EMPTY,
    `${json}1`,
    `${json}{"a":","}`,
    `${json}"x"`,
  ]);
  const headers = { "content-type": "application/octet-stream" };
  await node.make("demo/bytes", [], headers);
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i * 7 % 256);
  await node.ask("POST", "/demo/bytes", bytes, headers);
  await node.ask("POST", "/demo/bytes", bytes.subarray(3), headers);
  const parts = await partsAt(node, "demo/bytes");
  assert.deepEqual(parts.map((part) => part.bytes), [new Uint8Array(0), bytes, bytes.subarray(3)]);
  await node.close();
});

Deno.test("bootstrap() says that a stream is closed, and HEAD says all but the body", async () => {
  const node = await given();
  await node.make("demo/a", ["one"]);
  await node.ask("POST", "/demo/a", "two", {
    "content-type": "text/plain",
    "stream-closed": "true",
  });
  for (const method of ["GET", "HEAD"]) {
    const { status, headers, body } = await node.ask(method, "/demo/a/bootstrap", undefined, {});
    assert.equal(status, 200);
    assert.equal(headers.get("stream-closed"), "true");
    assert.equal(headers.get("stream-next-offset"), "6".padStart(20, "0"));
    assert.match(headers.get("content-type") ?? "", /^multipart\/mixed; boundary=[0-9a-f]{32}$/);
    assert.equal(body === null, method === "HEAD");
    await body?.cancel();
  }
  assert.ok(node.groups.every(({ bootstraps }) => [...bootstraps.keys()].length === 0));
  await node.close();
});

Deno.test("bootstrap() refuses what a read refuses, and what is not a bootstrap", async () => {
  const node = await given();
  await node.make("demo/a", ["one"]);
  const cases: [string, string, number][] = [
    ["GET", "/demo/a/bootstrap?live=sse", 400],
    ["GET", "/demo/a/bootstrap?offset=x", 400],
    ["GET", "/demo/a/bootstrap?incarnation=other", 412],
    ["GET", "/demo/none/bootstrap", 404],
    ["GET", "/nowhere/a/bootstrap", 404],
    ["GET", "/demo/a/bootstrap/x", 404],
    ["POST", "/demo/a/bootstrap", 405],
    ["PUT", "/demo/a/bootstrap", 405],
  ];
  for (const [method, path, status] of cases) {
    const response = await node.ask(method, path, undefined, {});
    assert.equal(response.status, status, path);
    if (status === 405) assert.equal(response.headers.get("allow"), "GET, HEAD, OPTIONS");
  }
  await node.close();
});

for (const kind of ["s3", "memory"] as const) {
  Deno.test(`bootstrap() begins with the snapshot, and goes through cold and hot (${kind})`, async () => {
    const node = await given(kind);
    for (const key of ["demo/a", "demo/b"]) await node.make(key, ["one", "two", "three"]);
    await node.make("demo/j", ["[1,22,333]"], JSON_TYPE);
    for (const key of ["demo/a", "demo/b", "demo/j"]) await node.flush(key);
    await post(node, "demo/a", "four");
    await post(node, "demo/j", "4444", JSON_TYPE);
    const json = "application/json ";
    assert.deepEqual(await textParts(node, "demo/j"), [
      EMPTY,
      ...["1", "22", "333", "4444"].map((text) => json + text),
    ]);
    assert.deepEqual(await textParts(node, "demo/a"), [
      EMPTY,
      ...["one", "two", "three", "four"].map((text) => TEXT + text),
    ]);
    const state = "s".repeat(150_000);
    await node.publish("demo/a", 11, state);
    const response = await node.ask("GET", "/demo/a/bootstrap", undefined, {});
    assert.equal(response.headers.get("stream-snapshot-offset"), "11".padStart(20, "0"));
    const [snapshot, ...rest] = await bodyOf(node, response);
    assert.equal(snapshot?.contentType, "text/x-state");
    assert.equal(textOf(snapshot?.bytes), state);
    assert.deepEqual(rest.map(({ bytes }) => textOf(bytes)), ["four"]);
    await node.publish("demo/a", 15, "");
    assert.deepEqual(await textParts(node, "demo/a"), ["text/x-state "]);
    assert.deepEqual(node.errors, []);
    await node.close();
  });
}

Deno.test("bootstrap() follows forks, wherever they live, into what they inherit", async () => {
  const node = await given();
  const source = keyIn(0, 2, "demo/source");
  await node.make(source, ["one", "two", "three"]);
  await node.flush(source);
  await post(node, source, "four");
  const cut = keyIn(1, 2, "demo/cut");
  for (const [key, sub] of [[keyIn(0, 2, "demo/fork"), 0], [cut, 2]] as const) {
    const headers = {
      "stream-forked-from": `/${source}`,
      "stream-fork-offset": "11".padStart(20, "0"),
      "stream-fork-sub-offset": String(sub),
    };
    assert.equal((await node.ask("PUT", `/${key}`, undefined, headers)).status, 201);
    await post(node, key, "own");
  }
  const inherited = [EMPTY, `${TEXT}one`, `${TEXT}two`, `${TEXT}three`];
  for (const isFlushed of [false, true]) {
    if (isFlushed) await node.flush(source);
    assert.deepEqual(await textParts(node, keyIn(0, 2, "demo/fork")), [...inherited, `${TEXT}own`]);
    assert.deepEqual(await textParts(node, cut), [...inherited, `${TEXT}fo`, `${TEXT}own`]);
  }
  await node.close();
});

async function keptBytes(node: GivenPlane): Promise<number> {
  const metrics = await node.ask("GET", "/__ursula/metrics", undefined, {});
  return (await metrics.json()).bounds.bootstrap_kept_bytes.now;
}

/** A stream of 3 MiB, and a bootstrap of it of which some was taken. */
async function begun(isCold: boolean) {
  const node = await given();
  const messages = Array.from({ length: 48 }, (_, i) => String(i % 10).repeat(65_536));
  await node.make("demo/a", messages);
  if (isCold) await node.flush("demo/a");
  const response = await node.ask("GET", "/demo/a/bootstrap", undefined, {});
  const reader = response.body?.getReader();
  assert.ok(reader !== undefined);
  const { value } = await node.clock.until(reader.read());
  assert.ok(value !== undefined);
  return {
    node,
    messages,
    contentType: response.headers.get("content-type") ?? "",
    async rest(): Promise<Uint8Array> {
      const chunks = [value];
      while (true) {
        const { done, value } = await node.clock.until(reader.read());
        if (done) return new Uint8Array(await new Blob(chunks).arrayBuffer());
        chunks.push(value);
      }
    },
  };
}

for (const isCold of [false, true]) {
  Deno.test(`bootstrap() keeps its promise when a snapshot trims meanwhile (${isCold ? "cold" : "hot"})`, async () => {
    const { node, messages, contentType, rest } = await begun(isCold);
    await node.publish("demo/a", 20 * 65_536, "twenty");
    await node.publish("demo/a", 48 * 65_536, "all");
    await post(node, "demo/a", "later");
    const kept = await keptBytes(node);
    assert.ok(isCold ? kept === 0 : kept > 40 * 65_536 && kept < 48 * 65_536, `${kept}`);
    const [first, ...parts] = await partsOf(contentType, await rest());
    assert.equal(first?.bytes.length, 0);
    assert.deepEqual(parts.map(({ bytes }) => textOf(bytes)), messages);
    assert.deepEqual(await textParts(node, "demo/a"), ["text/x-state all", `${TEXT}later`]);
    assert.equal(await keptBytes(node), 0);
    assert.ok(node.groups.every(({ bootstraps }) => [...bootstraps.keys()].length === 0));
    await node.close();
  });
}

Deno.test("bootstrap() breaks off before the closing boundary where an object can't be read", async () => {
  for (const kind of ["unavailable", "corrupt", "not_found"] as const) {
    const { node, rest } = await begun(true);
    const before = node.store.askedTo("get").length;
    node.store.fail("get", kind);
    await assert.rejects(rest(), /what it needs can't be read/);
    assert.ok(node.store.askedTo("get").length - before >= (kind === "unavailable" ? 3 : 1));
    assert.match(node.lines.join(), /a bootstrap of a stream of group \d breaks off: cold_/);
    const facts = await node.clock.until(node.runtime.shards());
    assert.equal(facts[0]?.cold?.readFailures, 1);
    assert.deepEqual(node.errors, []);
    await node.close();
  }
});

Deno.test("bootstrap() waits for a store that is away for a moment", async () => {
  const { node, messages, contentType, rest } = await begun(true);
  node.store.fail("get", "unavailable");
  node.clock.setTimer(300, () => node.store.recover());
  const parts = await partsOf(contentType, await rest());
  assert.equal(parts.length, messages.length + 1);
  await node.close();
});

Deno.test("bootstrap() answers 503 where the snapshot can't be read, before anything is sent", async () => {
  const node = await given();
  await node.make("demo/a", ["one"]);
  await node.publish("demo/a", 3, "state");
  node.store.fail("get", "unavailable");
  assert.equal((await node.ask("GET", "/demo/a/bootstrap", undefined, {})).status, 503);
  assert.ok(node.groups.every(({ bootstraps }) => [...bootstraps.keys()].length === 0));
  await node.close();
});

Deno.test("bootstrap() breaks off where the stream is deleted or the client takes nothing", async () => {
  const deleted = await begun(false);
  await deleted.node.ask("DELETE", "/demo/a");
  await assert.rejects(deleted.rest(), /no longer what it was/);
  await deleted.node.close();
  const silent = await begun(false);
  const sessions = () => silent.node.groups.flatMap(({ bootstraps }) => [...bootstraps.keys()]);
  await silent.node.clock.run(29_000);
  assert.equal(sessions().length, 1);
  await silent.node.clock.run(2_000);
  assert.equal(sessions().length, 0);
  await assert.rejects(silent.rest(), /takes nothing/);
  await silent.node.close();
});

Deno.test("bootstrap() goes on for a slow client as long as it takes something", async () => {
  const { node, messages, contentType } = await begun(false);
  const response = await node.ask("GET", "/demo/a/bootstrap", undefined, {});
  const reader = response.body?.getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  while (true) {
    const found = await node.clock.until(reader?.read() ?? Promise.reject());
    if (found.done) break;
    chunks.push(found.value);
    await node.clock.run(25_000);
  }
  const bytes = new Uint8Array(await new Blob(chunks).arrayBuffer());
  const boundary = response.headers.get("content-type") ?? contentType;
  assert.equal((await partsOf(boundary, bytes)).length, messages.length + 1);
  await node.close();
});
