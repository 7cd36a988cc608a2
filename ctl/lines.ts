import { Failure } from "./failure.ts";
import { pause } from "./machine.ts";

const LF = 0x0a;
/** Lines that are handed on together, at most. */
export const BATCH_LINES_MAX = 512;
/** With so many bytes no further line joins them. */
export const BATCH_BYTES_MAX = 1 << 20;
/** A line that comes alone is handed on after so long. */
const IDLE_MS = 10;
/** No server takes a longer one: beyond that this can hardly be lines at all. */
export const LINE_BYTES_MAX = 128 << 20;

/**
 * Splits what comes into lines, each with its line end where it has one, and hands on as many as
 * there are: many where the writer is fast, one at a time where a person types.
 */
export async function* batchesOfLines(
  source: ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array[]> {
  const reader = source.getReader();
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  let batch: Uint8Array[] = [];
  let batchBytes = 0;
  let reading: ReturnType<typeof reader.read> | undefined;
  const take = () => {
    const taken = batch;
    batch = [];
    batchBytes = 0;
    return taken;
  };
  try {
    for (;;) {
      reading ??= reader.read();
      if (batch.length > 0 && !await settlesWithin(reading, IDLE_MS)) yield take();
      const { done, value } = await reading;
      reading = undefined;
      if (done) break;
      let start = 0;
      for (let end = value.indexOf(LF); end >= 0; end = value.indexOf(LF, start)) {
        const line = joined(rest, value.subarray(start, end + 1));
        rest = [];
        restBytes = 0;
        start = end + 1;
        if (batchBytes + line.length > BATCH_BYTES_MAX && batch.length > 0) yield take();
        batch.push(line);
        batchBytes += line.length;
        if (batch.length === BATCH_LINES_MAX) yield take();
      }
      if (start < value.length) rest.push(value.slice(start));
      restBytes += value.length - start;
      if (restBytes > LINE_BYTES_MAX) {
        throw new Failure(`a line is longer than ${LINE_BYTES_MAX} bytes`);
      }
    }
    if (rest.length > 0) batch.push(joined(rest, new Uint8Array()));
    if (batch.length > 0) yield take();
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** All of it, up to a bound. @throws {Failure} beyond it */
export async function wholeOf(
  source: ReadableStream<Uint8Array>,
  bytesMax: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of source) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > bytesMax) {
      throw new Failure(
        `standard input has more than ${bytesMax} bytes: for many messages, --lines`,
      );
    }
  }
  return joined(pieces, new Uint8Array());
}

/** The pieces and the last one, in memory of their own. */
export function joined(
  pieces: readonly Uint8Array[],
  last: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, last.length));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  all.set(last, at);
  return all;
}

async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const late = pause(ms, timer.signal).then(() => false);
  const settled = promise.then(() => true, () => true);
  const first = await Promise.race([settled, late]);
  timer.abort();
  return first;
}
