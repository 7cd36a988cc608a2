/**
 * The one table of all options: flags, environment, config file, `--help` and
 * `docs/configuration.md` all follow from it.
 *
 * @module
 */

import { hostNames } from "./host_names.ts";
import { COLD_OPTIONS } from "./cold_options.ts";
import * as kinds from "./kinds.ts";
import type { Kind } from "./kinds.ts";
import { NODE_ID_MAX, raftPeers } from "./peers.ts";
import { SECURITY_OPTIONS } from "./security_options.ts";
import type { Machine, OptionValues, ProgramOption } from "./types.ts";

const KiB = 2 ** 10;
const MiB = 2 ** 20;
const GiB = 2 ** 30;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Headings that options stand under, in order. */
export const OPTION_GROUPS = [
  "Node",
  "Cluster",
  "Storage",
  "Cold storage",
  "Clients",
  "Security",
  "Limits",
  "Logging",
] as const;

/** One option. */
export interface Option<T> {
  /** The flag without its dashes. */
  readonly flag: string;
  /** Heading that it stands under. */
  readonly group: typeof OPTION_GROUPS[number];
  /** How its value is written. */
  readonly kind: Kind<T>;
  /** Its value where nobody gives one. */
  readonly fallback: T | ((machine: Machine) => T);
  /** The default in words, where it depends on the machine. */
  readonly fallbackText?: string;
  /** What it does, or bounds, in one line. */
  readonly help: string;
  /** Given more than once, its values add up, joined by commas. */
  readonly repeatable?: boolean;
  /** Its value must never be shown, nor given as a flag, which all users of a machine may read. */
  readonly secret?: boolean;
}

/** Names of options as a program writes them. */
export type OptionKey = keyof OptionValues;

/** The table. */
export const OPTIONS: { readonly [K in OptionKey]: Option<OptionValues[K]> } = {
  listen: {
    flag: "listen",
    group: "Node",
    kind: kinds.hostPort,
    fallback: { hostname: "127.0.0.1", port: 4437 },
    help: "where clients connect; port 0 takes a free one",
  },
  adminListen: {
    flag: "admin-listen",
    group: "Node",
    kind: kinds.hostPort,
    fallback: undefined,
    fallbackText: "`127.0.0.1:4438`: loopback, the port of `--listen` + 1",
    help: "where operators connect; on loopback alone",
  },
  adminHosts: {
    flag: "admin-host",
    group: "Node",
    kind: hostNames,
    fallback: [],
    fallbackText: "none",
    help: "names that the admin plane is called by, beside IP addresses and localhost",
    repeatable: true,
  },
  profile: {
    flag: "profile",
    group: "Node",
    kind: kinds.choice(["none", "tiny", "small", "standard", "large"]),
    fallback: "none",
    help: "start from a set of values that suits a machine of that kind",
  },
  cores: {
    flag: "core-count",
    group: "Node",
    kind: kinds.integer(1, 256),
    fallback: (machine) => machine.cores,
    fallbackText: "available cores",
    help: "shards, one per core; 1 runs without workers; may change between starts",
  },
  raftGroupCount: {
    flag: "raft-group-count",
    group: "Node",
    kind: kinds.integer(1, 4096),
    fallback: 64,
    help: "Raft groups that streams are spread over; fixed with the data",
  },
  clusterId: {
    flag: "cluster-id",
    group: "Node",
    kind: kinds.text(
      "NAME",
      /^[A-Za-z0-9._-]{1,64}$/,
      "1 to 64 characters out of A-Z, a-z, 0-9, ., _ and -",
    ),
    fallback: "ursula",
    help: "name of the cluster; fixed with the data",
  },
  nodeId: {
    flag: "raft-node-id",
    group: "Cluster",
    kind: kinds.integer(1, NODE_ID_MAX),
    fallback: 1,
    fallbackText: "1 without peers",
    help: "this node's id among the peers; fixed with the data",
  },
  raftPeers: {
    flag: "raft-peer",
    group: "Cluster",
    kind: raftPeers,
    fallback: [],
    fallbackText: "single node",
    help: "the cluster's nodes, this one included; the flag is repeated, the rest is a list",
    repeatable: true,
  },
  raftClusterConfig: {
    flag: "raft-cluster-config",
    group: "Cluster",
    kind: kinds.path,
    fallback: undefined,
    fallbackText: "none",
    help: "read node id, cluster id, peers and init-membership from this file",
  },
  raftInitMembership: {
    flag: "raft-init-membership",
    group: "Cluster",
    kind: kinds.onOff,
    fallback: false,
    help: "first start of a new cluster: form it; does nothing on a node that holds state",
  },
  clusterListen: {
    flag: "cluster-listen",
    group: "Cluster",
    kind: kinds.hostPort,
    fallback: undefined,
    fallbackText: "host of `--listen`, its port + 10000",
    help: "where the other nodes connect; a single node opens nothing",
  },
  clusterSecret: {
    flag: "cluster-secret",
    group: "Cluster",
    kind: kinds.text("SECRET", /^.{1,1024}$/, "1 to 1024 characters in one line"),
    fallback: undefined,
    fallbackText: "none",
    help: "what the nodes prove to each other that they know; needed off loopback",
    secret: true,
  },
  readLease: {
    flag: "read-lease",
    group: "Cluster",
    kind: kinds.onOff,
    fallback: true,
    help: "off for machines that may be suspended: every read then asks a majority",
  },
  dataDir: {
    flag: "data-dir",
    group: "Storage",
    kind: kinds.path,
    fallback: "./ursula-data",
    help: "folder of the journal and its snapshots",
  },
  raftMemory: {
    flag: "raft-memory",
    group: "Storage",
    kind: kinds.onOff,
    fallback: false,
    help: "keep everything in memory and nothing on disk",
  },
  fsync: {
    flag: "fsync",
    group: "Storage",
    kind: kinds.choice(["always", "never"]),
    fallback: "always",
    help: "always: appends are on disk before they are acknowledged; never: left to the system",
  },
  ...COLD_OPTIONS,
  longPollTimeoutMs: {
    flag: "long-poll-timeout",
    group: "Clients",
    kind: kinds.duration(0, HOUR_MS),
    fallback: 20_000,
    help: "how long a long-poll waits for data",
  },
  sseMaxAgeMs: {
    flag: "sse-max-age",
    group: "Clients",
    kind: kinds.duration(100, 24 * HOUR_MS),
    fallback: MINUTE_MS,
    help: "after how long an SSE response is closed, for the client to connect again",
  },
  corsOrigin: {
    flag: "cors-origin",
    group: "Clients",
    kind: kinds.corsOrigin,
    fallback: "*",
    help: "web pages that may call: every origin, none, or those named",
  },
  ...SECURITY_OPTIONS,
  maxAppendBytes: {
    flag: "max-append-bytes",
    group: "Limits",
    kind: kinds.size(KiB, GiB),
    fallback: 32 * MiB,
    help:
      "bounds the body of one append or create; above it the answer is 413; in a cluster at most 32MiB",
  },
  maxBatchBytes: {
    flag: "max-batch-bytes",
    group: "Limits",
    kind: kinds.size(KiB, GiB),
    fallback: 32 * MiB,
    help:
      "bounds the body of one append batch; above it the answer is 413; in a cluster at most 32MiB",
  },
  maxBatchItems: {
    flag: "max-batch-items",
    group: "Limits",
    kind: kinds.integer(1, 65_536),
    fallback: 512,
    help: "bounds the items of one append batch; above it the answer is 413",
  },
  maxSnapshotBytes: {
    flag: "max-snapshot-bytes",
    group: "Limits",
    kind: kinds.size(KiB, GiB),
    fallback: 128 * MiB,
    help: "bounds the body of a StreamSnapshot; above it the answer is 413",
  },
  maxProducerIdBytes: {
    flag: "max-producer-id-bytes",
    group: "Limits",
    kind: kinds.size(1, 4 * KiB),
    fallback: 256,
    help: "bounds the Producer-Id header; above it the answer is 400",
  },
  maxStreamSeqBytes: {
    flag: "max-stream-seq-bytes",
    group: "Limits",
    kind: kinds.size(1, 4 * KiB),
    fallback: 256,
    help: "bounds the Stream-Seq header; above it the answer is 400",
  },
  maxBodyBytesInFlight: {
    flag: "max-body-bytes-in-flight",
    group: "Limits",
    kind: kinds.size(KiB, 64 * GiB),
    fallback: 256 * MiB,
    help: "bounds the request bodies in memory at one time; above it the answer is 503",
  },
  maxAppendWaitMs: {
    flag: "max-append-wait",
    group: "Limits",
    kind: kinds.duration(10, MINUTE_MS),
    fallback: 300,
    help: "bounds how long writes stand in line; while all wait longer, more are answered 503",
  },
  maxLiveReaders: {
    flag: "max-live-readers",
    group: "Limits",
    kind: kinds.integer(1, 10_000_000),
    fallback: 100_000,
    help: "bounds the long-poll and SSE readers at one time; above it the answer is 503",
  },
  logLevel: {
    flag: "log-level",
    group: "Logging",
    kind: kinds.choice(["debug", "info", "warn", "error"]),
    fallback: "info",
    help: "least level that is logged",
  },
  logFormat: {
    flag: "log-format",
    group: "Logging",
    kind: kinds.choice(["text", "json"]),
    fallback: "text",
    help: "text for people, json for machines",
  },
  logRequests: {
    flag: "log-requests",
    group: "Logging",
    kind: kinds.onOff,
    fallback: false,
    help: "a line for every request that was answered, at level info",
  },
};

/** Keys of the table, in its order. */
export const OPTION_KEYS: readonly OptionKey[] = Object.keys(OPTIONS) as OptionKey[];

/** Keys of the table that `createNode()` does not take. */
export const PROGRAM_OPTIONS: readonly OptionKey[] = [
  "raftClusterConfig",
] satisfies ProgramOption[];

/** A flag of the program itself, with no place in a node's configuration. */
export interface ProgramFlag {
  /** The flag without its dashes. */
  readonly flag: string;
  /** Stands for its value, where it takes one. */
  readonly placeholder?: string;
  /** What it does, in one line. */
  readonly help: string;
}

/** Flags of the program itself. `config` may also be given as `URSULA_CONFIG`. */
export const PROGRAM_FLAGS: readonly ProgramFlag[] = [
  { flag: "config", placeholder: "PATH", help: "read options from this file (JSON or JSONC)" },
  { flag: "print-config", help: "show every value in force and where it came from, then exit" },
  { flag: "version", help: "show the version, then exit" },
  { flag: "help", help: "show this help, then exit" },
];

/** Name of a flag's environment variable. */
export function envName(flag: string): string {
  return "URSULA_" + flag.toUpperCase().replaceAll("-", "_");
}

/** Name of a flag's key in a config file. */
export function fileKey(flag: string): string {
  return flag.replaceAll("-", "_");
}

/** An option as people call it: its flag, or its variable where it has no flag. */
export function nameOf(option: Pick<Option<unknown>, "flag" | "secret">): string {
  return option.secret ? envName(option.flag) : `--${option.flag}`;
}

/** The default of an option on a machine. */
export function fallbackOf<K extends OptionKey>(key: K, machine: Machine): OptionValues[K] {
  const { fallback } = OPTIONS[key];
  return typeof fallback === "function" ? fallback(machine) : fallback;
}
