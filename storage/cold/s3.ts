/**
 * Objects in an S3 bucket, or in what speaks its language.
 *
 * Imported alone, and by who needs it: it brings the SDK along, half a second at the first import.
 *
 * @module
 */

import type { GetObjectCommandOutput, S3Client } from "@aws-sdk/client-s3";
import type { Clock } from "../../io/mod.ts";
import { ColdError } from "./error.ts";
import { checkedKey, checkedPrefix, isKey } from "./keys.ts";
import { isBareNotFound, s3Error } from "./s3_errors.ts";
import { Sha256 } from "./s3_sha256.ts";
import { type ByteParts, type ColdStore, exactly } from "./store.ts";

type Sdk = typeof import("@aws-sdk/client-s3");

/** Where the bucket is, and who asks. */
export interface S3ColdStoreOptions {
  readonly bucket: string;
  /** Prefix of all keys, segments separated by `/`. @default "" */
  readonly root?: string;
  /** @default what the SDK finds; with an endpoint `us-east-1` */
  readonly region?: string;
  /** URL of a store that is not Amazon's; the bucket then stands in the path. */
  readonly endpoint?: string;
  /** With {@linkcode secretAccessKey}. @default what the SDK's chain of credentials finds */
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly sessionToken?: string;
  readonly clock: Clock;
  /** How long one request may take, its body included. @default 30000 */
  readonly requestMsMax?: number;
  /** How long connecting may take. @default 5000 */
  readonly connectMsMax?: number;
}

/**
 * Above this an object goes up in parts. It is more than what is flushed at once by default, so
 * that this is one request, which is there or not.
 */
export const SINGLE_BYTES_MAX = 9 << 20;
/** Bytes of a part; S3 takes 5 MiB or more, and 10,000 of them. */
export const PART_BYTES = 8 << 20;
/** Bytes that are put together without a pause: about a millisecond. */
const TURN_BYTES = 1 << 20;
/** Requests at a time; more wait for a connection. */
const CONNECTIONS_MAX = 64;

/**
 * Opens a bucket; asks nothing of it yet.
 * @throws RangeError when the root can't be in keys, or only one half of the keys is given
 */
export async function openS3ColdStore(options: S3ColdStoreOptions): Promise<ColdStore> {
  const root = (options.root ?? "").split("/").filter((segment) => segment !== "").join("/");
  if (root.split("/").some((segment) => segment === "." || segment === "..")) {
    throw new RangeError(`no prefix of keys: ${options.root}`);
  }
  const { accessKeyId, secretAccessKey, sessionToken, region, endpoint } = options;
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    throw new RangeError("an access key and its secret are given together, or neither is");
  }
  const sdk = await import("@aws-sdk/client-s3");
  const client = new sdk.S3Client({
    ...(endpoint === undefined
      ? { region }
      : { endpoint, forcePathStyle: true, region: region ?? "us-east-1" }),
    ...(accessKeyId !== undefined && secretAccessKey !== undefined &&
      { credentials: { accessKeyId, secretAccessKey, sessionToken } }),
    // Who calls tries again, and knows how long to wait.
    maxAttempts: 1,
    sha256: Sha256,
    // Requests are signed with their body's SHA-256, and blocks carry sums of their own; not
    // everything that speaks S3 knows the newer checksums.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: {
      connectionTimeout: options.connectMsMax ?? 5_000,
      requestTimeout: options.requestMsMax ?? 30_000,
      httpAgent: { keepAlive: true, maxSockets: CONNECTIONS_MAX },
      httpsAgent: { keepAlive: true, maxSockets: CONNECTIONS_MAX },
    },
  });
  return new S3ColdStore(sdk, client, options, root === "" ? "" : `${root}/`);
}

class S3ColdStore implements ColdStore {
  readonly name: string;
  readonly isShared = true;

  constructor(
    readonly sdk: Sdk,
    readonly client: S3Client,
    readonly options: S3ColdStoreOptions,
    readonly root: string,
  ) {
    this.name = `s3://${options.bucket}/${root}`.replace(/\/$/, "");
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
    const Prefix = this.root + checkedPrefix(prefix);
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
        const key = Key.slice(this.root.length);
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
    const { clock, requestMsMax = 30_000 } = this.options;
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
    return { ...this.#bucket(), Key: this.root + checkedKey(key) };
  }
}

/** An object's bytes again, in pieces of `length`, in memory of their own, the last one shorter. */
async function* gathered(
  parts: AsyncIterable<Uint8Array>,
  size: number,
  length: number,
): AsyncGenerator<Uint8Array> {
  let left = size;
  let piece = new Uint8Array(Math.min(left, length));
  let filled = 0;
  for await (const part of parts) {
    for (let at = 0; at < part.length;) {
      const taken = part.subarray(at, at + piece.length - filled);
      piece.set(taken, filled);
      filled += taken.length;
      at += taken.length;
      left -= taken.length;
      if (filled < piece.length || left === 0) continue;
      yield piece;
      piece = new Uint8Array(Math.min(left, length));
      filled = 0;
    }
  }
  yield piece;
}

/** Hands parts on, and lets the event loop go on now and then: they may all be at hand at once. */
async function* inTurns(
  clock: Clock,
  parts: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const part of parts) {
    yield part;
    bytes += part.length;
    if (bytes < TURN_BYTES) continue;
    bytes = 0;
    await new Promise<void>((resolve) => clock.defer(resolve));
  }
}

/** Takes no more of a body. */
function cancel({ Body }: GetObjectCommandOutput): void {
  (Body as { destroy?: () => void } | undefined)?.destroy?.();
}
