import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeCbor, encodeCbor } from "./cbor_library.ts";
import {
  bodyOf,
  decode,
  type DecodedCommand,
  encodeHeader,
  headerLength,
  KEYS_PER_COMMAND_MAX,
  writeHeader,
} from "./codec.ts";
import { copySlices, newSlab, sliceOf } from "./slab.ts";
import { anyCommand } from "./testing/arbitrary_test.ts";
import type { Command } from "./types.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const hex = (bytes: Uint8Array) => [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");

/** Header and body one after another, as they lie in a log entry. */
function payloadOf(command: Command, stampMs: number): Uint8Array {
  const header = encodeHeader(command, stampMs);
  const body = bodyOf(command);
  const data = body === undefined ? new Uint8Array(0) : copySlices([body.data]);
  const payload = new Uint8Array(header.length + data.length);
  payload.set(header);
  payload.set(data, header.length);
  return payload;
}

function decodeAll(payload: Uint8Array): DecodedCommand {
  const slab = newSlab(payload.length + 12);
  slab.bytes.fill(0xff);
  slab.bytes.set(payload, 7);
  return decode(slab, 7, 7 + payload.length);
}

/** Body as bytes and lengths, absent fields left out: what must survive. */
function plain(command: Command): unknown {
  const body = bodyOf(command);
  const { body: _, ...rest } = command as Command & { body?: unknown };
  const lengths = body?.lengths === undefined || body.lengths.length < 2
    ? undefined
    : [...body.lengths];
  const data = body === undefined ? undefined : hex(copySlices([body.data]));
  return JSON.parse(JSON.stringify({ ...rest, data, lengths }));
}

Deno.test("decode() gives back what encodeHeader() took, for any command", () => {
  fc.assert(
    fc.property(anyCommand(), fc.nat(2 ** 45), (command, stampMs) => {
      const decoded = decodeAll(payloadOf(command, stampMs));
      assert.equal(decoded.stampMs, stampMs);
      assert.deepEqual(plain(decoded.command), plain(command));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("writeHeader() writes in place what encodeHeader() answers, as long as headerLength() says", () => {
  const bytes = new Uint8Array(64 * 1024);
  fc.assert(
    fc.property(anyCommand(), fc.nat(2 ** 45), (command, stampMs) => {
      const header = encodeHeader(command, stampMs).slice();
      bytes.fill(0xee, 0, header.length + 20);
      assert.equal(headerLength(command, stampMs), header.length);
      writeHeader(command, stampMs, bytes, 7);
      assert.equal(hex(bytes.subarray(7, 7 + header.length)), hex(header));
      const around = [bytes[6], bytes[7 + header.length]];
      assert.deepEqual(around, [0xee, 0xee], "nothing beside it");
    }),
    { numRuns: 2000 },
  );
});

Deno.test("encodeHeader() writes for an append what the CBOR library would", () => {
  fc.assert(
    fc.property(anyCommand(), fc.nat(2 ** 45), (command, stampMs) => {
      const header = encodeHeader(command, stampMs);
      const cbor = header.slice(2, 2 + (header[0] ?? 0) * 256 + (header[1] ?? 0));
      const value: unknown = decodeCbor(cbor);
      assert.ok(Array.isArray(value));
      assert.equal(hex(encodeCbor(value)), hex(cbor));
    }),
    { numRuns: 1000 },
  );
});

const vectors: [string, Command, string][] = [
  ["plain append", {
    type: "append",
    key: "demo/hello",
    contentType: "text/plain",
    body: { data: sliceOf(bytesOf("hi")) },
    closed: false,
  }, "0023860102fb4279aa4b6457b0006a64656d6f2f68656c6c6f6a746578742f706c61696e006869"],
  [
    "full append",
    {
      type: "append",
      key: "demo/h\u00e9",
      contentType: "application/json",
      body: { data: sliceOf(bytesOf("1,22,")), lengths: [2, 3] },
      closed: true,
      producer: { id: "p", epoch: 1, seq: 70000 },
      streamSeq: "s",
      ifMatch: 5_000_000_000,
      incarnation: "f.0.1",
    },
    "00418d0102fb4279aa4b6457b0006864656d6f2f68c3a9706170706c69636174696f6e2f6a736f6e01026170011a000111706173fb41f2a05f2000000065662e302e310203312c32322c",
  ],
  [
    "close",
    { type: "append", key: "demo/a", closed: true },
    "0015860102fb4279aa4b6457b0006664656d6f2f61f601",
  ],
  [
    "create",
    { type: "create", key: "demo/a", closed: false },
    "0016870101fb4279aa4b6457b0006664656d6f2f61f60000",
  ],
  [
    "fork",
    {
      type: "create",
      key: "demo/b",
      contentType: "text/plain",
      ttlSeconds: 60,
      closed: false,
      fork: { source: "demo/a", offset: 3, subOffset: 1 },
      reservation: { home: 7, token: 99, deadlineMs: 1000 },
      body: { data: sliceOf(bytesOf("x")) },
    },
    "00348b0101fb4279aa4b6457b0006664656d6f2f626a746578742f706c61696e0000183cf6836664656d6f2f610301830718631903e878",
  ],
  [
    "delete",
    { type: "delete", key: "demo/a", incarnation: "f.0.1" },
    "0019850103fb4279aa4b6457b0006664656d6f2f6165662e302e31",
  ],
  [
    "touch",
    { type: "touch", keys: ["demo/a", "demo/b"] },
    "001b840104fb4279aa4b6457b000826664656d6f2f616664656d6f2f62",
  ],
  ["expire", { type: "expire", keys: ["demo/a"] }, "0014840105fb4279aa4b6457b000816664656d6f2f61"],
  [
    "intend",
    { type: "intend_bucket", bucket: "demo", action: "create" },
    "0018850106fb4279aa4b6457b0006464656d6f66637265617465",
  ],
  [
    "set",
    { type: "set_bucket", bucket: "demo", phase: "open", version: 2 },
    "0017860107fb4279aa4b6457b0006464656d6f646f70656e02",
  ],
  [
    "settle",
    { type: "settle_bucket", bucket: "demo", phase: "closed", version: 2 },
    "0019860108fb4279aa4b6457b0006464656d6f66636c6f73656402",
  ],
  [
    "reserve",
    { type: "reserve", key: "demo/b", target: 3, deadlineMs: 1000 },
    "0017860109fb4279aa4b6457b0006664656d6f2f62031903e8",
  ],
  [
    "link",
    { type: "link", key: "demo/b", token: 9 },
    "001485010afb4279aa4b6457b0006664656d6f2f6209",
  ],
  [
    "unlink",
    { type: "unlink", key: "demo/b", token: 9 },
    "001485010bfb4279aa4b6457b0006664656d6f2f6209",
  ],
  [
    "forget",
    { type: "forget_unlink", key: "demo/b", token: 9 },
    "001485010cfb4279aa4b6457b0006664656d6f2f6209",
  ],
  ["proven fork", {
    type: "create",
    key: "demo/b",
    closed: false,
    fork: {
      source: "demo/a",
      subOffset: 1,
      proof: { incarnation: "f.0.1", anchor: 3, end: 5 },
    },
  }, "002b8a0101fb4279aa4b6457b0006664656d6f2f62f60000f6f6846664656d6f2f61f6018365662e302e310305"],
  ["flush", {
    type: "flush",
    object: { number: 7, term: 3, length: 300 },
    ranges: [{ key: "demo/a", incarnation: "f.0.1", from: 0, to: 256, at: 0 }],
  }, "001186010dfb4279aa4b6457b000070319012c81856664656d6f2f6165662e302e310019010000"],
  ["repack", {
    type: "repack",
    object: { number: 8, term: 3, length: 300 },
    sources: [6, 7],
    ranges: [{ key: "demo/a", incarnation: "f.0.1", from: 0, to: 256, at: 9, rowBytes: 4 }],
  }, "001186010efb4279aa4b6457b000080319012c82820607866664656d6f2f6165662e302e31001901000904"],
  ["condemn", { type: "condemn", below: 5, numbers: [9] }, "000d84010ffb4279aa4b6457b000058109"],
  ["stage", {
    type: "stage",
    object: { number: 7, term: 3, length: 300 },
    at: 5,
    body: { data: sliceOf(bytesOf("x")) },
  }, "0012870111fb4279aa4b6457b000070319012c0578"],
  [
    "publish",
    {
      type: "publish",
      key: "demo/a",
      offset: 5,
      contentType: "text/plain",
      object: { number: 7, term: 3, length: 300 },
      digest: "d",
      provenIn: "f.0.1",
    },
    "002d8c0112fb4279aa4b6457b0006664656d6f2f61056a746578742f706c61696e070319012c6164f665662e302e31",
  ],
  ["forget objects", { type: "forget", numbers: [4, 9] }, "000c830110fb4279aa4b6457b000820409"],
];

Deno.test("encodeHeader() writes the pinned bytes", () => {
  for (const [name, command, pinned] of vectors) {
    assert.equal(hex(payloadOf(command, 1_763_700_000_123)), pinned, name);
  }
});

Deno.test("encodeHeader() takes a flush of thousands of ranges", () => {
  const range = { incarnation: "f.0.1", from: 5_000_000_000, to: 5_000_000_001 };
  const ranges = Array.from({ length: 8192 }, (_, at) => ({ key: `demo/${at}`, ...range, at }));
  const command: Command = { type: "flush", object: { number: 1, term: 1, length: 9 }, ranges };
  assert.deepEqual(decodeAll(payloadOf(command, 5)).command, command);
});

Deno.test("decode() names version and kind when it knows neither", () => {
  const payload = payloadOf({ type: "link", key: "demo/b", token: 9 }, 5);
  const other = (at: number, byte: number) => {
    const copy = payload.slice();
    copy[at] = byte;
    return () => decodeAll(copy);
  };
  assert.throws(other(3, 2), /command of version 2; this program reads 1/);
  assert.throws(other(4, 23), /command of unknown kind 23/);
  assert.throws(other(2, 0x01), /command of version/);
  assert.throws(other(0, 0xff), /malformed command: header/);
  assert.throws(() => decodeAll(payload.subarray(0, 1)), /malformed command/);
});

Deno.test("decode() refuses an append whose parts do not fit together", () => {
  const body = { data: sliceOf(bytesOf("1,22,")), lengths: [2, 3] };
  const payload = payloadOf({ type: "append", key: "demo/a", body, closed: false }, 5);
  assert.throws(() => decodeAll(payload.subarray(0, payload.length - 1)), /message lengths/);
  for (let length = 0; length < payload.length; length++) {
    assert.throws(() => decodeAll(payload.subarray(0, length)));
  }
});

Deno.test("encodeHeader() fits the most and longest keys a command may name", () => {
  const keys = Array.from({ length: KEYS_PER_COMMAND_MAX }, () => "é".repeat(512));
  assert.deepEqual(decodeAll(payloadOf({ type: "touch", keys }, 5)).command, {
    type: "touch",
    keys,
  });
  assert.throws(() => encodeHeader({ type: "touch", keys: [...keys, ...keys] }, 5), RangeError);
});
