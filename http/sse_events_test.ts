import assert from "node:assert/strict";
import fc from "fast-check";
import { textOf } from "../tests/given/commands.ts";
import { controlEvent, dataEvent, dataFormOf, incompleteTail, joinEvents } from "./sse_events.ts";

const encoder = new TextEncoder();

/** What a reader makes of one event: the WHATWG algorithm, its fields joined by line ends. */
function dataOf(event: Uint8Array): string {
  const lines = textOf(event).split(/\r\n|\n|\r/);
  assert.equal(lines.shift(), "event: data");
  assert.deepEqual(lines.splice(-2), ["", ""]);
  return lines.map((line) => {
    assert.ok(line.startsWith("data:"), line);
    return line.slice("data:".length).replace(/^ /, "");
  }).join("\n");
}

function textEvent(text: string): string {
  return textOf(dataEvent(encoder.encode(text), "text"));
}

Deno.test("dataEvent() writes a line of text per line", () => {
  assert.equal(textEvent("one"), "event: data\ndata:one\n\n");
  assert.equal(textEvent("one\ntwo"), "event: data\ndata:one\ndata:two\n\n");
  assert.equal(textEvent("one\n"), "event: data\ndata:one\ndata:\n\n");
  assert.equal(textEvent("\n\n"), "event: data\ndata:\ndata:\ndata:\n\n");
  assert.equal(textEvent(""), "event: data\ndata:\n\n");
});

Deno.test("dataEvent() lets nobody write fields of their own", () => {
  assert.equal(
    textEvent("a\revent: control\r\ndata: {}\n\n"),
    "event: data\ndata:a\ndata:event: control\ndata:data: {}\ndata:\ndata:\n\n",
  );
});

Deno.test("dataEvent() keeps the space that a line begins with", () => {
  assert.equal(
    textEvent(" a\n  b\n \nc "),
    "event: data\ndata:  a\ndata:   b\ndata:  \ndata:c \n\n",
  );
});

Deno.test("dataEvent() gives a reader the text back, line ends apart", () => {
  const texts = fc.string({
    unit: fc.constantFrom("a", " ", "\n", "\r", ":", "é", "😀", "\u2028"),
  });
  fc.assert(fc.property(texts, (text) => {
    const event = dataEvent(encoder.encode(text), "text");
    assert.equal(dataOf(event), text.replace(/\r\n|\r/g, "\n"));
  }));
});

Deno.test("dataEvent() writes stored JSON as one array on one line", () => {
  const json = (text: string) => textOf(dataEvent(encoder.encode(text), "json"));
  assert.equal(json(`{"a":1},`), `event: data\ndata:[{"a":1}]\n\n`);
  assert.equal(json(`1,"b\\n",null,`), `event: data\ndata:[1,"b\\n",null]\n\n`);
  assert.equal(json(""), "event: data\ndata:[]\n\n");
});

Deno.test("dataEvent() writes other bytes as base64 with padding", () => {
  for (const [bytes, text] of [[[], ""], [[255], "/w=="], [[0, 16], "ABA="], [[1, 2, 3], "AQID"]]) {
    const event = dataEvent(new Uint8Array(bytes as number[]), "base64");
    assert.equal(textOf(event), `event: data\ndata:${text}\n\n`);
  }
  const view = new Uint8Array([9, 1, 2, 3, 9]).subarray(1, 4);
  assert.equal(textOf(dataEvent(view, "base64")), "event: data\ndata:AQID\n\n");
});

Deno.test("controlEvent() says where reading goes on, and no cursor when nothing does", () => {
  const control = { nextOffset: "007", cursor: 42, upToDate: false, closed: false };
  const said = (more: Partial<typeof control>) => {
    const text = textOf(controlEvent({ ...control, ...more }));
    assert.match(text, /^event: control\ndata:\{.*\}\n\n$/);
    return JSON.parse(text.slice("event: control\ndata:".length));
  };
  assert.deepEqual(said({}), { streamNextOffset: "007", streamCursor: "42" });
  assert.deepEqual(said({ upToDate: true }), {
    streamNextOffset: "007",
    streamCursor: "42",
    upToDate: true,
  });
  assert.deepEqual(said({ upToDate: true, closed: true }), {
    streamNextOffset: "007",
    upToDate: true,
    streamClosed: true,
  });
});

Deno.test("dataFormOf() sends text and JSON as they are, the rest as base64", () => {
  const forms = [
    ["text/plain", "text"],
    ["Text/HTML; charset=utf-8", "text"],
    ["application/octet-stream", "base64"],
    ["application/x-ndjson", "base64"],
    ["context/plain", "base64"],
  ] as const;
  for (const [type, form] of forms) assert.equal(dataFormOf(type, false), form, type);
  assert.equal(dataFormOf("application/json", true), "json");
});

Deno.test("incompleteTail() counts the bytes of a code point that is not whole", () => {
  for (const text of ["", "a", "é", "€", "😀", "a😀"]) {
    const bytes = encoder.encode(text);
    assert.equal(incompleteTail(bytes), 0, text);
    const last = encoder.encode([...text].at(-1) ?? "").length;
    for (let cut = 1; cut < last; cut++) {
      assert.equal(incompleteTail(bytes.subarray(0, bytes.length - cut)), last - cut, text);
    }
  }
  assert.equal(incompleteTail(new Uint8Array([0x80, 0x80, 0x80, 0x80])), 0, "no beginning");
  assert.equal(incompleteTail(new Uint8Array([0x80])), 0);
});

Deno.test("incompleteTail() leaves whole code points alone, wherever text is cut", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.nat(), (text, at) => {
    const bytes = encoder.encode(text);
    const cut = bytes.subarray(0, at % (bytes.length + 1));
    const whole = cut.subarray(0, cut.length - incompleteTail(cut));
    assert.doesNotThrow(() => new TextDecoder("utf-8", { fatal: true }).decode(whole));
  }));
});

Deno.test("joinEvents() puts one behind the other", () => {
  assert.equal(textOf(joinEvents(encoder.encode("ab"), encoder.encode("c"))), "abc");
});
