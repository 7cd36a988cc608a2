import { Failure } from "./failure.ts";
import type { Streams } from "./streams.ts";

/** A stream as a bucket lists it. */
export interface ListedStream {
  readonly stream_id: string;
  readonly status: string;
  readonly content_type: string;
  readonly tail_offset: number;
  readonly created_at_ms: number;
  readonly last_write_at_ms: number;
}

interface Page {
  readonly next_cursor: string | null;
  readonly has_more: boolean;
}

/** Ids of all buckets that begin so, page by page as they are taken. */
export async function* listBuckets(streams: Streams, prefix: string): AsyncGenerator<string> {
  type Buckets = Page & { readonly buckets: readonly { readonly bucket_id: string }[] };
  for await (const { buckets } of pages<Buckets>(streams, "/", prefix)) {
    for (const { bucket_id } of buckets) yield bucket_id;
  }
}

/** All streams of a bucket that begin so, likewise. */
export async function* listStreams(
  streams: Streams,
  bucket: string,
  prefix: string,
): AsyncGenerator<ListedStream> {
  type Listed = Page & { readonly streams: readonly ListedStream[] };
  const path = `/${encodeURIComponent(bucket)}/streams`;
  for await (const page of pages<Listed>(streams, path, prefix)) yield* page.streams;
}

async function* pages<P extends Page>(
  streams: Streams,
  path: string,
  prefix: string,
): AsyncGenerator<P> {
  let after: string | null = "";
  do {
    const query: string = new URLSearchParams({ prefix, after }).toString();
    const page = await (await streams.send(`${path}?${query}`)).json() as P;
    yield page;
    // A page that leads to itself would never end.
    if (page.has_more && page.next_cursor === after) {
      throw new Failure("the listing goes in circles");
    }
    after = page.has_more ? page.next_cursor : null;
  } while (after !== null);
}
