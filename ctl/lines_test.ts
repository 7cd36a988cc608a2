import assert from "node:assert/strict";
import fc from "fast-check";
import { BATCH_BYTES_MAX, BATCH_LINES_MAX, batchesOfLines, wholeOf } from "./lines.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function source(...pieces: string[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(pieces.map((piece) => encoder.encode(piece)));
}

async function batches(stream: ReadableStream<Uint8Array>): Promise<string[][]> {
  const found: string[][] = [];
  for await (const lines of batchesOfLines(stream)) {
    found.push(lines.map((line) => decoder.decode(line)));
  }
  return found;
}

Deno.test("batchesOfLines() keeps line ends, and a last line without one", async () => {
  assert.deepEqual(await batches(source("a\n\nb", "c\r\n", "d")), [["a\n", "\n", "bc\r\n", "d"]]);
  assert.deepEqual(await batches(source()), []);
});

Deno.test("batchesOfLines() hands on what there is when nothing more comes", async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const found = batchesOfLines(readable);
  void writer.write(encoder.encode("a\nb"));
  assert.deepEqual((await found.next()).value?.map((line: Uint8Array) => decoder.decode(line)), [
    "a\n",
  ]);
  void writer.write(encoder.encode("\n"));
  assert.deepEqual((await found.next()).value?.map((line: Uint8Array) => decoder.decode(line)), [
    "b\n",
  ]);
  await writer.close();
  assert.equal((await found.next()).done, true);
});

Deno.test("batchesOfLines() bounds a batch by lines and by bytes", async () => {
  const many = await batches(source("a\n".repeat(BATCH_LINES_MAX + 1)));
  assert.deepEqual(many.map(({ length }) => length), [BATCH_LINES_MAX, 1]);
  const line = "x".repeat(BATCH_BYTES_MAX / 2) + "\n";
  assert.deepEqual((await batches(source(line + line))).map(({ length }) => length), [1, 1]);
});

Deno.test("batchesOfLines() loses nothing, wherever the pieces are cut", async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.stringMatching(/^[a\n]{0,5}$/)), async (pieces) => {
    const lines = (await batches(source(...pieces))).flat();
    assert.equal(lines.join(""), pieces.join(""));
    assert.ok(lines.every((line) => line.length > 0 && !line.slice(0, -1).includes("\n")));
  }));
});

Deno.test("wholeOf() takes all of it, up to its bound", async () => {
  assert.equal(decoder.decode(await wholeOf(source("ab", "c"), 3)), "abc");
  await assert.rejects(wholeOf(source("ab", "cd"), 3), /more than 3 bytes/);
});
