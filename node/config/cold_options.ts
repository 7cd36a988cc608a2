/**
 * Options of the cold tier: a part of the table of all options.
 *
 * @module
 */

import * as kinds from "./kinds.ts";
import type { Option } from "./options.ts";
import type { OptionValues } from "./types.ts";

const KiB = 2 ** 10;
const MiB = 2 ** 20;
const GiB = 2 ** 30;
const HOUR_MS = 3_600_000;

/** Keys of these options. */
type ColdKey = Extract<keyof OptionValues, `cold${string}`> | "bootstrapMaxAgeMs";

/** The options under "Cold storage". */
export const COLD_OPTIONS: { readonly [K in ColdKey]: Option<OptionValues[K]> } = {
  coldBackend: {
    flag: "cold-backend",
    group: "Cold storage",
    kind: kinds.choice(["s3", "fs", "memory", "none"]),
    fallback: undefined,
    fallbackText: "`fs`; `memory` with `--raft-memory`",
    help: "where older bytes go; the same on every node, fixed with the data; none keeps all hot",
  },
  coldRoot: {
    flag: "cold-root",
    group: "Cold storage",
    kind: kinds.path,
    fallback: undefined,
    fallbackText: "`fs`: `<data-dir>/cold`; `s3`: none",
    help: "folder of fs, which no other node may use; prefix of all keys of s3",
  },
  coldS3Bucket: {
    flag: "cold-s3-bucket",
    group: "Cold storage",
    kind: kinds.text("NAME", /^[A-Za-z0-9][A-Za-z0-9._:/-]{2,2047}$/, "the name of a bucket"),
    fallback: undefined,
    fallbackText: "none",
    help: "bucket of s3, which must be there",
  },
  coldS3Region: {
    flag: "cold-s3-region",
    group: "Cold storage",
    kind: kinds.text("NAME", /^[A-Za-z0-9-]{1,64}$/, "the name of a region, such as eu-central-1"),
    fallback: undefined,
    fallbackText: "what the SDK finds; `us-east-1` with an endpoint",
    help: "region of the bucket",
  },
  coldS3Endpoint: {
    flag: "cold-s3-endpoint",
    group: "Cold storage",
    kind: kinds.webUrl,
    fallback: undefined,
    fallbackText: "Amazon's",
    help: "a store that is not Amazon's; the bucket then stands in the path",
  },
  coldS3AccessKeyId: {
    flag: "cold-s3-access-key-id",
    group: "Cold storage",
    kind: kinds.text("ID", /^\S{1,256}$/, "1 to 256 characters without white space"),
    fallback: undefined,
    fallbackText: "what the SDK's chain of credentials finds",
    help: "who asks; goes with the secret",
  },
  coldS3SecretAccessKey: {
    flag: "cold-s3-secret-access-key",
    group: "Cold storage",
    kind: kinds.text("SECRET", /^\S{1,1024}$/, "1 to 1024 characters without white space"),
    fallback: undefined,
    fallbackText: "none",
    help: "the secret of the access key",
    secret: true,
  },
  coldS3SessionToken: {
    flag: "cold-s3-session-token",
    group: "Cold storage",
    kind: kinds.text("TOKEN", /^\S{1,8192}$/, "1 to 8192 characters without white space"),
    fallback: undefined,
    fallbackText: "none",
    help: "of temporary keys; a node can't renew it and the SDK's chain of credentials can",
    secret: true,
  },
  coldFlushIntervalMs: {
    flag: "cold-flush-interval-ms",
    group: "Cold storage",
    kind: kinds.duration(10, HOUR_MS),
    fallback: 1000,
    help: "how often groups are looked at for what to flush",
  },
  coldFlushBytes: {
    flag: "cold-flush-bytes",
    group: "Cold storage",
    kind: kinds.size(4 * KiB, 256 * MiB),
    fallback: 8 * MiB,
    help: "sets the next two where they are not given",
  },
  coldFlushMinHotBytes: {
    flag: "cold-flush-min-hot-bytes",
    group: "Cold storage",
    kind: kinds.size(1, 64 * GiB),
    fallback: undefined,
    fallbackText: "`--cold-flush-bytes`",
    help: "hot bytes of a group from which on it is flushed; with fewer after 5 minutes",
  },
  coldFlushMaxBytes: {
    flag: "cold-flush-max-bytes",
    group: "Cold storage",
    kind: kinds.size(4 * KiB, 256 * MiB),
    fallback: undefined,
    fallbackText: "`--cold-flush-bytes`",
    help:
      "bounds an object; only one stretch of a stream of up to 1MiB, or one message, exceeds it",
  },
  coldFlushMaxConcurrency: {
    flag: "cold-flush-max-concurrency",
    group: "Cold storage",
    kind: kinds.integer(1, 256),
    fallback: 4,
    help: "bounds the flushes at one time, shared out to the shards, one each at least",
  },
  coldMaxHotBytesPerGroup: {
    flag: "cold-max-hot-bytes-per-group",
    group: "Cold storage",
    kind: kinds.size(64 * KiB, 64 * GiB),
    fallback: 64 * MiB,
    help: "bounds the hot bytes of a group; above it what adds to them is answered 503",
  },
  coldCacheBytes: {
    flag: "cold-cache-bytes",
    group: "Cold storage",
    kind: kinds.size(MiB, 64 * GiB),
    fallback: 64 * MiB,
    help: "bytes of objects that a node keeps in memory for its readers, shared out to the shards",
  },
  bootstrapMaxAgeMs: {
    flag: "bootstrap-max-age",
    group: "Cold storage",
    kind: kinds.duration(100, 7 * 24 * HOUR_MS),
    fallback: HOUR_MS,
    help: "how long a bootstrap may take, and so how long objects outlive the last reference",
  },
};
