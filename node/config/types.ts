/**
 * The configuration of a node, once everything is decided.
 *
 * @module
 */

import type { CorsOrigin, HostPort } from "./kinds.ts";
import type { RaftPeer } from "./peers.ts";

/** Documented sets of values for machines of a kind. */
export type ProfileName = "tiny" | "small" | "standard" | "large";

/** Where older bytes go: to a bucket, to files, to memory, or nowhere. */
export type ColdBackendName = "s3" | "fs" | "memory" | "none";

/** Every option of a node, with its value in force. Units stand in the names. */
export interface OptionValues {
  /** Where the client plane listens. */
  readonly listen: HostPort;
  /** Where the admin plane listens; undefined is loopback, at the client plane's port + 1. */
  readonly adminListen: HostPort | undefined;
  /** Names that the admin plane is called by, in lower case, beside IP addresses and localhost. */
  readonly adminHosts: readonly string[];
  /** The profile that the values began with. */
  readonly profile: ProfileName | "none";
  /** Shards; 1 runs without workers. */
  readonly cores: number;
  /** Raft groups; fixed with the data. */
  readonly raftGroupCount: number;
  /** Name of the cluster; fixed with the data. */
  readonly clusterId: string;
  /** This node's id among its peers; a positive integer. */
  readonly nodeId: number;
  /** The cluster's nodes, this one included; none, or this one alone, makes a single node. */
  readonly raftPeers: readonly RaftPeer[];
  /** The cluster file that was read; its values stand in the other options. */
  readonly raftClusterConfig: string | undefined;
  /** May this node form a new cluster? Does nothing on a node that holds state. */
  readonly raftInitMembership: boolean;
  /** May a leader answer reads by its lease, without asking a majority each time? */
  readonly readLease: boolean;
  /** Where the peer plane listens; undefined on a single node that was given none. */
  readonly clusterListen: HostPort | undefined;
  /** What the nodes of the cluster prove to each other that they know. */
  readonly clusterSecret: string | undefined;
  /** Folder of the journal and the RaftSnapshots; unused where `raftMemory` is set. */
  readonly dataDir: string;
  /** Keep nothing on disk. */
  readonly raftMemory: boolean;
  /** `always`: an acknowledged append was synced to disk. `never`: it was written. */
  readonly fsync: "always" | "never";
  /** Where older bytes go; undefined follows from where the journal lies. */
  readonly coldBackend: ColdBackendName | undefined;
  /** `s3`: prefix of all keys. `fs`: folder; undefined lies in the data directory. */
  readonly coldRoot: string | undefined;
  /** The bucket of `s3`. */
  readonly coldS3Bucket: string | undefined;
  /** Its region; undefined takes what the SDK finds. */
  readonly coldS3Region: string | undefined;
  /** URL of a store that is not Amazon's. */
  readonly coldS3Endpoint: string | undefined;
  /** Undefined asks the SDK's chain of credentials. */
  readonly coldS3AccessKeyId: string | undefined;
  /** Goes with `coldS3AccessKeyId`. */
  readonly coldS3SecretAccessKey: string | undefined;
  /** Of temporary keys. */
  readonly coldS3SessionToken: string | undefined;
  /** How often groups are looked at for what to flush, in ms. */
  readonly coldFlushIntervalMs: number;
  /** What the next two are where they are not given, in bytes. */
  readonly coldFlushBytes: number;
  /** Hot bytes of a group from which on it is flushed. */
  readonly coldFlushMinHotBytes: number | undefined;
  /** Size of an object, which only a single message exceeds, in bytes. */
  readonly coldFlushMaxBytes: number | undefined;
  /** Flushes at a time. */
  readonly coldFlushMaxConcurrency: number;
  /** Hot bytes of a group; beyond them what adds to them is refused. */
  readonly coldMaxHotBytesPerGroup: number;
  /** Bytes of objects that are kept in memory for readers. */
  readonly coldCacheBytes: number;
  /** How long a bootstrap may take, and an object outlives the last reference to it, in ms. */
  readonly bootstrapMaxAgeMs: number;
  /** How long a long-poll waits for data, in ms. */
  readonly longPollTimeoutMs: number;
  /** After how long the server closes an SSE response, in ms. */
  readonly sseMaxAgeMs: number;
  /** Who may call from a web page. */
  readonly corsOrigin: CorsOrigin;
  /** File of tokens and issuers; undefined lets everybody do everything. */
  readonly authFile: string | undefined;
  /** File of the certificate chain of the client and admin planes; undefined speaks plain HTTP. */
  readonly tlsCert: string | undefined;
  /** File of its private key. */
  readonly tlsKey: string | undefined;
  /** File of the certificate chain that this node shows to others; undefined speaks plain TCP. */
  readonly clusterTlsCert: string | undefined;
  /** File of its private key. */
  readonly clusterTlsKey: string | undefined;
  /** File of the authorities whose certificates make a node. */
  readonly clusterTlsCa: string | undefined;
  /** Largest body of one append or create, in bytes. */
  readonly maxAppendBytes: number;
  /** Largest body of one append batch, in bytes. */
  readonly maxBatchBytes: number;
  /** Most items of one append batch. */
  readonly maxBatchItems: number;
  /** Largest body of a StreamSnapshot, in bytes. */
  readonly maxSnapshotBytes: number;
  /** Longest `Producer-Id`, in bytes of UTF-8. */
  readonly maxProducerIdBytes: number;
  /** Longest `Stream-Seq`, in bytes of UTF-8. */
  readonly maxStreamSeqBytes: number;
  /** Request bodies held in memory at one time, in bytes. */
  readonly maxBodyBytesInFlight: number;
  /** Long-poll and SSE readers at one time. */
  readonly maxLiveReaders: number;
  /** While all writes stand in line for longer, more of them are refused; see `shard/admission.ts`. */
  readonly maxAppendWaitMs: number;
  /** Least level that is logged. */
  readonly logLevel: "debug" | "info" | "warn" | "error";
  /** `text` for people, `json` for machines. */
  readonly logFormat: "text" | "json";
  /** A line for every request that was answered. */
  readonly logRequests: boolean;
}

/** A node of the cluster, and where its peer plane is. */
export interface ClusterPeer {
  /** As it is configured on every node; a positive integer. */
  readonly nodeId: number;
  /** Origin of its client plane. */
  readonly url: string;
  /** Of its peer plane; an IPv6 address stands without brackets. */
  readonly hostname: string;
  /** TCP port of its peer plane. */
  readonly port: number;
}

/** This node as one of several. */
export interface ClusterConfig {
  /** This node's id. */
  readonly nodeId: number;
  /** All nodes, this one included, by rising id; at least two. */
  readonly peers: readonly ClusterPeer[];
  /** Where this node's peer plane listens. */
  readonly listen: HostPort;
  /** May this node form a new cluster? */
  readonly initMembership: boolean;
  /** Set wherever the peer plane listens on more than loopback. */
  readonly secret: string | undefined;
}

/** What options of the cold tier come to, where nobody gave them. */
export interface ColdConfig {
  /** Where older bytes go. */
  readonly coldBackend: ColdBackendName;
  /** With `fs` always a folder. */
  readonly coldRoot: string | undefined;
  /** Hot bytes of a group from which on it is flushed. */
  readonly coldFlushMinHotBytes: number;
  /** Size of an object, which only a single message exceeds, in bytes. */
  readonly coldFlushMaxBytes: number;
}

/** The configuration of a node: its options, and what follows from them. */
export interface Config extends Omit<OptionValues, keyof ColdConfig | "adminListen">, ColdConfig {
  /** Where the admin plane listens, once it is asked to. */
  readonly adminListen: HostPort;
  /** Undefined on a single node, which opens no peer plane. */
  readonly cluster: ClusterConfig | undefined;
}

/** Options of a program alone: they name files whose content `createNode()` is given itself. */
export type ProgramOption = "raftClusterConfig";

/**
 * What a program gives to `createNode()`: any of the options. What it leaves out has the profile's
 * value, or else the default. Addresses may be written `HOST:PORT`, peers
 * `ID=URL[,cluster=HOST:PORT]`.
 */
export type ConfigInput =
  & Partial<
    Omit<OptionValues, ProgramOption | "listen" | "adminListen" | "clusterListen" | "raftPeers">
  >
  & {
    readonly listen?: HostPort | string;
    readonly adminListen?: HostPort | string | undefined;
    readonly clusterListen?: HostPort | string | undefined;
    readonly raftPeers?: readonly (RaftPeer | string)[];
  };

/** What defaults depend on. */
export interface Machine {
  /** Cores that this process may use. */
  readonly cores: number;
}
