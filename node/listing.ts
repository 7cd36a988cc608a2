import type { Eventually, Unavailable } from "../group/mod.ts";
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
  async exists(bucket: string): Promise<boolean | Unavailable> {
    const home = groupOf(bucket, this.#access.groupCount);
    const answer = await this.#access.survey<"bucket">(home, { about: "bucket", bucket });
    return "unavailable" in answer ? answer : answer.view?.phase === "open";
  }

  /** Describes a bucket; undefined where it is missing. */
  async describe(bucket: string): Promise<BucketDescription | undefined | Unavailable> {
    const exists = await this.exists(bucket);
    if (typeof exists === "object") return exists;
    if (!exists) return undefined;
    const answers = await this.#everywhere((group) =>
      this.#access.survey<"bucket">(group, { about: "bucket", bucket })
    );
    let streams = 0;
    for (const answer of answers) {
      if ("unavailable" in answer) return answer;
      streams += answer.view?.listed ?? 0;
    }
    return { bucket, streams };
  }

  /** Streams of a bucket, in byte order of their ids. */
  async streams(bucket: string, page: Page): Promise<Listing<ListedStream> | Unavailable> {
    const wanted = { ...page, limit: page.limit + 1 };
    const answers = await this.#everywhere((group) =>
      this.#access.survey<"streams">(group, { about: "streams", bucket, page: wanted })
    );
    const merged: ListedStream[] = [];
    for (const answer of answers) {
      if ("unavailable" in answer) return answer;
      for (const stream of answer) merged.push(stream);
    }
    merged.sort((a, b) =>
      compareUtf8(a.streamId, b.streamId) || b.facts.createdAtMs - a.facts.createdAtMs
    );
    // Groups answer at different times: a stream may end in one and be made anew in another meanwhile.
    const found = merged.filter(({ streamId }, at) => streamId !== merged[at - 1]?.streamId);
    return { items: found.slice(0, page.limit), hasMore: found.length > page.limit };
  }

  /** Bucket ids, in byte order. Every group knows them all. */
  async buckets(page: Page): Promise<Listing<string> | Unavailable> {
    const wanted = { ...page, limit: page.limit + 1 };
    const found = await this.#access.survey<"buckets">(0, { about: "buckets", page: wanted });
    if ("unavailable" in found) return found;
    const ids = found.map((view) => view.bucket);
    return { items: ids.slice(0, page.limit), hasMore: ids.length > page.limit };
  }

  #everywhere<T>(ask: (group: number) => Eventually<T>): Promise<T[]> {
    const groups = Array.from({ length: this.#access.groupCount }, (_, group) => group);
    return Promise.all(groups.map(ask));
  }
}
