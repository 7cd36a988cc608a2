import type { ColdFlushed } from "../../protocol/mod.ts";
import { CallError } from "../client.ts";
import type { Cluster } from "../cluster.ts";
import type { Context } from "../context.ts";
import { Failure, UsageError } from "../failure.ts";
import { pause } from "../machine.ts";
import { counted } from "../output.ts";
import { listBuckets, listStreams } from "../listings.ts";
import { parseStreamName } from "../streams.ts";

/** Options of {@linkcode flushCold}. */
export interface FlushColdOptions {
  readonly all?: boolean;
  readonly dryRun?: boolean;
}

const LEADER_MS_MAX = 15_000;
const RETRY_MS = 200;

/** Has what streams hold in memory moved to the cold store. */
export async function flushCold(
  context: Context,
  names: readonly string[],
  { all, dryRun }: FlushColdOptions,
): Promise<void> {
  if ((names.length > 0) === (all === true)) {
    throw new UsageError("say which: streams such as /demo/hello, or --all");
  }
  const { screen } = context;
  const cluster = await context.cluster();
  let streams = 0;
  let bytes = 0;
  const flush = async (bucket: string, stream: string) => {
    if (dryRun !== true) bytes += (await flushOne(cluster, bucket, stream)).flushed_bytes;
    streams++;
    screen.progress(`${counted(streams, "stream")}, ${bytes} bytes`);
  };
  for (const name of names.map(parseStreamName)) await flush(name.bucket, name.stream);
  if (all === true) {
    const source = await context.streams();
    for await (const bucket of listBuckets(source, "")) {
      for await (const { stream_id } of listStreams(source, bucket, "")) {
        await flush(bucket, stream_id);
      }
    }
  }
  await screen.result({ streams, flushed_bytes: bytes, ...(dryRun ? { dry_run: true } : {}) });
  const would = dryRun === true ? "would be flushed" : `flushed, ${bytes} bytes`;
  await screen.line(`${counted(streams, "stream")} ${would}`);
}

/** Which group a stream is in, the nodes know: whoever does not lead it says who does. */
async function flushOne(cluster: Cluster, bucket: string, stream: string): Promise<ColdFlushed> {
  const deadlineMs = performance.now() + LEADER_MS_MAX;
  let at = 0;
  let hint: number | undefined;
  for (;;) {
    const node = hint === undefined
      ? cluster.nodes[at++ % cluster.nodes.length]
      : cluster.node(hint);
    hint = undefined;
    if (node === undefined) throw new Failure("the manifest has no node");
    try {
      return await node.flushCold(bucket, stream);
    } catch (error) {
      if (!(error instanceof CallError) || !error.mayPass) throw error;
      if (performance.now() > deadlineMs) throw error;
      hint = error.refusal.leaderId;
      if (hint === undefined) await pause(RETRY_MS);
    }
  }
}
