import assert from "node:assert/strict";
import { headerOf, ResponseReader } from "./http_response.ts";

const encoder = new TextEncoder();

/** Feeds `text` in pieces of `size` bytes and says what was heard. */
function heard(text: string, size: number): string[] {
  const events: string[] = [];
  let body = "";
  const reader = new ResponseReader({
    onHead: (status, head) => events.push(`${status} ${headerOf(head, "stream-next-offset")}`),
    onBody: (bytes, from, to) => body += new TextDecoder().decode(bytes.subarray(from, to)),
    onEnd: () => {
      events.push(`end ${body}`);
      body = "";
    },
  });
  const bytes = encoder.encode(text);
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.slice(at, at + size);
    reader.feed(piece, piece.length);
  }
  return events;
}

const RESPONSES = "HTTP/1.1 200 OK\r\nStream-Next-Offset: 5\r\nContent-Length: 5\r\n\r\nhello" +
  "HTTP/1.1 204 No Content\r\nStream-Next-Offset: 6\r\n\r\n" +
  "HTTP/1.1 200 OK\r\nstream-next-offset: 7\r\nTransfer-Encoding: chunked\r\n\r\n" +
  "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n" +
  "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";

for (const size of [1, 2, 7, 1000]) {
  Deno.test(`ResponseReader finds every response when packets have ${size} bytes`, () => {
    assert.deepEqual(heard(RESPONSES, size), [
      "200 5",
      "end hello",
      "204 6",
      "end ",
      "200 7",
      "end hello!",
      "201 undefined",
      "end ",
    ]);
  });
}
