import type { Context } from "../context.ts";
import { parseFrom, readStream } from "../stream_reader.ts";
import { parseStreamName } from "../streams.ts";
import { writer } from "./cat.ts";

/** Writes a stream to standard output as it grows, until it is closed or Ctrl-C is pressed. */
export async function tail(
  context: Context,
  name: string,
  { from }: { readonly from: string },
): Promise<void> {
  const { machine, screen } = context;
  const stream = parseStreamName(name);
  const position = parseFrom(from);
  const stop = new AbortController();
  const unlisten = machine.onInterrupt(() => stop.abort());
  const { signal } = stop;
  const write = writer(context);
  try {
    await readStream(await context.streams(), stream, {
      from: position,
      live: true,
      signal,
      onTrouble: (why) => screen.progress(`waiting for a node: ${why}`),
    }, async (bytes, from, contentType) => {
      await screen.settle();
      await write(bytes, from, contentType);
    });
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    unlisten();
  }
}
