/**
 * What follows from the options of a cluster: every node's peer plane, and whether there is a
 * cluster at all (SPEC sections 1, 8, 10 and 13).
 *
 * @module
 */

import { type HostPort, hostPort, isLoopback } from "./kinds.ts";
import { envName, OPTIONS } from "./options.ts";
import type { RaftPeer } from "./peers.ts";
import { ConfigError } from "./config_error.ts";
import type { ClusterConfig, ClusterPeer, OptionValues } from "./types.ts";

/** The peer plane's port lies this far above the client plane's (SPEC section 1). */
const PEER_PORT_OFFSET = 10_000;
const PORT_MAX = 65_535;
/** Nodes take what comes of such a body, however many messages it has, from each other. */
const BODY_BYTES_MAX = 32 << 20;
const DEFAULT_PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

/**
 * The cluster that a node belongs to; undefined for a single node.
 *
 * @param nodeIdGiven somebody gave the node id: with peers the default must not stand in for it
 * @throws {ConfigError} when the options don't fit together
 */
export function clusterOf(options: OptionValues, nodeIdGiven: boolean): ClusterConfig | undefined {
  const { nodeId, raftPeers, raftInitMembership, clusterSecret } = options;
  if (raftPeers.length === 0) return undefined;
  const ids = raftPeers.map((peer) => peer.nodeId).sort((a, b) => a - b);
  if (!nodeIdGiven) {
    const { flag } = OPTIONS.nodeId;
    throw new ConfigError(`--${flag} is missing: which of the peers ${ids.join(", ")} is this?`);
  }
  if (!ids.includes(nodeId)) {
    const peers = `the peers ${ids.join(", ")} (--${OPTIONS.raftPeers.flag})`;
    throw new ConfigError(`--${OPTIONS.nodeId.flag} ${nodeId} is not among ${peers}`);
  }
  if (raftPeers.length === 1) return undefined;
  checkBodies(options);
  const listen = options.clusterListen ?? besideClients(options.listen);
  if (clusterSecret === undefined && !isLoopback(listen.hostname)) {
    throw new ConfigError(
      `the peer plane can't listen on ${hostPort.write(listen)}, which is not loopback, without ` +
        envName(OPTIONS.clusterSecret.flag),
    );
  }
  const peers = raftPeers.map(clusterPeer).sort((a, b) => a.nodeId - b.nodeId);
  checkAddresses(peers);
  return { nodeId, peers, listen, initMembership: raftInitMembership, secret: clusterSecret };
}

function besideClients({ hostname, port }: HostPort): HostPort {
  const [listen, clusterListen] = [OPTIONS.listen.flag, OPTIONS.clusterListen.flag];
  if (port === 0) {
    throw new ConfigError(`--${listen} with port 0 needs --${clusterListen} in a cluster`);
  }
  const derived = port + PEER_PORT_OFFSET;
  if (derived <= PORT_MAX) return { hostname, port: derived };
  throw new ConfigError(
    `--${listen} with port ${port} needs --${clusterListen}: ${derived} is no port`,
  );
}

function clusterPeer({ nodeId, url, cluster }: RaftPeer): ClusterPeer {
  if (cluster !== undefined) return { nodeId, url, ...cluster };
  const { hostname, port, protocol } = new URL(url);
  const derived = (port === "" ? DEFAULT_PORTS[protocol] ?? 0 : Number(port)) + PEER_PORT_OFFSET;
  if (derived <= PORT_MAX) {
    return { nodeId, url, hostname: hostname.replace(/^\[|\]$/g, ""), port: derived };
  }
  throw new ConfigError(
    `--${OPTIONS.raftPeers.flag} ${nodeId}=${url} needs ,cluster=HOST:PORT: ${derived} is no port`,
  );
}

/** A body goes to the other nodes in one message. */
function checkBodies(options: OptionValues): void {
  for (const key of ["maxAppendBytes", "maxBatchBytes"] as const) {
    if (options[key] <= BODY_BYTES_MAX) continue;
    const { flag, kind } = OPTIONS[key];
    const [given, most] = [kind.write(options[key]), kind.write(BODY_BYTES_MAX)];
    throw new ConfigError(`--${flag} (${given}) must not be above ${most} in a cluster`);
  }
}

/** One address for two nodes is a slip of the pen that would show only as a cluster that never forms. */
function checkAddresses(peers: readonly ClusterPeer[]): void {
  const owners = new Map<string, number>();
  for (const peer of peers) {
    const address = hostPort.write(peer);
    const owner = owners.get(address);
    if (owner !== undefined) {
      throw new ConfigError(`peers ${owner} and ${peer.nodeId} have one address, ${address}`);
    }
    owners.set(address, peer.nodeId);
  }
}
