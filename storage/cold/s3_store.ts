/**
 * A bucket as a cold store.
 *
 * @module
 */

import type { GetObjectCommandOutput, S3Client } from "@aws-sdk/client-s3";
import type { Clock } from "../../io/mod.ts";
import { ColdError } from "./error.ts";
import { checkedKey, checkedPrefix, isKey } from "./keys.ts";
import { gathered, inTurns } from "./s3_body.ts";
import { isBareNotFound, s3Error } from "./s3_errors.ts";
import { type ByteParts, type ColdStore, exactly } from "./store.ts";

type Sdk = typeof import("@aws-sdk/client-s3");

/** What a {@linkcode S3ColdStore} needs besides the client. */
export interface S3ColdStoreParts {
  readonly bucket: string;
  /** Stands before every key; empty, or ends in `/`. */
  readonly root: string;
  readonly clock: Clock;
  /** How long one request may take, its body included. */
  readonly requestMsMax: number;
}

/**
 * Above this an object goes up in parts. It is more than what is flushed at once by default, so
 * that this is one request, which is there or not.
 */
const SINGLE_BYTES_MAX = 9 << 20;
/** Bytes of a part; S3 takes 5 MiB or more, and 10,000 of them. */
export const PART_BYTES = 8 << 20;
/** Keeps each object under its key in a bucket; `s3.ts` opens one. */
export class S3ColdStore implements ColdStore {
  readonly name: string;
  readonly isShared = true;

  constructor(
    readonly sdk: Sdk,
    readonly client: S3Client,
    readonly options: S3ColdStoreParts,
  ) {
    this.name = `s3://${options.bucket}/${options.root}`.replace(/\/$/, "");
  }

  async put(key: string, size: number, parts: ByteParts, signal?: AbortSignal): Promise<void> {
    const to = this.#object(key);
    const whole = inTurns(this.options.clock, exactly(size, parts, signal));
    if (size > SINGLE_BYTES_MAX) return await this.#putInParts(key, size, whole, signal);
    for await (const Body of gathered(whole, size, size)) {
      const command = new this.sdk.PutObjectCommand({ ...to, Body, ContentLength: size });
      await this.#ask(key, signal, (abortSignal) => this.client.send(command, { abortSignal }));
    }
  }

  async get(
    key: string,
    start: number,
    length: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    const to = this.#object(key);
    signal?.throwIfAborted();
    if (length === 0) return new Uint8Array(0);
    const Range = `bytes=${start}-${start + length - 1}`;
    const command = new this.sdk.GetObjectCommand({ ...to, Range });
    return await this.#ask(key, signal, async (abortSignal) => {
      const answer = await this.client.send(command, { abortSignal });
      return await this.#body(key, start, length, answer);
    });
  }

  async size(key: string, signal?: AbortSignal): Promise<number | undefined> {
    const command = new this.sdk.HeadObjectCommand(this.#object(key));
    return await this.#ask(key, signal, async (abortSignal) => {
      try {
        return (await this.client.send(command, { abortSignal })).ContentLength;
      } catch (error) {
        if (!isBareNotFound(error)) throw error;
      }
      // The answer has no body to say what is missing.
      const { Bucket } = this.#bucket();
      try {
        await this.client.send(new this.sdk.HeadBucketCommand({ Bucket }), { abortSignal });
      } catch (error) {
        if (!isBareNotFound(error)) throw error;
        throw new ColdError("no_bucket", this.name, undefined, "there is no such bucket");
      }
      return undefined;
    });
  }

  async delete(key: string, signal?: AbortSignal): Promise<void> {
    const command = new this.sdk.DeleteObjectCommand(this.#object(key));
    try {
      await this.#ask(key, signal, (abortSignal) => this.client.send(command, { abortSignal }));
    } catch (error) {
      if (!(error instanceof ColdError) || error.kind !== "not_found") throw error;
    }
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<string> {
    const Prefix = this.options.root + checkedPrefix(prefix);
    let ContinuationToken: string | undefined;
    do {
      const command = new this.sdk.ListObjectsV2Command({
        ...this.#bucket(),
        Prefix,
        ContinuationToken,
      });
      const page = await this.#ask(
        prefix,
        signal,
        (abortSignal) => this.client.send(command, { abortSignal }),
      );
      for (const { Key = "" } of page.Contents ?? []) {
        signal?.throwIfAborted();
        const key = Key.slice(this.options.root.length);
        // What others put beside ours is none of our business.
        if (Key.startsWith(Prefix) && isKey(key)) yield key;
      }
      ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (ContinuationToken !== undefined);
  }

  close(): void {
    this.client.destroy();
  }

  async #putInParts(
    key: string,
    size: number,
    parts: AsyncIterable<Uint8Array>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { client, sdk } = this;
    const to = this.#object(key);
    const begin = new sdk.CreateMultipartUploadCommand(to);
    const { UploadId } = await this.#ask(
      key,
      signal,
      (abortSignal) => client.send(begin, { abortSignal }),
    );
    try {
      const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
      for await (const Body of gathered(parts, size, PART_BYTES)) {
        const PartNumber = Parts.length + 1;
        const ContentLength = Body.length;
        const command = new sdk.UploadPartCommand({
          ...to,
          UploadId,
          PartNumber,
          Body,
          ContentLength,
        });
        const { ETag } = await this.#ask(
          key,
          signal,
          (abortSignal) => client.send(command, { abortSignal }),
        );
        Parts.push({ PartNumber, ETag });
      }
      const MultipartUpload = { Parts };
      const end = new sdk.CompleteMultipartUploadCommand({ ...to, UploadId, MultipartUpload });
      await this.#ask(key, signal, (abortSignal) => client.send(end, { abortSignal }));
    } catch (error) {
      const abort = new sdk.AbortMultipartUploadCommand({ ...to, UploadId });
      // Parts cost until they are gone; a bucket's lifecycle rule takes those that this leaves.
      await this.#ask(key, undefined, (abortSignal) => client.send(abort, { abortSignal }))
        .catch(() => {});
      throw error;
    }
  }

  async #body(
    key: string,
    start: number,
    length: number,
    answer: GetObjectCommandOutput,
  ): Promise<Uint8Array> {
    const range = /^bytes (\d+)-(\d+)\//.exec(answer.ContentRange ?? "");
    const from = range === null ? 0 : Number(range[1]);
    const announced = range === null ? answer.ContentLength ?? length : Number(range[2]) - from + 1;
    if (from !== start || announced > length) {
      cancel(answer);
      throw new ColdError("unavailable", this.name, key, "the store answered another range");
    }
    if (announced < length) {
      cancel(answer);
      const detail = `it ends here, ${start + length} bytes were expected`;
      throw new ColdError("corrupt", this.name, key, detail, { offset: start + announced });
    }
    const into = new Uint8Array(length);
    let filled = 0;
    // The SDK's type names the streams of all platforms; all of them can be iterated here.
    for await (const chunk of (answer.Body ?? []) as AsyncIterable<Uint8Array>) {
      if (filled + chunk.length <= length) into.set(chunk, filled);
      filled += chunk.length;
    }
    if (filled === length) return into;
    const detail = `the answer broke off after ${filled} of ${length} bytes`;
    throw new ColdError("unavailable", this.name, key, detail);
  }

  /** Does one request within its time. */
  async #ask<T>(
    key: string,
    signal: AbortSignal | undefined,
    work: (abortSignal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const { clock, requestMsMax } = this.options;
    const ending = new AbortController();
    const abort = () => ending.abort(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    let isLate = false;
    const timer = clock.setTimer(requestMsMax, () => {
      isLate = true;
      ending.abort();
    });
    try {
      return await work(ending.signal);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (!isLate) throw s3Error(error, this.name, key);
      const detail = `no answer within ${requestMsMax} ms`;
      throw new ColdError("unavailable", this.name, key, detail, { cause: error });
    } finally {
      timer.cancel();
      signal?.removeEventListener("abort", abort);
    }
  }

  #bucket(): { Bucket: string } {
    return { Bucket: this.options.bucket };
  }

  #object(key: string): { Bucket: string; Key: string } {
    return { ...this.#bucket(), Key: this.options.root + checkedKey(key) };
  }
}

/** Takes no more of a body. */
function cancel({ Body }: GetObjectCommandOutput): void {
  (Body as { destroy?: () => void } | undefined)?.destroy?.();
}
