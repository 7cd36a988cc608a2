import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { patterned } from "../cold/expectations.ts";
import { type Answer, type Api, fresh, freshBucket, offset } from "./client.ts";
import { assertError, assertStatus } from "./expect.ts";
import { type Backend, besideNode, snapshotFixture } from "./snapshot_node.ts";
import { EventReader } from "./sse.ts";

const TEXT = "text/plain";
const MIB = 1024 * 1024;

/** Path of the snapshots of a stream in flat form. */
function snapshotsOf(path: string): string {
  return path.replace("/v1/stream", "") + "/snapshot";
}

/** PUT of a snapshot. */
function publish(
  api: Api,
  path: string,
  at: number | string,
  body: BodyInit | Uint8Array | undefined,
  headers: Record<string, string> = { "content-type": TEXT },
): Promise<Answer> {
  const place = typeof at === "number" ? offset(at) : at;
  return api.send("PUT", `${snapshotsOf(path)}/${place}`, {
    body: body as BodyInit | undefined, // bytes are never shared memory here
    headers,
  });
}

/** The headers of SPEC section 5, as an answer has them. */
function places({ headers }: Answer) {
  const at = (name: string) => {
    const value = headers.get(name);
    return value === null ? undefined : Number(value);
  };
  return { snapshot: at("stream-snapshot-offset"), next: at("stream-next-offset") };
}

/** What holds wherever snapshots lie. */
function onBackend(backend: Backend): void {
  const node = snapshotFixture(backend);
  const test = (name: string, run: (api: Api) => Promise<void>) =>
    besideNode(`${backend}: ${name}`, async () => {
      await run(node().api);
      assert.deepEqual(node().errors, []);
    });

  test("a snapshot is published, found and read, with its own type", async (api) => {
    const path = await api.create(TEXT, "hello");
    await api.append(path, TEXT, "world");
    assertError(await api.get(snapshotsOf(path)), "snapshot_not_found");
    assert.equal((await api.head(path)).headers.get("stream-snapshot-offset"), null);

    const published = await publish(api, path, 5, "HELLO", {
      "content-type": "application/x-fold",
    });
    assertStatus(published, 204);
    assert.deepEqual(places(published), { snapshot: 5, next: 10 });
    assert.equal((await api.head(path)).headers.get("stream-snapshot-offset"), offset(5));

    const found = await api.get(snapshotsOf(path));
    assertStatus(found, 307);
    const location = found.headers.get("location") ?? "";
    assert.equal(location, `${api.url}${snapshotsOf(path)}/${offset(5)}`);
    const read = await api.get(new URL(location).pathname);
    assertStatus(read, 200);
    assert.equal(read.text, "HELLO");
    assert.equal(read.headers.get("content-type"), "application/x-fold");
    assert.equal(read.headers.get("content-length"), "5");
    assert.deepEqual(places(read), { snapshot: 5, next: 5 });
    assert.equal(read.headers.get("stream-up-to-date"), null);
    assert.equal((await api.get(`${path}?offset=${places(read).next}`)).text, "world");
    for (const other of [0, 4, 6, 10]) {
      assertError(await api.get(`${snapshotsOf(path)}/${other}`), "snapshot_not_found");
    }
  });

  test("the new one replaces the old one, and what it stands for is gone", async (api) => {
    const path = await api.create(TEXT, "one");
    for (const message of ["two", "three"]) await api.append(path, TEXT, message);
    assertStatus(await publish(api, path, 0, "nothing"), 204);
    assert.equal((await api.get(path)).text, "onetwothree");
    assertStatus(await publish(api, path, 3, "1"), 204);
    assertStatus(await publish(api, path, 6, "12"), 204);
    assertError(await api.get(`${snapshotsOf(path)}/3`), "snapshot_not_found");
    assert.equal((await api.get(`${snapshotsOf(path)}/6`)).text, "12");
    for (const query of ["", "?offset=-1", "?offset=0", "?offset=5", "?offset=-1&live=long-poll"]) {
      const answer = await api.get(path + query);
      assertError(answer, "offset_trimmed", query);
      assert.equal(answer.headers.get("stream-earliest-offset"), offset(6), query);
    }
    assertStatus(await api.get(`${path}?offset=-1&live=sse`), 410);
    assert.equal((await api.get(`${path}?offset=6`)).text, "three");
    assert.equal((await api.head(path)).headers.get("stream-earliest-offset"), offset(6));
    const below = await publish(api, path, 3, "1");
    assertError(below, "offset_trimmed");
    assert.equal(below.headers.get("stream-earliest-offset"), offset(6));
  });

  test("the same bytes and type again are 204, other ones 409", async (api) => {
    const path = await api.create(TEXT, "hello");
    for (let again = 0; again < 3; again++) {
      const answer = await publish(api, path, 5, "fold");
      assertStatus(answer, 204);
      assert.deepEqual(places(answer), { snapshot: 5, next: 5 });
    }
    assertError(await publish(api, path, 5, "FOLD"), "snapshot_conflict");
    assertError(await publish(api, path, 5, ""), "snapshot_conflict");
    const html = { "content-type": "text/html" };
    assertError(await publish(api, path, 5, "fold", html), "snapshot_conflict");
    assert.equal((await api.get(`${snapshotsOf(path)}/5`)).text, "fold");
  });

  test("a snapshot at the tail says so; one of nothing may be empty", async (api) => {
    const path = await api.create(TEXT);
    assertStatus(await publish(api, path, 0, undefined, {}), 204);
    const empty = await api.get(`${snapshotsOf(path)}/0`);
    assertStatus(empty, 200);
    assert.equal(empty.bytes.length, 0);
    assert.equal(empty.headers.get("content-length"), "0");
    assert.equal(empty.headers.get("content-type"), "application/octet-stream");
    assert.equal(empty.headers.get("stream-up-to-date"), "true");
    assert.equal(empty.headers.get("stream-closed"), null);
    await api.append(path, TEXT, "x", { "stream-closed": "true" });
    assert.equal((await api.get(`${snapshotsOf(path)}/0`)).headers.get("stream-up-to-date"), null);
    const closed = await publish(api, path, 1, "x");
    assertStatus(closed, 204);
    assert.equal(closed.headers.get("stream-closed"), "true");
    assert.equal((await api.get(`${snapshotsOf(path)}/1`)).headers.get("stream-closed"), "true");
  });

  test("a large one comes whole and in parts", async (api) => {
    const path = await api.create(TEXT, "hello");
    const blob = patterned(3 * MIB + 77);
    assertStatus(await publish(api, path, 5, blob), 204);
    const at = `${snapshotsOf(path)}/5`;
    const whole = await api.get(at);
    assertStatus(whole, 200);
    assert.equal(whole.headers.get("content-length"), String(blob.length));
    assert.ok(Buffer.compare(whole.bytes, blob) === 0, "every byte");
    for (
      const [from, to] of [[0, 1], [MIB - 1, MIB + 1], [100, 2 * MIB + 100], [MIB, blob.length]]
        .map(([from = 0, to = 0]) => [from, to] as const)
    ) {
      const part = await api.get(at, { range: `bytes=${from}-${to - 1}` });
      assertStatus(part, 206);
      assert.equal(part.headers.get("content-range"), `bytes ${from}-${to - 1}/${blob.length}`);
      assert.equal(part.headers.get("content-length"), String(to - from));
      assert.ok(Buffer.compare(part.bytes, blob.subarray(from, to)) === 0, `${from} to ${to}`);
    }
    const head = await api.head(at);
    assertStatus(head, 200);
    assert.equal(head.headers.get("content-length"), String(blob.length));
    assertStatus(await publish(api, path, 5, blob), 204);
  });

  test("a fork made before keeps what it inherits, one made after begins with it", async (api) => {
    const path = await api.create(TEXT, "hello");
    await api.append(path, TEXT, "world");
    const fork = async (at?: number) => {
      const forked = fresh();
      const where: Record<string, string> = at === undefined
        ? {}
        : { "stream-fork-offset": offset(at) };
      const headers = { "stream-forked-from": path, ...where };
      return { forked, made: await api.put(forked, undefined, undefined, headers) };
    };
    // So many that most live in another group than their path's.
    const early = await Promise.all(Array.from({ length: 8 }, () => fork()));
    assertStatus(await publish(api, path, 5, "HELLO"), 204);
    const late = await Promise.all(Array.from({ length: 8 }, () => fork()));
    assertError((await fork(0)).made, "offset_trimmed");
    for (const { forked, made } of early) {
      assertStatus(made, 201);
      assert.equal((await api.get(forked)).text, "helloworld");
      assertError(await api.get(snapshotsOf(forked)), "snapshot_not_found");
    }
    await api.append(path, TEXT, "!");
    assertStatus(await publish(api, path, 10, "HELLOWORLD"), 204);
    for (const { forked, made } of late) {
      assertStatus(made, 201);
      assertError(await api.get(forked), "offset_trimmed");
      assert.equal((await api.get(`${forked}?offset=5`)).text, "world");
      assert.equal((await api.get(`${snapshotsOf(forked)}/5`)).text, "HELLO");
      assertStatus(await publish(api, forked, 10, "of the fork"), 204);
      assert.equal((await api.get(`${snapshotsOf(forked)}/10`)).text, "of the fork");
    }
    assert.equal((await api.get(`${snapshotsOf(path)}/10`)).text, "HELLOWORLD");
  });

  test("of many that publish at once the furthest stays", async (api) => {
    const path = await api.create(TEXT, "x");
    for (let n = 1; n < 8; n++) await api.append(path, TEXT, "x");
    const offsets = Array.from({ length: 9 }, (_, n) => n);
    const answers = await Promise.all(offsets.map((n) => publish(api, path, n, `first ${n}`)));
    for (const { status } of answers) assert.ok(status === 204 || status === 410, `${status}`);
    assertStatus(answers[8], 204);
    assert.equal((await api.get(`${snapshotsOf(path)}/8`)).text, "first 8");
  });

  test("appends are answered while a large snapshot is on its way", async (api) => {
    const path = await api.create(TEXT, "x");
    let under = true;
    const publishing = publish(api, path, 1, patterned(24 * MIB)).finally(() => under = false);
    let slowestMs = 0;
    let appends = 0;
    while (under) {
      const began = performance.now();
      await api.append(path, TEXT, "y");
      slowestMs = Math.max(slowestMs, performance.now() - began);
      appends++;
    }
    assertStatus(await publishing, 204);
    assert.ok(appends > 20, `${appends} appends meanwhile`);
    assert.ok(slowestMs < 2_000, `${slowestMs} ms`);
    assert.equal((await api.get(`${path}?offset=1`)).text, "y".repeat(appends));
  });
}

for (const backend of ["none", "memory", "fs", "shared"] as const) onBackend(backend);

const shared = snapshotFixture("shared");
const node = snapshotFixture("none", { snapshotBytesMax: MIB, bodyBytesInFlightMax: 34 * MIB });

besideNode(
  "a store that fails for a while is asked again, one that goes on failing is 503",
  async () => {
    const { api, store } = shared();
    const path = await api.create(TEXT, "hello");
    store.fail("put", "unavailable", 2);
    assertStatus(await publish(api, path, 5, "fold"), 204);
    await api.append(path, TEXT, "!");
    store.fail("put", "unavailable", 100);
    assertError(await publish(api, path, 6, "fold!"), "cold_unavailable");
    store.recover();
    assert.equal((await api.get(`${snapshotsOf(path)}/5`)).text, "fold");
    assertStatus(await publish(api, path, 6, "fold!"), 204);
  },
);

besideNode("what can't be published is not uploaded", async () => {
  const { api, store } = shared();
  const path = await api.create(TEXT, "hello");
  assertStatus(await publish(api, path, 5, "fold"), 204);
  const puts = store.askedTo("put").length;
  assertStatus(await publish(api, path, 5, "fold"), 204);
  assertStatus(await publish(api, path, 5, "other"), 409);
  assertStatus(await publish(api, path, 6, "far"), 409);
  assertStatus(await publish(api, path, 4, "low"), 410);
  assertStatus(await publish(api, fresh(), 0, "none"), 404);
  assert.equal(store.askedTo("put").length, puts);
});

besideNode(
  "400 is for what is no offset and what is within a message, 409 beyond the tail",
  async () => {
    const { api } = node();
    const path = await api.create(TEXT, "hello");
    await api.append(path, TEXT, "world");
    for (const text of ["-1", "now", "x", "5x", "+5", "0x5", "5.0", "1".repeat(21), "%20", "_"]) {
      for (const method of ["PUT", "GET", "DELETE"]) {
        const answer = await api.send(method, `${snapshotsOf(path)}/${text}`);
        assertError(answer, "invalid_offset", `${method} ${text}`);
      }
    }
    for (const at of [1, 4, 6, 9]) {
      assertError(await publish(api, path, at, "fold"), "offset_not_boundary", `${at}`);
    }
    for (const text of ["11", "9".repeat(20), `${"0".repeat(15)}1_${"0".repeat(16)}`]) {
      assertError(await publish(api, path, text, "fold"), "snapshot_beyond_tail", text);
    }
    for (const text of ["5", offset(5), `${"0".repeat(16)}_${"5".padStart(16, "0")}`]) {
      const answer = await publish(api, path, text, "fold");
      assertStatus(answer, 204, text);
      assert.equal(answer.headers.get("stream-snapshot-offset"), offset(5));
      assert.equal((await api.get(`${snapshotsOf(path)}/${text}`)).text, "fold");
    }
  },
);

besideNode("of any offset exactly the ends of messages can be published, in order", async () => {
  const { api } = node();
  const json = await api.create("application/json", `[1,[2,3],"four"]`);
  const bytes = await api.create(TEXT, "a");
  for (const text of ["bcd", "ef"]) await api.append(bytes, TEXT, text);
  for (const [path, ends] of [[json, [2, 8, 15]], [bytes, [1, 4, 6]]] as const) {
    const tail = ends[2];
    assert.equal(Number((await api.head(path)).headers.get("stream-next-offset")), tail);
    for (let at = 1; at <= tail + 2; at++) {
      const { status } = await publish(api, path, at, `up to ${at}`);
      const isEnd = (ends as readonly number[]).includes(at);
      assert.equal(status, at > tail ? 409 : isEnd ? 204 : 400, `${path} ${at}`);
    }
  }
});

besideNode("404 is for streams that are not there, 410 for those that are gone", async () => {
  const { api } = node();
  const absent = fresh();
  for (const method of ["PUT", "GET", "DELETE"]) {
    const answer = await api.send(method, `${snapshotsOf(absent)}/0`);
    assertError(answer, "stream_not_found", method);
  }
  assertError(await api.get(snapshotsOf(absent)), "stream_not_found");
  const source = await api.create(TEXT, "hello");
  const headers = { "stream-forked-from": source };
  assertStatus(await api.put(fresh(), undefined, undefined, headers), 201);
  assertStatus(await api.delete(source), 204);
  assertError(await publish(api, source, 0, "fold"), "stream_gone");
  assertError(await api.get(`${snapshotsOf(source)}/0`), "stream_gone");
});

besideNode("DELETE of the published one is 409, of any other 404", async () => {
  const { api } = node();
  const path = await api.create(TEXT, "hello");
  assertError(await api.delete(`${snapshotsOf(path)}/5`), "snapshot_not_found");
  assertStatus(await publish(api, path, 5, "fold"), 204);
  assertError(await api.delete(`${snapshotsOf(path)}/${offset(5)}`), "snapshot_published");
  assertError(await api.delete(`${snapshotsOf(path)}/0`), "snapshot_not_found");
  assert.equal((await api.get(`${snapshotsOf(path)}/5`)).text, "fold");
});

besideNode("a body above the bound is 413, whether or not it says how long it is", async () => {
  const { api } = node();
  const path = await api.create(TEXT, "hello");
  const large = patterned(MIB + 1);
  assertError(await publish(api, path, 5, large), "payload_too_large");
  const chunked = ReadableStream.from([large.subarray(0, 9), large.subarray(9)]);
  assertError(await publish(api, path, 5, chunked), "payload_too_large");
  const pieces = ReadableStream.from(Array.from({ length: 1000 }, () => new Uint8Array(1)));
  assertStatus(await publish(api, path, 5, pieces), 204);
  assert.equal((await api.get(`${snapshotsOf(path)}/5`)).bytes.length, 1000);
  await api.append(path, TEXT, "!");
  assertStatus(await publish(api, path, 6, large.subarray(1)), 204);
});

besideNode("a content type that is none is 400", async () => {
  const { api } = node();
  const path = await api.create(TEXT, "hello");
  const answer = await publish(api, path, 5, "fold", { "content-type": "fold" });
  assertError(answer, "invalid_content_type");
});

besideNode("a request that names another incarnation is 412 on every verb", async () => {
  const { api } = node();
  const path = fresh();
  const life = (answer: Answer) => answer.headers.get("stream-incarnation") ?? "";
  const old = life(await api.put(path, TEXT, "hello"));
  await api.delete(path);
  const current = life(await api.put(path, TEXT, "hello"));
  assertStatus(await publish(api, path, 5, "fold"), 204);
  const at = `${snapshotsOf(path)}/5`;
  for (const method of ["PUT", "GET", "DELETE"]) {
    const headers = { "stream-incarnation": old };
    assertError(await api.send(method, at, { headers }), "incarnation_mismatch", method);
    assertError(await api.send(method, `${at}?incarnation=${old}`), "incarnation_mismatch", method);
  }
  assertStatus(await api.head(`${at}?incarnation=${old}`), 412);
  assertError(await api.get(`${snapshotsOf(path)}?incarnation=${old}`), "incarnation_mismatch");
  const found = await api.get(`${snapshotsOf(path)}?incarnation=${current}`);
  assert.match(found.headers.get("location") ?? "", new RegExp(`\\?incarnation=${current}$`));
  for (const answer of [found, await api.get(at), await api.delete(at)]) {
    assert.equal(life(answer), current);
  }
});

besideNode("a flat-made stream has snapshots in whatever bucket it lies", async () => {
  const { api } = node();
  const streams: readonly (readonly [flat: string, bucketed: string])[] = [
    ["/v1/stream/alone-with-snapshot", "/_default/alone-with-snapshot"],
    ["/v1/stream/ab/x", "/ab/x"],
    ["/v1/stream/Free%20Text!/a/b", "/Free%20Text!/a%2Fb"],
    ["/v1/stream/%C3%A9t%C3%A9/streams", "/%C3%A9t%C3%A9/streams"],
    ["/v1/stream/v1/stream", "/%761/stream"],
  ];
  for (const [flat, bucketed] of streams) {
    assertStatus(await api.put(flat, TEXT, "hello"), 201, flat);
    const at = `${bucketed}/snapshot/5`;
    assertStatus(await api.put(at, TEXT, "fold"), 204, at);
    assert.equal((await api.get(at)).text, "fold");
    assertError(await api.get(flat), "offset_trimmed");
  }
});

besideNode("a bucketed stream has snapshots, and a bucket that is not there has none", async () => {
  const { api } = node();
  const bucket = freshBucket();
  assertError(await api.get(`/${bucket}/x/snapshot`), "stream_not_found");
  assertStatus(await api.send("PUT", `/${bucket}`), 201);
  assertStatus(await api.put(`/${bucket}/x`, TEXT, "hello"), 201);
  assertStatus(await api.put(`/${bucket}/x/snapshot/5`, TEXT, "fold"), 204);
  assertStatus(await api.get(`/${bucket}/x/snapshot`), 307);
});

besideNode("other methods are 405, and Allow names those that there are", async () => {
  const { api } = node();
  const path = await api.create(TEXT, "hello");
  for (const method of ["POST", "PATCH"]) {
    const answer = await api.send(method, `${snapshotsOf(path)}/5`);
    assertError(answer, "method_not_allowed");
    assert.equal(answer.headers.get("allow"), "GET, HEAD, PUT, DELETE, OPTIONS");
  }
  for (const method of ["PUT", "POST", "DELETE"]) {
    const answer = await api.send(method, snapshotsOf(path));
    assertError(answer, "method_not_allowed");
    assert.equal(answer.headers.get("allow"), "GET, HEAD, OPTIONS");
  }
});

besideNode("ranges, ETags and conditions go together as RFC 9110 says", async () => {
  const { api } = node();
  const path = await api.create(TEXT, "hello");
  assertStatus(await publish(api, path, 5, "0123456789"), 204);
  const at = `${snapshotsOf(path)}/5`;
  const whole = await api.get(at);
  const etag = whole.headers.get("etag") ?? "";
  assert.match(etag, /^"[^"]+"$/);
  assert.equal(whole.headers.get("accept-ranges"), "bytes");
  const rows: readonly (readonly [Record<string, string>, number, string])[] = [
    [{ range: "bytes=2-4" }, 206, "234"],
    [{ range: "bytes=7-" }, 206, "789"],
    [{ range: "bytes=-2" }, 206, "89"],
    [{ range: "bytes=-99" }, 206, "0123456789"],
    [{ range: "bytes=8-99" }, 206, "89"],
    [{ range: "bytes=1-2,4-5" }, 200, "0123456789"],
    [{ range: "lines=1-2" }, 200, "0123456789"],
    [{ range: "bytes=2-4", "if-range": etag }, 206, "234"],
    [{ range: "bytes=2-4", "if-range": `"other"` }, 200, "0123456789"],
    [{ range: "bytes=2-4", "if-range": `W/${etag}` }, 200, "0123456789"],
    [{ range: "bytes=2-4", "if-range": new Date().toUTCString() }, 200, "0123456789"],
    [{ range: "bytes=99-", "if-range": `"other"` }, 200, "0123456789"],
    [{ "if-none-match": etag }, 304, ""],
    [{ "if-none-match": `"other", W/${etag}`, range: "bytes=2-4" }, 304, ""],
    [{ "if-none-match": `"other"` }, 200, "0123456789"],
  ];
  for (const [headers, status, text] of rows) {
    const answer = await api.get(at, headers);
    assertStatus(answer, status, JSON.stringify(headers));
    assert.equal(answer.text, text, JSON.stringify(headers));
    assert.equal(answer.headers.get("etag"), etag);
  }
  for (const range of ["bytes=10-", "bytes=10-12", "bytes=-0"]) {
    const answer = await api.get(at, { range });
    assertError(answer, "range_not_satisfiable", range);
    assert.equal(answer.headers.get("content-range"), "bytes */10");
  }
  const head = await api.head(at, { range: "bytes=2-4" });
  assertStatus(head, 200);
  assert.equal(head.headers.get("content-length"), "10");
  await api.append(path, TEXT, "!");
  assertStatus(await publish(api, path, 6, "0123456789"), 204);
  const next = await api.get(`${snapshotsOf(path)}/6`, { "if-none-match": etag });
  assertStatus(next, 200);
});

besideNode("pages of other origins may read what a snapshot's answers say", async () => {
  const { api } = node();
  const path = await api.create(TEXT, "hello");
  assertStatus(await publish(api, path, 5, "fold"), 204);
  const answer = await api.get(`${snapshotsOf(path)}/5`, { origin: "https://app.example" });
  const exposed = answer.headers.get("access-control-expose-headers")?.split(", ") ?? [];
  for (const name of ["stream-snapshot-offset", "content-range", "accept-ranges", "etag"]) {
    assert.ok(exposed.includes(name), name);
  }
  const preflight = await api.send("OPTIONS", `${snapshotsOf(path)}/5`);
  const allowed = preflight.headers.get("access-control-allow-headers")?.split(", ") ?? [];
  for (const name of ["range", "if-range"]) assert.ok(allowed.includes(name), name);
});

besideNode("a live reader goes on over a snapshot that is published meanwhile", async () => {
  const { api } = node();
  const path = await api.create(TEXT, "hello");
  await using reader = await EventReader.open(`${api.url}${path}?offset=5&live=sse`);
  await reader.next();
  assertStatus(await publish(api, path, 5, "fold"), 204);
  await api.append(path, TEXT, "world");
  const events = [await reader.next(), await reader.next()];
  assert.ok(JSON.stringify(events).includes("world"), JSON.stringify(events));
});
