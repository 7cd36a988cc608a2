/**
 * The configuration of a node, once everything is decided.
 *
 * @module
 */

import type { CorsOrigin, HostPort } from "./kinds.ts";

/** Documented sets of values for machines of a kind. */
export type ProfileName = "tiny" | "small" | "standard" | "large";

/** Every option of a node, with its value in force. Units stand in the names. */
export interface Config {
  /** Where the client plane listens. */
  readonly listen: HostPort;
  /** The profile that the values began with. */
  readonly profile: ProfileName | "none";
  /** Shards; 1 runs without workers. */
  readonly cores: number;
  /** Raft groups; fixed with the data. */
  readonly raftGroupCount: number;
  /** Name of the cluster; fixed with the data. */
  readonly clusterId: string;
  /** Folder of the journal and the RaftSnapshots; unused where `raftMemory` is set. */
  readonly dataDir: string;
  /** Keep nothing on disk. */
  readonly raftMemory: boolean;
  /** `always`: an acknowledged append was synced to disk. `never`: it was written. */
  readonly fsync: "always" | "never";
  /** How long a long-poll waits for data, in ms. */
  readonly longPollTimeoutMs: number;
  /** After how long the server closes an SSE response, in ms. */
  readonly sseMaxAgeMs: number;
  /** Who may call from a web page. */
  readonly corsOrigin: CorsOrigin;
  /** Largest body of one append or create, in bytes. */
  readonly maxAppendBytes: number;
  /** Longest `Producer-Id`, in bytes of UTF-8. */
  readonly maxProducerIdBytes: number;
  /** Longest `Stream-Seq`, in bytes of UTF-8. */
  readonly maxStreamSeqBytes: number;
  /** Request bodies held in memory at one time, in bytes. */
  readonly maxBodyBytesInFlight: number;
  /** Long-poll and SSE readers at one time. */
  readonly maxLiveReaders: number;
  /** Least level that is logged. */
  readonly logLevel: "debug" | "info" | "warn" | "error";
  /** `text` for people, `json` for machines. */
  readonly logFormat: "text" | "json";
}

/**
 * What a program gives to `createNode()`: any of the options. What it leaves out has the profile's
 * value, or else the default. `listen` may be written `HOST:PORT`.
 */
export type ConfigInput =
  & Partial<Omit<Config, "listen">>
  & { readonly listen?: HostPort | string };

/** What defaults depend on. */
export interface Machine {
  /** Cores that this process may use. */
  readonly cores: number;
}
