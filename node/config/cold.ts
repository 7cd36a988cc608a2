/**
 * What follows from the options of the cold tier, and how they have to fit together (SPEC section 9).
 *
 * @module
 */

import { ConfigError } from "./config_error.ts";
import { nameOf, type OptionKey, OPTIONS } from "./options.ts";
import type { ColdConfig, OptionValues } from "./types.ts";

/** S3 takes keys of 1,024 bytes, and what follows the root wants half of them. */
const S3_ROOT_BYTES_MAX = 500;
/** The part of a data directory where objects lie unless they are sent elsewhere. */
const FOLDER = "cold";

const S3_KEYS = [
  "coldS3Bucket",
  "coldS3Region",
  "coldS3Endpoint",
  "coldS3AccessKeyId",
  "coldS3SecretAccessKey",
  "coldS3SessionToken",
] as const;

/**
 * The cold tier that the options come to.
 * @throws {ConfigError} when they don't fit together
 */
export function coldOf(options: OptionValues): ColdConfig {
  const { dataDir, raftMemory, coldRoot, coldFlushBytes } = options;
  const coldBackend = options.coldBackend ?? (raftMemory ? "memory" : "fs");
  const isFolder = coldBackend === "fs";
  const cold = {
    coldBackend,
    coldRoot: isFolder ? coldRoot ?? `${dataDir}/${FOLDER}` : coldRoot,
    coldFlushMinHotBytes: options.coldFlushMinHotBytes ?? coldFlushBytes,
    coldFlushMaxBytes: options.coldFlushMaxBytes ?? coldFlushBytes,
  };
  checkBackend(options, cold);
  if (coldBackend === "s3") checkS3(options);
  checkSizes(options, cold);
  return cold;
}

function checkBackend(options: OptionValues, { coldBackend }: ColdConfig): void {
  const backend = `--${OPTIONS.coldBackend.flag}`;
  if (coldBackend === "memory" && !options.raftMemory) {
    throw new ConfigError(
      `${backend} memory loses at a restart what the journal in --${OPTIONS.dataDir.flag} refers ` +
        `to; take fs or s3, or keep nothing on disk (--${OPTIONS.raftMemory.flag})`,
    );
  }
  if (coldBackend === "s3") return;
  const stray = S3_KEYS.find((key) => options[key] !== undefined);
  if (stray !== undefined) {
    throw new ConfigError(`${named(stray)} needs ${backend} s3, and it is ${coldBackend}`);
  }
  if (coldBackend !== "fs" && options.coldRoot !== undefined) {
    throw new ConfigError(
      `${named("coldRoot")} needs ${backend} fs or s3, and it is ${coldBackend}`,
    );
  }
}

function checkS3(options: OptionValues): void {
  if (options.coldS3Bucket === undefined) {
    throw new ConfigError(
      `--${OPTIONS.coldBackend.flag} s3 needs the name of a bucket (${named("coldS3Bucket")})`,
    );
  }
  needs(options, "coldS3AccessKeyId", "coldS3SecretAccessKey");
  needs(options, "coldS3SecretAccessKey", "coldS3AccessKeyId");
  needs(options, "coldS3SessionToken", "coldS3AccessKeyId");
  const root = options.coldRoot ?? "";
  const leadsElsewhere = root.split("/").some((segment) => segment === "." || segment === "..");
  if (leadsElsewhere || new TextEncoder().encode(root).length > S3_ROOT_BYTES_MAX) {
    throw new ConfigError(
      `${named("coldRoot")} ${root.slice(0, 80)}: expected a prefix of keys, at most ` +
        `${S3_ROOT_BYTES_MAX} bytes, without . and .. between slashes`,
    );
  }
}

/** A group has to be flushed before it is full. */
function checkSizes(
  options: OptionValues,
  { coldBackend, coldFlushMinHotBytes }: ColdConfig,
): void {
  const { coldMaxHotBytesPerGroup } = options;
  if (coldBackend === "none" || coldFlushMinHotBytes <= coldMaxHotBytesPerGroup) return;
  const { kind } = OPTIONS.coldMaxHotBytesPerGroup;
  throw new ConfigError(
    `${named("coldMaxHotBytesPerGroup")} (${kind.write(coldMaxHotBytesPerGroup)}) must not be ` +
      `below ${named("coldFlushMinHotBytes")} (${
        kind.write(coldFlushMinHotBytes)
      }): a group would ` +
      "be full before it is flushed",
  );
}

function needs(options: OptionValues, key: OptionKey, other: OptionKey): void {
  if (options[key] === undefined || options[other] !== undefined) return;
  throw new ConfigError(`${named(key)} needs ${named(other)}`);
}

function named(key: OptionKey): string {
  return nameOf(OPTIONS[key]);
}
