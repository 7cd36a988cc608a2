/**
 * Objects in an S3 bucket, or in what speaks its language.
 *
 * Imported alone, and by who needs it: it brings the SDK along, half a second at the first import.
 *
 * @module
 */

import type { Clock } from "../../io/mod.ts";
import { Sha256 } from "./s3_sha256.ts";
import { S3ColdStore } from "./s3_store.ts";
import type { ColdStore } from "./store.ts";

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

/** S3 takes 1,024 bytes, and a key wants half of them. */
const ROOT_BYTES_MAX = 500;
const REQUEST_MS_MAX = 30_000;
const CONNECT_MS_MAX = 5_000;
/** Requests at a time; more wait for a connection. */
const CONNECTIONS_MAX = 64;

/**
 * Opens a bucket; asks nothing of it yet.
 * @throws RangeError when the root can't be in keys, or only one half of the keys is given
 */
export async function openS3ColdStore(options: S3ColdStoreOptions): Promise<ColdStore> {
  const root = (options.root ?? "").split("/").filter((segment) => segment !== "").join("/");
  const leadsElsewhere = root.split("/").some((segment) => segment === "." || segment === "..");
  if (leadsElsewhere || new TextEncoder().encode(root).length > ROOT_BYTES_MAX) {
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
      connectionTimeout: options.connectMsMax ?? CONNECT_MS_MAX,
      requestTimeout: options.requestMsMax ?? REQUEST_MS_MAX,
      httpAgent: { keepAlive: true, maxSockets: CONNECTIONS_MAX },
      httpsAgent: { keepAlive: true, maxSockets: CONNECTIONS_MAX },
    },
  });
  const { bucket, clock, requestMsMax = REQUEST_MS_MAX } = options;
  return new S3ColdStore(sdk, client, {
    bucket,
    root: root === "" ? "" : `${root}/`,
    clock,
    requestMsMax,
  });
}
