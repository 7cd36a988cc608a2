/**
 * Arbitrary HTTP requests: mostly well-formed ones about a few streams, each part of which may be
 * spoilt, so that every layer of the server is reached.
 *
 * @module
 */

import fc from "fast-check";
import { batchOf } from "../given/batch.ts";

/** A request as it goes over the wire, and what can be expected of the answer. */
export interface FuzzRequest {
  /** One line for a failure's report. */
  readonly label: string;
  /** What fast-check prints of it. */
  readonly [fc.toStringMethod]: () => string;
  /** Pieces to write, one after the other. */
  readonly pieces: readonly Uint8Array[];
  /** Nothing more comes, though the framing promises it: the connection is half-closed. */
  readonly truncated: boolean;
  readonly head: boolean;
}

const utf8 = new TextEncoder();

/** One of `usual` most of the time, else `odd`. */
function mostly<T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ arbitrary: usual, weight: 6 }, { arbitrary: odd, weight: 1 });
}

/** Text that fits in a request line or header value, and little more can be said of it. */
const visible = fc.string({
  unit: fc.constantFrom(..."abzAZ09-_.~!*'();:@&=+$,/?%#[]{}\"\\^`|<> \t"),
  maxLength: 60,
});

/** Bytes that belong in no header; sent as Latin-1. */
const hostile = fc.string({
  unit: fc.constantFrom(..."\0\x01\x7f\x80\xff\xc3é\t ;:,=\"'%"),
  maxLength: 40,
});

const method = mostly(
  fc.constantFrom(
    "GET",
    "GET",
    "GET",
    "POST",
    "POST",
    "POST",
    "PUT",
    "PUT",
    "DELETE",
    "HEAD",
    "OPTIONS",
  ),
  fc.constantFrom("PATCH", "TRACE", "get", "FOO-BAR", "M-SEARCH", "PRI", "GET\t", "G\0T"),
);

const STREAMS = [
  ...Array.from({ length: 8 }, (_, at) => `/v1/stream/fuzz/s${at}`),
  ...Array.from({ length: 3 }, (_, at) => `/fuzz-bucket/s${at}`),
  "/v1/stream/fuzz-alone",
  "/v1/stream/fuzz/a%2Fb",
];

function batchPath(path: string): string {
  return path.startsWith("/v1/")
    ? path.replace("/v1/stream/", "/v1/append-batch/")
    : `${path}/append-batch`;
}

const path = mostly(
  fc.oneof(
    { arbitrary: fc.constantFrom(...STREAMS), weight: 10 },
    {
      arbitrary: fc.constantFrom("/fuzz-bucket", "/fuzz-bucket/streams", "/fuzz/streams", "/"),
      weight: 2,
    },
    {
      arbitrary: fc.constantFrom("/healthz", "/metrics", "/__ursula/metrics", "/readyz"),
      weight: 1,
    },
    {
      arbitrary: fc.constantFrom(...STREAMS.map(batchPath)),
      weight: 4,
    },
  ),
  fc.oneof(
    visible.map((text) => "/" + text.replaceAll(/[\s#]/g, "")),
    visible.map((text) => "/v1/stream/" + text.replaceAll(/[\s#?]/g, "")),
    fc.constantFrom(
      "*",
      "http://other/",
      "/v1/stream/" + "x".repeat(3000),
      "/v1/stream/..%2f..%2fetc",
      "/%00",
      "/v1/stream/%ff%fe",
      "//////",
      "/v1/stream/__ds/subscriptions/x",
      "/v1/append-batch/",
      "/fuzz-bucket/s1/append-batch/x",
      "/fuzz-bucket/s1/bootstrap",
      "/fuzz-bucket/s1/snapshot/5",
    ),
  ),
);

const number = fc.oneof(
  fc.nat({ max: 300 }).map(String),
  fc.constantFrom("-1", "now", "", "00000000000000000007", "0000000000000000_0000000000000003"),
  fc.constantFrom("9007199254740991", "9007199254740993", "9".repeat(20), "9".repeat(21), "1e9"),
  fc.constantFrom("-0", "+1", "0x10", "1.5", "NaN", "%00", "١", "1_0"),
  visible,
);

const parameter = fc.oneof(
  fc.tuple(
    fc.constantFrom("offset", "offset", "offset", "max_bytes", "max-bytes", "limit", "cursor"),
    number,
  ),
  fc.tuple(
    fc.constant("live"),
    fc.constantFrom("long-poll", "long-poll", "sse", "sse", "", "x", "SSE"),
  ),
  // Never a wait that is valid and long: it would look like a hang.
  fc.tuple(fc.constant("timeout_ms"), fc.constantFrom("0", "50", "-1", "x", "99999999", "")),
  fc.tuple(fc.constantFrom("prefix", "after", "incarnation", "x"), visible),
).map(([name, value]) => `${name}=${value.replaceAll(/[\s#]/g, "+")}`);

const query = fc.array(parameter, { maxLength: 4 })
  .map((all) => all.length === 0 ? "" : `?${all.join("&")}`);

const TYPES = [
  "text/plain",
  "application/json",
  "application/octet-stream",
  "text/html; charset=utf-8",
];

const header = fc.oneof(
  {
    arbitrary: fc.tuple(
      fc.constant("content-type"),
      mostly(fc.constantFrom(...TYPES), fc.oneof(visible, hostile)),
    ),
    weight: 6,
  },
  fc.tuple(fc.constant("stream-closed"), fc.constantFrom("true", "TRUE", "false", "", "1")),
  fc.tuple(fc.constant("stream-seq"), fc.oneof(visible, fc.constant("z".repeat(300)))),
  fc.tuple(
    fc.constant("stream-ttl"),
    fc.constantFrom("0", "1", "60", "-1", "01", "1e3", "9".repeat(30)),
  ),
  fc.tuple(
    fc.constant("stream-expires-at"),
    fc.constantFrom(
      "2020-01-01T00:00:00Z",
      "2099-01-01T00:00:00Z",
      "never",
      "2099-13-45T99:99:99Z",
    ),
  ),
  fc.tuple(fc.constant("producer-id"), fc.constantFrom("p", "q", "", "é", "p".repeat(300))),
  fc.tuple(fc.constantFrom("producer-epoch", "producer-seq"), number),
  fc.tuple(
    fc.constantFrom("if-match", "if-none-match"),
    fc.oneof(number, number.map((n) => `"${n}"`)),
  ),
  fc.tuple(fc.constant("stream-incarnation"), visible),
  fc.tuple(fc.constant("stream-forked-from"), fc.oneof(fc.constantFrom(...STREAMS), visible)),
  fc.tuple(fc.constantFrom("stream-fork-offset", "stream-fork-sub-offset"), number),
  fc.tuple(
    fc.constant("accept-encoding"),
    fc.constantFrom("gzip", "br, gzip", "*", "identity;q=0"),
  ),
  fc.tuple(fc.constant("range"), fc.constantFrom("bytes=0-1", "bytes=5-", "bytes=x", "bytes=-0")),
  fc.tuple(fc.constant("origin"), fc.constantFrom("https://a.example", "null", "x")),
  fc.tuple(fc.constant("expect"), fc.constantFrom("100-continue", "the unexpected")),
  fc.tuple(fc.constant("connection"), fc.constantFrom("close", "keep-alive", "upgrade")),
  fc.tuple(fc.constantFrom("x-odd", "cookie", "prefer", "last-event-id"), hostile),
);

/** The three producer headers together, so that they are often whole. */
const producer = fc.tuple(fc.constantFrom("p", "q"), fc.nat({ max: 3 }), fc.nat({ max: 5 }))
  .map(([id, epoch, seq]): [string, string][] => [
    ["producer-id", id],
    ["producer-epoch", String(epoch)],
    ["producer-seq", String(seq)],
  ]);

const headers = fc.tuple(
  fc.array(header, { maxLength: 6 }),
  fc.option(producer, { nil: [], freq: 4 }),
).map(([some, more]) => [...some, ...more]);

const jsonText = fc.json({ maxDepth: 6 });

const batch = fc.array(fc.oneof(jsonText, visible), { maxLength: 8 })
  .map((items) => batchOf(items.filter((item) => item !== "")));

const body: fc.Arbitrary<Uint8Array> = fc.oneof(
  { arbitrary: batch, weight: 3 },
  // A batch with a byte spoilt, or an end missing.
  fc.tuple(batch, fc.nat(), fc.nat({ max: 255 })).map(([bytes, at, byte]) => {
    bytes[at % Math.max(1, bytes.length)] = byte;
    return bytes;
  }),
  fc.tuple(batch, fc.nat()).map(([bytes, cut]) => bytes.slice(0, cut % (bytes.length + 1))),
  fc.constant(new Uint8Array(0)),
  visible.map((text) => utf8.encode(text)),
  jsonText.map((text) => utf8.encode(text)),
  fc.array(jsonText, { maxLength: 5 }).map((all) => utf8.encode(`[${all.join(",")}]`)),
  // JSON with a byte spoilt or an end missing.
  fc.tuple(jsonText, fc.nat(), fc.nat({ max: 255 })).map(([text, at, byte]) => {
    const bytes = utf8.encode(text);
    bytes[at % Math.max(1, bytes.length)] = byte;
    return bytes;
  }),
  fc.tuple(jsonText, fc.nat()).map(([text, cut]) =>
    utf8.encode(text.slice(0, cut % Math.max(1, text.length)))
  ),
  fc.nat({ max: 3_000 }).map((depth) => utf8.encode("[".repeat(depth) + "]".repeat(depth))),
  fc.uint8Array({ maxLength: 300 }),
  fc.nat({ max: 100_000 }).map((length) => new Uint8Array(length).fill(120)),
);

/** How the body is framed. */
const framing = fc.oneof(
  { arbitrary: fc.constant("length" as const), weight: 6 },
  { arbitrary: fc.constant("chunked" as const), weight: 4 },
  {
    arbitrary: fc.constantFrom(
      "chunked-truncated",
      "length-truncated",
      "length-short",
      "length-huge",
      "length-odd",
      "chunk-size-odd",
      "chunk-end-odd",
      "both",
      "chunk-extension",
      "trailers",
    ),
    weight: 3,
  },
);

type Framing = typeof framing extends fc.Arbitrary<infer T> ? T : never;

/** A request of any kind. */
export const anyRequest: fc.Arbitrary<FuzzRequest> = fc.record({
  method,
  path,
  query,
  headers,
  body,
  framing,
  split: fc.nat({ max: 40 }),
  odd: fc.constantFrom(
    "-1",
    "x",
    "ffffffffffffffff",
    "1;1",
    "0x5",
    "",
    "+5",
    "5 5",
    "99999999999999999999",
  ),
}).map((parts) => {
  const withBody = parts.body.length > 0 || parts.method === "POST";
  const way: Framing = withBody ? parts.framing : "length";
  const { lines, pieces } = frame(parts.body, way, parts.split, parts.odd);
  const fields = [["host", "fuzz.example"], ...parts.headers, ...lines];
  const target = parts.path + (parts.path.includes("?") ? "" : parts.query);
  const head = `${parts.method} ${target} HTTP/1.1\r\n` +
    fields.map(([name, value]) => `${name}: ${value}\r\n`).join("") + "\r\n";
  const label = JSON.stringify(head) + ` ${way}, ${parts.body.length} bytes`;
  return {
    label,
    [fc.toStringMethod]: () => label,
    pieces: [latin1(head), ...pieces],
    truncated: way.endsWith("truncated") || way === "length-huge" || way === "chunk-size-odd" ||
      way === "chunk-end-odd" || way === "length-odd",
    head: parts.method === "HEAD",
  };
});

function frame(
  content: Uint8Array,
  way: Framing,
  split: number,
  odd: string,
): { lines: [string, string][]; pieces: Uint8Array[] } {
  const cut = content.length === 0 ? 0 : split % content.length;
  const [first, rest] = [content.subarray(0, cut), content.subarray(cut)];
  const length = (value: string): [string, string][] => [["content-length", value]];
  const chunks: [string, string][] = [["transfer-encoding", "chunked"]];
  const end = utf8.encode("0\r\n\r\n");
  switch (way) {
    case "length":
      return { lines: length(String(content.length)), pieces: [first, rest] };
    case "length-truncated":
      return { lines: length(String(content.length + 10)), pieces: [content] };
    case "length-short":
      return { lines: length(String(first.length)), pieces: [content] };
    case "length-huge":
      return { lines: length("34359738368"), pieces: [content] };
    case "length-odd":
      return { lines: length(odd), pieces: [content] };
    case "chunked":
      return { lines: chunks, pieces: [chunk(first), chunk(rest), end] };
    case "chunked-truncated":
      return { lines: chunks, pieces: [chunk(first), chunk(rest).subarray(0, -3)] };
    case "chunk-size-odd":
      return { lines: chunks, pieces: [chunk(first), utf8.encode(`${odd}\r\n`), rest, end] };
    case "chunk-end-odd":
      return { lines: chunks, pieces: [utf8.encode("3\r\nabcdef\r\n"), end] };
    case "both":
      return { lines: [...length("3"), ...chunks], pieces: [chunk(content), end] };
    case "chunk-extension":
      return {
        lines: chunks,
        pieces: [utf8.encode(`3;${"e".repeat(split * 100)}=1\r\nabc\r\n`), end],
      };
    case "trailers":
      return {
        lines: chunks,
        pieces: [chunk(content), utf8.encode("0\r\nstream-closed: true\r\nx: y\r\n\r\n")],
      };
  }
}

function chunk(content: Uint8Array): Uint8Array {
  if (content.length === 0) return content; // a chunk of length zero would be the last one
  const size = utf8.encode(`${content.length.toString(16)}\r\n`);
  const bytes = new Uint8Array(size.length + content.length + 2);
  bytes.set(size);
  bytes.set(content, size.length);
  bytes.set([13, 10], size.length + content.length);
  return bytes;
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (unit) => unit.charCodeAt(0) & 0xff);
}
