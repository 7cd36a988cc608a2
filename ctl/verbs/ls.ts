import type { Context } from "../context.ts";
import { listBuckets, type ListedStream, listStreams } from "../listings.ts";

/** Width of the greatest offset that is likely. */
const OFFSET_WIDTH = 13;

/** The buckets, or the streams of one: of `/demo` all, of `/demo/se` those that begin so. */
export async function ls(
  context: Context,
  place: string | undefined,
  { long }: { readonly long?: boolean },
): Promise<void> {
  const { screen } = context;
  const streams = await context.streams();
  const key = (place ?? "").replace(/^\//, "");
  const slash = key.indexOf("/");
  if (key === "") {
    for await (const bucket_id of listBuckets(streams, "")) {
      await screen.result({ bucket_id });
      await screen.line(screen.paint("bold", `/${bucket_id}`));
    }
    return;
  }
  const bucket = slash < 0 ? key : key.slice(0, slash);
  const prefix = slash < 0 ? "" : key.slice(slash + 1);
  for await (const stream of listStreams(streams, bucket, prefix)) {
    await screen.result({ bucket_id: bucket, ...stream });
    const name = `/${bucket}/${stream.stream_id}`;
    await screen.line(long === true ? `${facts(stream)}  ${name}` : name);
  }
}

function facts({ status, tail_offset, last_write_at_ms, content_type }: ListedStream): string {
  const written = new Date(last_write_at_ms).toISOString().replace(/\.\d+Z$/, "Z");
  const offset = String(tail_offset).padStart(OFFSET_WIDTH);
  return `${status.toLowerCase().padEnd(6)}  ${offset}  ${written}  ${content_type.padEnd(24)}`;
}
