/**
 * The nodes of a cluster as people write them: `ID=URL[,cluster=HOST:PORT]`, several of them parted
 * by commas or white space, or the objects of a cluster file.
 *
 * @module
 */

import { type HostPort, hostPort, type Kind } from "./kinds.ts";

/** One node of the cluster, as configured. */
export interface RaftPeer {
  /** A positive integer. */
  readonly nodeId: number;
  /** Where its client plane is, such as `http://10.0.0.1:4437`. */
  readonly url: string;
  /** Where its peer plane is; else at the URL's host, 10000 ports above the URL's. */
  readonly cluster?: HostPort;
}

/** The largest node id: nodes tell each other theirs in 4 bytes. */
export const NODE_ID_MAX = 0xffff_ffff;
/** Nodes of one cluster; more are taken for a mistake. */
const PEERS_MAX = 64;

/** A list of peers. */
export const raftPeers: Kind<readonly RaftPeer[]> = {
  placeholder: "ID=URL[,cluster=HOST:PORT]",
  expected: "ID=URL[,cluster=HOST:PORT], such as 1=http://10.0.0.1:4437, each id once",
  read(raw) {
    const items = typeof raw === "string" ? itemsOf(raw) : raw;
    if (!Array.isArray(items) || items.length > PEERS_MAX) return undefined;
    const peers: RaftPeer[] = [];
    for (const item of items) {
      const peer = typeof item === "string" ? readText(item) : readObject(item);
      if (peer === undefined) return undefined;
      if (peers.some(({ nodeId }) => nodeId === peer.nodeId)) return undefined;
      peers.push(peer);
    }
    return peers;
  },
  write: (peers) => peers.map(writePeer).join(","),
};

function writePeer({ nodeId, url, cluster }: RaftPeer): string {
  return `${nodeId}=${url}${cluster === undefined ? "" : `,cluster=${hostPort.write(cluster)}`}`;
}

/** Parts a list; `cluster=` belongs to the peer before it. */
function itemsOf(text: string): string[] {
  const items: string[] = [];
  for (const part of text.split(/[,\s]+/)) {
    const last = items.length - 1;
    if (part.startsWith("cluster=") && last >= 0) items[last] += `,${part}`;
    else if (part !== "") items.push(part);
  }
  return items;
}

function readText(text: string): RaftPeer | undefined {
  const match = /^([0-9]{1,16})=([^,\s]+)(?:,cluster=([^,\s]+))?$/.exec(text.trim());
  return match === null ? undefined : peerFrom(Number(match[1]), match[2], match[3]);
}

/** Reads an object as a cluster file has it (`node_id`) or a program (`nodeId`). */
function readObject(item: unknown): RaftPeer | undefined {
  if (typeof item !== "object" || item === null) return undefined;
  const { node_id, nodeId = node_id, url, cluster, ...rest }: Record<string, unknown> = { ...item };
  return Object.keys(rest).length > 0 ? undefined : peerFrom(nodeId, url, cluster);
}

function peerFrom(nodeId: unknown, url: unknown, cluster: unknown): RaftPeer | undefined {
  if (typeof nodeId !== "number" || !Number.isInteger(nodeId)) return undefined;
  if (nodeId < 1 || nodeId > NODE_ID_MAX) return undefined;
  const origin = typeof url === "string" ? originOf(url) : undefined;
  if (origin === undefined) return undefined;
  if (cluster === undefined) return { nodeId, url: origin };
  const address = hostPort.read(cluster);
  // A peer can't be called at a port that the system chooses.
  if (address === undefined || address.port === 0) return undefined;
  return { nodeId, url: origin, cluster: address };
}

function originOf(text: string): string | undefined {
  const url = URL.parse(text);
  const isOrigin = url !== null && /^https?:$/.test(url.protocol) && url.pathname === "/" &&
    url.search === "" && url.hash === "" && url.username === "" && url.password === "";
  return isOrigin ? url.origin : undefined;
}
