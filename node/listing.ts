import type { GroupAccess, Page } from "../shard/mod.ts";
import { groupOf } from "../shard/mod.ts";
import { compareUtf8, type ListedStream } from "../stream/mod.ts";

/** One page of a listing. */
export interface Listing<T> {
  readonly items: readonly T[];
  readonly hasMore: boolean;
}

/** What is said of a bucket. */
export interface BucketDescription {
  readonly bucket: string;
  /** Streams that a listing would show. */
  readonly streams: number;
}

/** Questions whose answer lies in many groups, merged. */
export class Listings {
  readonly #access: GroupAccess;

  constructor(access: GroupAccess) {
    this.#access = access;
  }

  /** Whether the bucket exists, as its home group orders it. */
  async exists(bucket: string): Promise<boolean> {
    const home = groupOf(bucket, this.#access.groupCount);
    const record = await this.#access.survey<"bucket">(home, { about: "bucket", bucket });
    return record?.phase === "open";
  }

  /** Describes a bucket; undefined where it is missing. */
  async describe(bucket: string): Promise<BucketDescription | undefined> {
    if (!await this.exists(bucket)) return undefined;
    const records = await this.#everywhere((group) =>
      this.#access.survey<"bucket">(group, { about: "bucket", bucket })
    );
    const streams = records.reduce((sum, record) => sum + (record?.listed ?? 0), 0);
    return { bucket, streams };
  }

  /** Streams of a bucket, in byte order of their ids. */
  async streams(bucket: string, page: Page): Promise<Listing<ListedStream>> {
    const wanted = { ...page, limit: page.limit + 1 };
    const parts = await this.#everywhere((group) =>
      this.#access.survey<"streams">(group, { about: "streams", bucket, page: wanted })
    );
    const merged = parts.flat().sort((a, b) => compareUtf8(a.streamId, b.streamId));
    return { items: merged.slice(0, page.limit), hasMore: merged.length > page.limit };
  }

  /** Bucket ids, in byte order. Every group knows them all. */
  async buckets(page: Page): Promise<Listing<string>> {
    const wanted = { ...page, limit: page.limit + 1 };
    const found = await this.#access.survey<"buckets">(0, { about: "buckets", page: wanted });
    const ids = found.map((view) => view.bucket);
    return { items: ids.slice(0, page.limit), hasMore: ids.length > page.limit };
  }

  #everywhere<T>(ask: (group: number) => T | Promise<T>): Promise<T[]> {
    const groups = Array.from({ length: this.#access.groupCount }, (_, group) => group);
    return Promise.all(groups.map(ask));
  }
}
