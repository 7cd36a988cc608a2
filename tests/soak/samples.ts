/**
 * What a node's process and its data take, looked at from outside (Linux).
 *
 * @module
 */

import type { Cluster } from "../cluster/cluster.ts";
import type { ClusterNode } from "../cluster/cluster_node.ts";

/** What is looked at. */
export const MEASURES = ["memory", "handles", "disk", "objects"] as const;

/** Memory and disk in bytes, the others in numbers. */
export type Measure = typeof MEASURES[number];

/** One look at one node. */
export interface Sample extends Readonly<Record<Measure, number>> {
  /** Since the beginning. */
  readonly atMs: number;
  readonly node: number;
}

const BLOCK_BYTES = 512;

/** A look at each node that runs. */
export async function lookAt(cluster: Cluster, atMs: number): Promise<Sample[]> {
  const samples = await Promise.all(cluster.running.map(async (node) => {
    try {
      return { atMs, node: node.id, ...await measuresOf(node) };
    } catch (error) {
      // It was ended meanwhile.
      if (node.state !== "up" || error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }));
  return samples.filter((sample) => sample !== undefined);
}

async function measuresOf({ server, dataDir }: ClusterNode): Promise<Record<Measure, number>> {
  const memory = await server.residentBytes();
  let handles = 0;
  for await (const _ of Deno.readDir(`/proc/${server.pid}/fd`)) handles++;
  const { disk, objects } = await filesIn(dataDir);
  return { memory, handles, disk, objects };
}

async function filesIn(folder: string): Promise<{ disk: number; objects: number }> {
  let [disk, objects] = [0, 0];
  const folders = [folder];
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    for (const entry of await namesIn(at)) {
      const path = `${at}/${entry.name}`;
      if (entry.isDirectory) folders.push(path);
      else {
        const found = await Deno.stat(path).catch(() => undefined);
        disk += (found?.blocks ?? 0) * BLOCK_BYTES;
        if (entry.name.endsWith(".object")) objects++;
      }
    }
  }
  return { disk, objects };
}

/** Files come and go while they are looked at. */
async function namesIn(folder: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(folder));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
