import assert from "node:assert/strict";
import { flush, SHARED_STORE } from "../tests/given/cold_reads.ts";
import { GivenStore } from "../tests/given/cold_store.ts";
import { type GivenPlane, givenPlane } from "../tests/given/plane.ts";
import { keyIn } from "../tests/given/shard.ts";

const JSON_TYPE = { "content-type": "application/json" };
const TEXT = { "content-type": "text/plain" };
/** Differ between two nodes, or from one request to the next. */
const OWN_HEADERS = ["stream-incarnation", "stream-cursor", "location"];

/** A node with a cold tier. */
async function cold() {
  const store = new GivenStore();
  const given = await givenPlane({}, { cold: SHARED_STORE }, store);
  const flushAll = async (rangeBytes: number) => {
    const keys: string[] = [];
    for (const group of given.groups) {
      const { clock, access } = given;
      const key = await flush({ clock, access, store, group }, { rangeBytes });
      if (key !== undefined) keys.push(key);
    }
    return keys;
  };
  return { given, store, flushAll };
}

/** An answer without what is the node's own. */
async function shown(response: Response): Promise<unknown> {
  const { status } = response;
  const incarnation = response.headers.get("stream-incarnation") ?? "none";
  const headers = [...response.headers].filter(([name]) => !OWN_HEADERS.includes(name))
    .map(([name, value]) => [name, value.replaceAll(incarnation, "INCARNATION")]);
  const body = (await response.text()).replaceAll(/"streamCursor":"\d+"/g, "CURSOR");
  return { status, headers, body };
}

const MESSAGES = ["1", `{"a":"${"é".repeat(300)}"}`, `"${"x".repeat(100_000)}"`, "2", "3", "4"];
const WRITTEN = ["a", "é€😀".repeat(40), "y".repeat(100_000), "z", "ä", "."];

/** Writes the same to a node, whatever it does with it. */
async function write(given: GivenPlane, between: (at: number) => Promise<unknown>): Promise<void> {
  await given.ask("PUT", "/demo");
  await given.ask("PUT", "/demo/json", "", JSON_TYPE);
  await given.ask("PUT", "/demo/text", "", TEXT);
  for (const [at, message] of MESSAGES.entries()) {
    await given.ask("POST", "/demo/json", message, JSON_TYPE);
    await given.ask("POST", "/demo/text", WRITTEN[at], TEXT);
    await between(at);
  }
}

/** Asks both nodes, and gives what they agree on. */
async function asked(nodes: readonly GivenPlane[], path: string): Promise<unknown> {
  const [one, two] = await Promise.all(nodes.map(async (given) => {
    const response = await given.ask("GET", path, undefined, {});
    return await given.clock.until(shown(response));
  }));
  assert.deepEqual(one, two, path);
  return one;
}

Deno.test("catch-up, long-poll and SSE are the same over objects as from memory", async () => {
  const plain = await givenPlane();
  const { given, store, flushAll } = await cold();
  await write(plain, () => Promise.resolve());
  await write(given, (at) => at === 1 || at === 4 ? flushAll(150) : Promise.resolve());
  const nodes = [given, plain];
  for (const path of ["/demo/json", "/demo/text"]) {
    for (const max of [1, 5, 400, 200_000]) {
      let offset = "-1";
      for (let page = 0; page < 40; page++) {
        const query = `offset=${offset}&max_bytes=${max}`;
        const answer = await asked(nodes, `${path}?${query}`) as { headers: [string, string][] };
        const headers = new Map(answer.headers);
        await asked(nodes, `${path}?${query}&live=long-poll`);
        offset = headers.get("stream-next-offset") ?? "";
        if (headers.has("stream-up-to-date")) break;
      }
    }
    for (const offset of ["-1", "now", "0", "3", "7", "200", "100500", "999999"]) {
      await asked(nodes, `${path}?offset=${offset.padStart(20, "0")}`);
      await asked(nodes, `${path}?offset=${offset}`);
    }
  }
  for (const node of nodes) {
    for (const path of ["/demo/json", "/demo/text"]) {
      const closed = { ...(path === "/demo/json" ? JSON_TYPE : TEXT), "stream-closed": "true" };
      await node.ask("POST", path, undefined, closed);
    }
  }
  for (const path of ["/demo/json", "/demo/text"]) {
    for (const query of ["", "&max_bytes=400"]) {
      const events = await asked(nodes, `${path}?offset=-1&live=sse${query}`) as { body: string };
      assert.match(events.body, /"streamClosed":true/);
    }
  }
  assert.ok(store.askedTo("get").length > 0);
  assert.deepEqual([...given.errors, ...plain.errors], []);
  await Promise.all([given.close(), plain.close()]);
});

Deno.test("a fork of cold bytes in another group is made as one of hot bytes", async () => {
  const plain = await givenPlane();
  const { given, flushAll } = await cold();
  const source = keyIn(0, 2, "demo/source"), fork = keyIn(1, 2, "demo/fork");
  for (const node of [given, plain]) {
    await node.ask("PUT", "/demo");
    await node.ask("PUT", `/${source}`, "[10,20,30,40]", JSON_TYPE);
    if (node === given) await flushAll(1 << 20);
    const forked = (offset: string, sub: string, at = `/${fork}`) =>
      node.ask("PUT", at, '"own"', {
        ...JSON_TYPE,
        "stream-forked-from": `/${source}`,
        "stream-fork-offset": offset.padStart(20, "0"),
        "stream-fork-sub-offset": sub,
      });
    const refused = await forked("4", "0");
    assert.equal(refused.status, 400);
    assert.equal((await refused.json()).error.code, "offset_not_boundary");
    assert.equal((await (await forked("3", "9")).json()).error.code, "fork_sub_offset_invalid");
    assert.equal((await forked("3", "2")).status, 201);
    assert.equal((await forked("3", "2")).status, 200, "it exists");
    const found = await node.ask("GET", `/${fork}`, undefined, {});
    assert.equal(await found.text(), '[10,20,30,"own"]');
    assert.deepEqual(node.errors, []);
  }
  await Promise.all([given.close(), plain.close()]);
});

Deno.test("a damaged object is 500 with its key, a store that fails 503", async () => {
  const { given, store, flushAll } = await cold();
  await given.ask("PUT", "/demo");
  await given.ask("PUT", "/demo/a", "[1,2]", JSON_TYPE);
  const [key = ""] = await flushAll(1 << 20);
  const ask = (query: string) => given.ask("GET", `/demo/a?offset=-1${query}`, undefined, {});
  for (const query of ["", "&live=long-poll", "&live=sse"]) {
    store.fail("get", "unavailable", 1);
    const failed = await ask(query);
    assert.deepEqual([failed.status, failed.headers.get("retry-after")], [503, "1"], query);
    assert.equal((await failed.json()).error.code, "cold_unavailable");
  }
  await store.delete(key);
  for (const query of ["", "&live=long-poll", "&live=sse"]) {
    const failed = await ask(query);
    assert.deepEqual([failed.status, failed.headers.get("retry-after")], [500, null], query);
    const { error } = await failed.json();
    assert.equal(error.code, "cold_damaged");
    assert.ok(error.message.includes(key));
  }
  const fork = { ...JSON_TYPE, "stream-forked-from": "/demo/a", "stream-fork-sub-offset": "1" };
  const forked = await given.ask("PUT", "/demo/f", "", {
    ...fork,
    "stream-fork-offset": "0".repeat(20),
  });
  assert.equal((await forked.json()).error.code, "cold_damaged");
  assert.equal((await given.ask("HEAD", "/demo/f", undefined, {})).status, 404);
  assert.deepEqual(given.errors, []);
  await given.close();
});

Deno.test("SSE ends where an object can't be read, behind what was whole", async () => {
  const { given, store, flushAll } = await cold();
  await given.ask("PUT", "/demo");
  await given.ask("PUT", "/demo/a", "a".repeat(300_000), TEXT);
  await flushAll(1 << 20);
  await given.ask("POST", "/demo/a", "b".repeat(300_000), TEXT);
  const [key = ""] = await flushAll(1 << 20);
  await store.delete(key);
  const response = await given.ask("GET", "/demo/a?offset=-1&live=sse", undefined, {});
  const body = await given.clock.until(response.text());
  assert.ok(!body.includes("b".repeat(10)));
  const last = /"streamNextOffset":"(\d+)"[^\n]*\n\n$/.exec(body)?.[1];
  assert.equal(Number(last), 300_000);
  await given.close();
});
