/**
 * Profiles: sets of values for machines of a kind. Whatever is given explicitly goes before them.
 *
 * @module
 */

import type { OptionValues, ProfileName } from "./types.ts";

const MiB = 2 ** 20;
const GiB = 2 ** 30;
/** What systems keep for themselves is no reason to say anything. */
const ENOUGH_PART = 0.85;

/** A profile. */
export interface Profile {
  /** The machine it is meant for. */
  readonly meantFor: string;
  /** The memory that it has. */
  readonly memoryBytes: number;
  /** The values it sets. */
  readonly values: Partial<Omit<OptionValues, "profile">>;
}

/** All profiles. `standard` spells out the defaults. */
export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  tiny: {
    meantFor: "tests, containers and boards with 256 MiB of memory",
    memoryBytes: 256 * MiB,
    values: {
      cores: 1,
      raftGroupCount: 4,
      maxAppendBytes: 4 * MiB,
      maxBatchBytes: 4 * MiB,
      maxBodyBytesInFlight: 16 * MiB,
      maxLiveReaders: 1000,
      maxSnapshotBytes: 16 * MiB,
      coldFlushBytes: 2 * MiB,
      coldFlushMaxConcurrency: 2,
      coldMaxHotBytesPerGroup: 16 * MiB,
      coldCacheBytes: 8 * MiB,
    },
  },
  small: {
    meantFor: "one core and 1 GiB of memory",
    memoryBytes: GiB,
    values: {
      cores: 1,
      raftGroupCount: 16,
      maxAppendBytes: 8 * MiB,
      maxBatchBytes: 8 * MiB,
      maxBodyBytesInFlight: 64 * MiB,
      maxLiveReaders: 10_000,
      maxSnapshotBytes: 64 * MiB,
      coldFlushBytes: 4 * MiB,
      coldFlushMaxConcurrency: 2,
      coldMaxHotBytesPerGroup: 32 * MiB,
      coldCacheBytes: 32 * MiB,
    },
  },
  standard: {
    meantFor: "2 to 8 cores and 4 GiB of memory or more",
    memoryBytes: 4 * GiB,
    values: {
      raftGroupCount: 64,
      maxAppendBytes: 32 * MiB,
      maxBatchBytes: 32 * MiB,
      maxBodyBytesInFlight: 256 * MiB,
      maxLiveReaders: 100_000,
      maxSnapshotBytes: 128 * MiB,
      coldFlushBytes: 8 * MiB,
      coldFlushMaxConcurrency: 4,
      coldMaxHotBytesPerGroup: 64 * MiB,
      coldCacheBytes: 64 * MiB,
    },
  },
  large: {
    meantFor: "more than 8 cores and 32 GiB of memory or more",
    memoryBytes: 32 * GiB,
    values: {
      raftGroupCount: 256,
      maxAppendBytes: 32 * MiB,
      maxBatchBytes: 32 * MiB,
      maxBodyBytesInFlight: 1024 * MiB,
      maxLiveReaders: 1_000_000,
      maxSnapshotBytes: 128 * MiB,
      coldFlushBytes: 8 * MiB,
      coldFlushMaxConcurrency: 16,
      coldMaxHotBytesPerGroup: 64 * MiB,
      coldCacheBytes: 512 * MiB,
    },
  },
};

/** What to tell an operator whose process may use less memory than its profile is meant for. */
export function memoryWarning(
  profile: ProfileName | "none",
  memoryBytes: number,
): string | undefined {
  const name = profile === "none" ? "standard" : profile;
  if (memoryBytes >= PROFILES[name].memoryBytes * ENOUGH_PART) return undefined;
  return `this process may use ${
    Math.round(memoryBytes / MiB)
  } MiB of memory, and profile ${name} ` +
    `is meant for ${PROFILES[name].meantFor}: under load the system may end it; see --profile`;
}
