import type { LogLine } from "../io/mod.ts";
import { PEER_KINDS } from "../shard/peer_kinds.ts";
import type { ClusterSetup } from "../shard/mod.ts";
import { COMMAND_VERSION } from "../stream/mod.ts";
import { coldStoreOf, type NodeColdConfig } from "./cold.ts";
import type { ClusterConfig, Config } from "./config/mod.ts";
import { Formation } from "./formation.ts";
import { encodeReport } from "./formation_wire.ts";
import { Links } from "./links.ts";
import type { Io } from "./runtime.ts";
import type { Store } from "./store.ts";

/** The first shard's links to the other nodes, and this node's part in how the cluster forms. */
export class ClusterLinks {
  readonly links: Links;
  readonly #options: ClusterLinksOptions;
  readonly #formation: Formation;

  constructor(options: ClusterLinksOptions) {
    this.#options = options;
    const { cluster, store, io, log, onFatal } = options;
    this.links = new Links(
      this.setup,
      io,
      log,
      (from, bytes) => this.#formation.answer(from, bytes),
    );
    this.#formation = new Formation({
      store,
      cluster,
      call: (nodeId, kind, parts) => this.links.plane.call(nodeId, kind, parts),
      kind: PEER_KINDS.FORMATION,
      io,
      log,
      onFatal,
    });
  }

  /** What shards must know of the cluster, as of now. */
  get setup(): ClusterSetup {
    const { config, cluster, store, shared } = this.#options;
    const { peers, listen, secret, initMembership } = cluster;
    return {
      self: {
        nodeId: store.nodeId,
        storeId: store.storeId,
        formationId: store.record?.id ?? "",
        clusterId: config.clusterId,
        groupCount: config.raftGroupCount,
        commandVersions: { min: COMMAND_VERSION, max: COMMAND_VERSION },
        coldStore: coldStoreOf(config),
      },
      peers,
      listen,
      shared,
      secret: secret === undefined ? undefined : new TextEncoder().encode(secret),
      formationReport: encodeReport({
        member: store.member,
        formation: store.record,
        listed: peers.map(({ nodeId }) => nodeId).sort((a, b) => a - b),
        mayForm: initMembership,
      }),
      readLease: config.readLease,
    };
  }

  /** Lets the other nodes connect. @throws NetworkError when the address is taken */
  async listen(): Promise<void> {
    await this.links.listen();
  }

  /** Resolves once the cluster has formed, and this node has that durably. */
  async formed(): Promise<void> {
    const { id } = await this.#formation.form();
    this.links.plane.formed(id);
  }

  /** Ends all connections, and the waiting for the cluster to form. */
  async close(): Promise<void> {
    this.#formation.close();
    await this.links.close();
  }
}

/** What {@linkcode ClusterLinks} needs of a node. */
export interface ClusterLinksOptions {
  readonly config: Pick<Config, "clusterId" | "raftGroupCount" | "readLease"> & NodeColdConfig;
  readonly cluster: ClusterConfig;
  readonly store: Store;
  readonly io: Io;
  /** Every shard of the node listens on the peer plane's port. */
  readonly shared: boolean;
  readonly log: LogLine;
  readonly onFatal: (reason: Error) => void;
}
