import assert from "node:assert/strict";
import { fresh, offset, serve } from "./client.ts";
import { assertError, assertErrorShape, assertStatus } from "./expect.ts";
import { EventReader } from "./sse.ts";

const api = serve();
const JSON_TYPE = "application/json";

/** Body of an append → the messages as they are read, exact to the byte. */
const EXACT: readonly (readonly [body: string, messages: readonly string[]])[] = [
  ["12345678901234567890", ["12345678901234567890"]],
  ["1.0", ["1.0"]],
  ["-0", ["-0"]],
  ["1e400", ["1e400"]],
  ["1E+2", ["1E+2"]],
  ["0.1000000000000000055511151231257827", ["0.1000000000000000055511151231257827"]],
  [`{"b":1,"a":2,"10":3,"9":4}`, [`{"b":1,"a":2,"10":3,"9":4}`]],
  [`{"a":1,"a":2}`, [`{"a":1,"a":2}`]],
  [`{"__proto__":1}`, [`{"__proto__":1}`]],
  [`"\\u00e9 é \\n \\/ / \\ud83d\\ude00 😀"`, [`"\\u00e9 é \\n \\/ / \\ud83d\\ude00 😀"`]],
  [`"\\ud800"`, [`"\\ud800"`]],
  [`"a  b\\tc"`, [`"a  b\\tc"`]],
  [`" , [ ] { } : "`, [`" , [ ] { } : "`]],
  [`"quote \\" and \\\\"`, [`"quote \\" and \\\\"`]],
  ["true", ["true"]],
  ["null", ["null"]],
  [`""`, [`""`]],
  ["{}", ["{}"]],
  [" \t\r\n 1 \t\r\n ", ["1"]],
  [`{ "a" : [ 1 , 2 ] ,\n "b" : { } }`, [`{"a":[1,2],"b":{}}`]],
  ["[1,2,3]", ["1", "2", "3"]],
  [` [ 1.0 , "a b" , { "k" : null } ] `, ["1.0", `"a b"`, `{"k":null}`]],
  ["[[1,2],[3,4]]", ["[1,2]", "[3,4]"]],
  ["[[[1,2,3]]]", ["[[1,2,3]]"]],
  ["[[]]", ["[]"]],
  ["[{},[],null]", ["{}", "[]", "null"]],
  ["[" + "[".repeat(60) + "]".repeat(60) + "]", ["[".repeat(60) + "]".repeat(60)]],
];

for (const [body, messages] of EXACT) {
  Deno.test(`JSON ${body.slice(0, 60)} comes back byte for byte`, async () => {
    const expected = `[${messages.join(",")}]`;
    const appended = await api.create(JSON_TYPE);
    assertStatus(await api.post(appended, JSON_TYPE, body), 204);
    assert.equal((await api.get(appended)).text, expected);
    const created = await api.create(JSON_TYPE, body);
    assert.equal((await api.get(created)).text, expected);
    const stored = messages.reduce((sum, one) => sum + new TextEncoder().encode(one).length + 1, 0);
    assert.equal((await api.head(created)).headers.get("stream-next-offset"), offset(stored));
  });
}

const INVALID: readonly string[] = [
  "{",
  "}",
  "[1,]",
  "[,1]",
  "[1 2]",
  `{"a":1,}`,
  `{"a"}`,
  `{a:1}`,
  `{'a':1}`,
  `{"a":1 "b":2}`,
  "01",
  "+1",
  ".5",
  "1.",
  "1e",
  "-",
  "NaN",
  "Infinity",
  "tru",
  "nulll",
  "undefined",
  `"open`,
  `"bad \\x escape"`,
  `"\\u12g4"`,
  `"line\nbreak"`,
  `"tab\tinside"`,
  "1 2",
  "1,2",
  "[1]]",
  "// comment\n1",
  "\ufeff1",
  "\u00a01",
  "   ",
];

for (const body of INVALID) {
  Deno.test(`JSON ${JSON.stringify(body)} is refused and appends nothing`, async () => {
    const path = await api.create(JSON_TYPE, "[0]");
    // Bytes: a text body would lose its byte order mark on the way.
    const bytes = new TextEncoder().encode(body);
    const answer = await api.post(path, JSON_TYPE, bytes);
    assertStatus(answer, 400);
    assertErrorShape(answer);
    assertStatus(await api.put(fresh(), JSON_TYPE, bytes), 400);
    assert.equal((await api.get(path)).text, "[0]");
  });
}

Deno.test("JSON that is not UTF-8 is refused", async () => {
  const path = await api.create(JSON_TYPE);
  const sequences = [[0xff], [0xc3], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80]];
  for (const inner of sequences) {
    const answer = await api.post(path, JSON_TYPE, new Uint8Array([0x22, ...inner, 0x22]));
    assertStatus(answer, 400, inner.join());
    assertErrorShape(answer);
  }
  assert.equal((await api.get(path)).text, "[]");
});

Deno.test("JSON that is nested beyond all reason is refused or kept, and harms nothing", async () => {
  const path = await api.create(JSON_TYPE);
  for (const depth of [1_000, 100_000, 2_000_000]) {
    for (const body of ["[".repeat(depth) + "]".repeat(depth), `{"a":`.repeat(depth)]) {
      const answer = await api.post(path, JSON_TYPE, body);
      if (answer.status !== 204) assertErrorShape(answer);
      assert.ok(answer.status < 500);
    }
  }
  assertStatus(await api.get(path), 200);
});

Deno.test("an empty array appends nothing: 400 for POST, an empty stream for PUT", async () => {
  const path = await api.create(JSON_TYPE, "[]");
  assert.equal((await api.get(path)).text, "[]");
  assert.equal((await api.head(path)).headers.get("stream-next-offset"), offset(0));
  assertError(await api.post(path, JSON_TYPE, "[]"), "empty_json_array");
  assertError(await api.post(path, JSON_TYPE, " [ ] "), "empty_json_array");
});

Deno.test("an append of many messages is atomic: one bad element refuses them all", async () => {
  const path = await api.create(JSON_TYPE);
  assertError(await api.post(path, JSON_TYPE, "[1,2,3,tru]"), "invalid_json");
  assert.equal((await api.get(path)).text, "[]");
});

Deno.test("every offset that an append answers is one to read from", async () => {
  const path = await api.create(JSON_TYPE);
  const messages = [`{"n":1}`, `"é"`, "12345678901234567890", `[1,[2]]`, "null"];
  const offsets = [offset(0)];
  for (const message of messages) {
    offsets.push(await api.append(path, JSON_TYPE, `[${message}]`));
  }
  for (const [at, from] of offsets.entries()) {
    const answer = await api.get(`${path}?offset=${from}`);
    assert.equal(answer.text, `[${messages.slice(at).join(",")}]`);
    assert.match(answer.headers.get("content-type") ?? "", /^application\/json/);
  }
});

Deno.test("an offset within a message is 400, in catch-up and live reads", async () => {
  const path = await api.create(JSON_TYPE, "[10,20]");
  for (const at of [1, 2, 4, 5]) {
    for (const live of ["", "&live=long-poll", "&live=sse"]) {
      assertError(
        await api.get(`${path}?offset=${at}${live}`),
        "offset_not_boundary",
        `${at}${live}`,
      );
    }
  }
  for (const at of [0, 3, 6]) assertStatus(await api.get(`${path}?offset=${at}`), 200);
});

Deno.test("a parameter of the content type does not change that it is JSON", async () => {
  const path = fresh();
  assertStatus(await api.put(path, "application/json; charset=utf-8", "[1,2]"), 201);
  assertStatus(await api.post(path, JSON_TYPE, "3"), 204);
  assertStatus(await api.post(path, "Application/JSON", "4"), 204);
  assert.equal((await api.get(path)).text, "[1,2,3,4]");
});

Deno.test("application/ndjson and +json types are bytes, not JSON mode", async () => {
  for (const type of ["application/ndjson", "application/ld+json", "application/json5"]) {
    const path = await api.create(type, "{broken\n");
    assert.equal((await api.get(path)).text, "{broken\n", type);
  }
});

Deno.test("SSE delivers JSON messages byte for byte", async () => {
  const path = await api.create(JSON_TYPE, `[1.0,"a\\nb",{"k":12345678901234567890}]`);
  await using reader = await EventReader.open(`${api.url}${path}?offset=-1&live=sse`);
  const text = (await reader.data()).replaceAll("\n", "");
  assert.equal(text, `[1.0,"a\\nb",{"k":12345678901234567890}]`);
});

Deno.test("a message of megabytes comes back as it was", async () => {
  const path = await api.create(JSON_TYPE);
  const message = JSON.stringify({ text: 'é😀"\\'.repeat(600_000) });
  await api.append(path, JSON_TYPE, message);
  await api.append(path, JSON_TYPE, "1");
  const first = await api.get(path);
  assert.ok(first.text === `[${message}]`, "a message above the cap comes whole and alone");
  assert.equal(
    (await api.get(`${path}?offset=${first.headers.get("stream-next-offset")}`)).text,
    "[1]",
  );
});
