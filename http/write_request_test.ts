import assert from "node:assert/strict";
import { joinSlices } from "../group/mod.ts";
import { textOf } from "../tests/given/commands.ts";
import { isMediaType, isTrue, parseWriteHeaders, storedBody } from "./write_request.ts";

const LIMITS = { producerIdBytesMax: 8, streamSeqBytesMax: 4 };

function parse(headers: Record<string, string>) {
  return parseWriteHeaders(new Headers(headers), LIMITS);
}

const NOTHING = {
  contentType: undefined,
  closed: false,
  producer: undefined,
  streamSeq: undefined,
  ifMatch: undefined,
  incarnation: undefined,
};

Deno.test("parseWriteHeaders() finds what a write asks for", () => {
  assert.deepEqual(parse({}), NOTHING);
  assert.deepEqual(
    parse({
      "content-type": "text/plain; charset=utf-8",
      "stream-closed": "TRUE",
      "stream-seq": "a1",
      "if-match": '"00000000000000000007"',
      "stream-incarnation": "i",
      "producer-id": "p",
      "producer-epoch": "0",
      "producer-seq": "9007199254740991",
    }),
    {
      contentType: "text/plain; charset=utf-8",
      closed: true,
      producer: { id: "p", epoch: 0, seq: 9007199254740991 },
      streamSeq: "a1",
      ifMatch: 7,
      incarnation: "i",
    },
  );
});

Deno.test("parseWriteHeaders() takes all producer headers or none", () => {
  const all = { "producer-id": "p", "producer-epoch": "1", "producer-seq": "2" };
  const names = Object.keys(all) as (keyof typeof all)[];
  for (const name of names) {
    const { [name]: value, ...rest } = all;
    assert.equal(parse(rest), "invalid_producer", name);
    assert.equal(parse({ [name]: value }), "invalid_producer", name);
  }
  for (const wrong of ["-1", "+1", "1.0", "01", "1e3", "x", "", "9007199254740992"]) {
    assert.equal(parse({ ...all, "producer-epoch": wrong }), "invalid_producer", wrong);
    assert.equal(parse({ ...all, "producer-seq": wrong }), "invalid_producer", wrong);
  }
  assert.equal(parse({ ...all, "producer-id": "" }), "invalid_producer");
  assert.equal(parse({ ...all, "producer-id": "123456789" }), "header_too_long");
  assert.ok(typeof parse({ ...all, "producer-id": "12345678" }) === "object");
});

Deno.test("parseWriteHeaders() refuses a Stream-Seq that is empty or too long", () => {
  assert.equal(parse({ "stream-seq": "" }), "invalid_stream_seq");
  assert.equal(parse({ "stream-seq": "12345" }), "header_too_long");
});

Deno.test("parseWriteHeaders() takes an offset for If-Match, in quotes or without", () => {
  for (const [text, offset] of [["7", 7], ['"7"', 7], ["0", 0]] as const) {
    const wish = parse({ "if-match": text });
    assert.equal(typeof wish === "object" && wish.ifMatch, offset, text);
  }
  for (const text of ["-1", "now", "*", "", '"', '""', '"7', "W/7", "x"]) {
    assert.equal(parse({ "if-match": text }), "invalid_if_match", text);
  }
});

Deno.test("isMediaType() knows type/subtype, with parameters or without", () => {
  const right = ["text/plain", "application/vnd.a+json", "text/plain;charset=utf-8", "A/b ; c=d"];
  for (const text of right) {
    assert.equal(isMediaType(text), true, text);
    assert.equal(isMediaType(text), true, "also when it was seen before");
  }
  const wrong = ["", "text", "/", "text/", "/plain", "text/plain/x", "te xt/plain", "text/plain x"];
  for (const text of [...wrong, `text/${"x".repeat(512)}`, "text/plän"]) {
    assert.equal(isMediaType(text), false, text);
    assert.equal(isMediaType(text), false, text);
  }
  for (let n = 0; n < 1_000; n++) assert.equal(isMediaType(`a/${n}`), true);
  assert.equal(parse({ "content-type": "text" }), "invalid_content_type");
});

Deno.test("isTrue() takes true in any case, and nothing else", () => {
  for (const text of ["true", "True", "TRUE"]) assert.equal(isTrue(text), true);
  for (const text of [null, "", "1", "yes", "false", "true "]) assert.equal(isTrue(text), false);
});

function stored(text: string, contentType: string) {
  const body = storedBody(new TextEncoder().encode(text), contentType);
  if (body === undefined || "error" in body) return body;
  return [textOf(joinSlices([body.data])), body.lengths && [...body.lengths]];
}

Deno.test("storedBody() keeps bytes as they came", () => {
  assert.deepEqual(stored(" [1] ", "text/plain"), [" [1] ", undefined]);
  assert.equal(stored("", "text/plain"), undefined);
});

Deno.test("storedBody() splits JSON into messages without white space", () => {
  assert.deepEqual(stored(' { "a" : 1 } ', "application/json"), ['{"a":1},', undefined]);
  assert.deepEqual(stored("[1, [2], {}]", "application/json"), ["1,[2],{},", [2, 4, 3]]);
  assert.deepEqual(stored("[[1]]", "Application/JSON; charset=utf-8"), ["[1],", undefined]);
  assert.equal(stored("[]", "application/json"), undefined);
});

Deno.test("storedBody() says what is wrong with JSON, and where", () => {
  for (const [text, position] of [["{", 1], ["[1,]", 3], ["nul", 3], ["1 2", 2]] as const) {
    const body = stored(text, "application/json");
    assert.ok(body !== undefined && "error" in body && body.error === "invalid_json");
    assert.match(body.message ?? "", new RegExp(`at byte ${position}$`), text);
  }
});
