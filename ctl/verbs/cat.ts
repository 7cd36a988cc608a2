import type { Context } from "../context.ts";
import { UsageError } from "../failure.ts";
import { parseFrom, readStream, type Take } from "../stream_reader.ts";
import { isJsonType } from "../stream_reader.ts";
import { parseStreamName } from "../streams.ts";

/** Writes a stream to standard output, from an offset to its tail. */
export async function cat(
  context: Context,
  name: string,
  { from }: { readonly from: string },
): Promise<void> {
  const stream = parseStreamName(name);
  const position = parseFrom(from);
  if (position === "now") throw new UsageError("--from: there is nothing behind now; see tail");
  const streams = await context.streams();
  await readStream(streams, stream, { from: position, live: false }, writer(context));
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Writes what is read to standard output, with `--json` as an object for each piece of it. */
export function writer({ machine, screen }: Context): Take {
  if (!screen.json) return (bytes) => machine.stdout.write(bytes);
  const encoder = new TextEncoder();
  return (bytes, from, contentType) => {
    const range = `"offset":${from},"next_offset":${from + bytes.length}`;
    const data = isJsonType(contentType)
      // The very bytes: a number is not to change by being read.
      ? `"value":${decoder.decode(bytes).trimEnd()}`
      : textOrBytes(bytes);
    return machine.stdout.write(encoder.encode(`{${range},${data}}\n`));
  };
}

function textOrBytes(bytes: Uint8Array): string {
  try {
    return `"text":${JSON.stringify(decoder.decode(bytes))}`;
  } catch {
    return `"base64":"${bytes.toBase64()}"`;
  }
}
