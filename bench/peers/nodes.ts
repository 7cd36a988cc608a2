/**
 * Three servers that act as one.
 *
 * @module
 */

import type { Running } from "./peer.ts";

/** How many servers a cluster has. */
export const NODES = 3;

/** A cluster that runs and has leaders; as a server it is its first node. */
export interface RunningNodes extends Running {
  readonly nodes: readonly Running[];
  /** Which node a stream's appends are to be sent to; undefined where any will do. */
  leaderOf?(path: string): Promise<Running>;
}

/** The streams that each node's connections append to. */
export interface Share {
  port: number;
  pid: number;
  streams: readonly number[];
}

/** Requests that are under way at a time. */
const AT_ONCE = 16;

/** Shortly after their start servers may answer 503, or that they do not know. */
const TRIES = 5;
/** Pause before the second; each further one is longer. */
const TRY_MS = 200;

/** Does something for every number below `count`, some at a time. */
export async function forEach(count: number, work: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/**
 * Creates the streams `s0` to `s{count-1}`, and deals them out: all to every node where any node
 * takes any append, else each to its leader's. Does no harm to streams that are there.
 */
export async function createStreams(cluster: RunningNodes, count: number): Promise<Share[]> {
  const { nodes, prefix } = cluster;
  const all = Array.from({ length: count }, (_, n) => n);
  const shares = nodes.map(({ port, pid }) => ({ port, pid, streams: [] as number[] }));
  await forEach(count, async (n) => {
    const path = `${prefix}s${n}`;
    const node = cluster.leaderOf === undefined
      ? nodes[n % nodes.length]
      : await cluster.leaderOf(path);
    await insist(node?.port, path, { method: "PUT", headers: TEXT });
    shares.find(({ port }) => port === node?.port)?.streams.push(n);
  });
  if (cluster.leaderOf === undefined) return shares.map((share) => ({ ...share, streams: all }));
  if (shares.some(({ streams }) => streams.length === 0)) {
    throw new Error("a node leads nothing: its connections would have no work");
  }
  return shares;
}

/** Appends the same number of messages to every stream. */
export async function fill(
  { prefix }: RunningNodes,
  shares: readonly Share[],
  { messages, bytes }: { messages: number; bytes: number },
): Promise<void> {
  const body = new Uint8Array(bytes).fill(0x78);
  const portOf = new Map<number, number>();
  for (const { port, streams } of shares) for (const n of streams) portOf.set(n, port);
  const streams = [...portOf.keys()];
  await forEach(messages * streams.length, async (at) => {
    const n = streams[at % streams.length] ?? 0;
    await insist(portOf.get(n), `${prefix}s${n}`, { method: "POST", headers: TEXT, body });
  });
}

const TEXT = { "content-type": "text/plain" };

/** Repeats what nobody knows the outcome of: one message more or less does not matter here. */
async function insist(port: number | undefined, path: string, init: RequestInit): Promise<void> {
  for (let tries = 1;; tries++) {
    try {
      return await expectOk(port, path, init);
    } catch (reason) {
      if (tries === TRIES) throw reason;
      await new Promise((resolve) => setTimeout(resolve, tries * TRY_MS));
    }
  }
}

async function expectOk(port: number | undefined, path: string, init: RequestInit): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { ...init, redirect: "manual" });
  const text = await response.text();
  if (response.ok) return;
  throw new Error(`${init.method} ${path} was answered ${response.status} ${text.slice(0, 200)}`);
}
