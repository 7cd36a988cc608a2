import {
  BATCH_LENGTH_BYTES,
  CONTENT_TYPE,
  flatPath,
  STREAM_NEXT_OFFSET,
} from "../../protocol/mod.ts";
import { CallError, reasonOf } from "../client.ts";
import type { Context } from "../context.ts";
import { Failure, messageOf, UsageError } from "../failure.ts";
import { batchesOfLines, joined, wholeOf } from "../lines.ts";
import { counted } from "../output.ts";
import { Producer } from "../producer.ts";
import { isJsonType } from "../stream_reader.ts";
import { parseStreamName, type StreamName, type Streams } from "../streams.ts";

/** Options of {@linkcode append}. */
export interface AppendOptions {
  /** A message for each line. */
  readonly lines?: boolean;
  /** Send lines as append batches, none of which is repeated. */
  readonly batch?: boolean;
  /** Create the stream where there is none. */
  readonly create?: boolean;
  readonly contentType?: string;
  readonly dryRun?: boolean;
}

/** What a stream is when it is created without a type. */
const DEFAULT_TYPE = "application/octet-stream";
/** Larger than what any server takes as one message. */
const BODY_BYTES_MAX = 128 << 20;

const encoder = new TextEncoder();
const COMMA = encoder.encode(",");
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Appends standard input to a stream: as one message, or a message for each line. */
export async function append(
  context: Context,
  name: string,
  options: AppendOptions,
): Promise<void> {
  const { machine, screen } = context;
  const stream = parseStreamName(name);
  if (options.batch === true && options.lines !== true) {
    throw new UsageError("--batch goes with --lines");
  }
  context.refuseManifestFromStdin();
  const streams = await context.streams();
  const contentType = await typeOf(streams, stream, options);
  if (options.dryRun === true) {
    await screen.result({ stream: name, content_type: contentType, dry_run: true });
    return await screen.line(`${name} takes ${contentType}; nothing was appended`);
  }
  let messages = 0;
  let nextOffset = "";
  if (options.lines === true) {
    const write = lineWriter(streams, stream, contentType, options);
    for await (const lines of batchesOfLines(machine.stdin)) {
      try {
        const written = await write(lines, messages + 1);
        nextOffset = written.nextOffset ?? nextOffset;
        messages += lines.length;
      } catch (error) {
        throw new Failure(`after ${counted(messages, "line")}: ${messageOf(error)}`);
      }
      screen.progress(`${counted(messages, "line")} appended`);
    }
  } else {
    const body = await wholeOf(machine.stdin, BODY_BYTES_MAX);
    if (body.length === 0) throw new Failure("standard input is empty: there is nothing to append");
    nextOffset = await new Producer(streams, stream, contentType).append(body);
    messages = 1;
  }
  await screen.result({ stream: name, messages, next_offset: nextOffset });
  if (nextOffset !== "") await screen.line(nextOffset);
}

/** The stream's type; creates it where that is asked for. */
async function typeOf(
  streams: Streams,
  stream: StreamName,
  { create, contentType, dryRun }: AppendOptions,
): Promise<string> {
  try {
    const headers = await streams.tell(stream.path, { method: "HEAD" });
    return contentType ?? headers.get(CONTENT_TYPE) ?? DEFAULT_TYPE;
  } catch (error) {
    const isMissing = error instanceof CallError && error.status === 404;
    if (!isMissing || create !== true) throw error;
  }
  const type = contentType ?? DEFAULT_TYPE;
  if (dryRun !== true) {
    await streams.tell(stream.path, { method: "PUT", headers: { [CONTENT_TYPE]: type } });
  }
  return type;
}

interface Written {
  /** The tail behind the lines; undefined where they were all blank. */
  readonly nextOffset: string | undefined;
}

/** Writes some lines, of which the first has this number. */
type LineWriter = (lines: Uint8Array[], first: number) => Promise<Written>;

function lineWriter(
  streams: Streams,
  stream: StreamName,
  contentType: string,
  { batch }: AppendOptions,
): LineWriter {
  if (batch === true) return batchWriter(streams, stream, contentType);
  const producer = new Producer(streams, stream, contentType);
  // One append takes many JSON messages, as an array.
  if (isJsonType(contentType)) {
    return async (lines, first) => {
      const values = jsonValues(lines, first);
      if (values.length === 0) return { nextOffset: undefined };
      const parts = values.flatMap((value, at) => at === 0 ? [value] : [COMMA, value]);
      const body = joined([encoder.encode("["), ...parts], encoder.encode("]"));
      return { nextOffset: await producer.append(body) };
    };
  }
  return async (lines) => {
    let nextOffset: string | undefined;
    for (const line of lines) nextOffset = await producer.append(joined([], line));
    return { nextOffset };
  };
}

/** The lines that are not blank. @throws {Failure} naming the first that is no JSON value */
function jsonValues(lines: readonly Uint8Array[], first: number): Uint8Array[] {
  return lines.filter((line, at) => {
    try {
      const text = decoder.decode(line);
      if (text.trim() === "") return false;
      JSON.parse(text);
      return true;
    } catch {
      throw new Failure(`line ${first + at} is no JSON value`);
    }
  });
}

/** What becomes of a batch without an answer nobody can find out: it is not repeated. */
function batchWriter(streams: Streams, { bucket, stream }: StreamName, type: string): LineWriter {
  const path = flatPath(`${bucket}/${stream}`).replace("/v1/stream/", "/v1/append-batch/");
  return async (lines, first) => {
    const items = isJsonType(type) ? jsonValues(lines, first).map(asItem) : lines;
    if (items.length === 0) return { nextOffset: undefined };
    const body = joined(items.flatMap((item) => [lengthOf(item), item]), new Uint8Array());
    let answers: readonly { status: number; error?: string }[];
    let nextOffset: string | undefined;
    try {
      const headers = { [CONTENT_TYPE]: type };
      const response = await streams.send(path, { method: "POST", headers, body, once: true });
      nextOffset = response.headers.get(STREAM_NEXT_OFFSET) ?? undefined;
      answers = await response.json();
    } catch (error) {
      const isRefused = error instanceof CallError && error.status !== 0 &&
        error.code !== "outcome_unknown" && error.code !== "internal";
      if (isRefused) throw error;
      const last = first + lines.length - 1;
      throw new Failure(`lines ${first} to ${last} may be there or not: ${reasonOf(error)}`);
    }
    const failed = answers.find(({ status }) => status !== 204);
    if (failed !== undefined) throw new Failure(failed.error ?? `answered ${failed.status}`);
    return { nextOffset };
  };
}

/** An item is flattened by one level: an array as a value needs one around it. */
function asItem(value: Uint8Array): Uint8Array {
  return joined([encoder.encode("["), value], encoder.encode("]"));
}

function lengthOf(item: Uint8Array): Uint8Array {
  const length = new Uint8Array(BATCH_LENGTH_BYTES);
  new DataView(length.buffer).setUint32(0, item.length);
  return length;
}
