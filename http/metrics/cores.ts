import { durationFactsOf, type ShardFacts } from "../../shard/mod.ts";
import { histogramJson } from "./histogram_json.ts";
import type { HistogramSeries, NumberSeries, Series } from "./series.ts";
import type { MetricsView } from "./view.ts";

/** `cores` of the JSON. */
export function coresJson({ shards }: MetricsView) {
  return shards.map((shard) => ({
    id: shard.id,
    mailbox_depth: mailboxDepth(shards, shard.id),
    event_loop_delay: histogramJson(durationFactsOf([shard.loopDelay])),
    write_gap_ms: shard.writeGapMs,
    disk_slow: shard.diskSlow,
    appends: shard.appends,
    append_bytes: shard.appendBytes,
    reads: shard.reads,
    live_readers: liveReaders(shard),
  }));
}

const LOOP_DELAY: HistogramSeries = {
  name: "ursula_event_loop_delay_seconds",
  type: "histogram",
  labels: ["core"],
  json: "cores[].event_loop_delay",
  help: "By how much a timer that is due every 20 ms was late: how long work waits for its turn.",
  read({ shards }, take) {
    for (const { id, loopDelay } of shards) take(durationFactsOf([loopDelay]), id);
  },
};

/** Each shard, which is each core's worker. */
export const CORE_SERIES: readonly Series[] = [
  ofCore({
    name: "ursula_appends_total",
    type: "counter",
    json: "cores[].appends",
    help:
      "Appends that groups led by this node were given; a batch of them, or a JSON array, is one.",
    of: ({ appends }) => appends,
  }),
  ofCore({
    name: "ursula_appended_bytes_total",
    type: "counter",
    json: "cores[].append_bytes",
    help: "Bytes that these appends brought, as they are stored.",
    of: ({ appendBytes }) => appendBytes,
  }),
  ofCore({
    name: "ursula_reads_total",
    type: "counter",
    json: "cores[].reads",
    help:
      "Reads of streams that this node's replicas were asked for, those of live readers included.",
    of: ({ reads }) => reads,
  }),
  ofCore({
    name: "ursula_live_readers",
    type: "gauge",
    json: "cores[].live_readers",
    help: "Live readers (SSE and long-poll) that are connected.",
    of: liveReaders,
  }),
  ofCore({
    name: "ursula_mailbox_depth",
    type: "gauge",
    json: "cores[].mailbox_depth",
    help: "Calls of the node's other cores that this one has yet to answer.",
    of: ({ id }, shards) => mailboxDepth(shards, id),
  }),
  LOOP_DELAY,
  ofCore({
    name: "ursula_write_gap_seconds",
    type: "gauge",
    json: "cores[].write_gap_ms",
    help:
      "Least time between two writes to a journal: above 0 the core is full, and others want it too.",
    of: ({ writeGapMs }) => writeGapMs / 1000,
  }),
  ofCore({
    name: "ursula_disk_slow",
    type: "gauge",
    json: "cores[].disk_slow",
    help:
      "1 where a write to a journal took a second of late, and others are to lead what they can.",
    of: ({ diskSlow }) => Number(diskSlow),
  }),
];

function ofCore(
  { of, ...rest }: Pick<NumberSeries, "name" | "type" | "json" | "help"> & {
    of: (shard: ShardFacts, shards: readonly ShardFacts[]) => number;
  },
): NumberSeries {
  return {
    ...rest,
    labels: ["core"],
    read({ shards }, take) {
      for (const shard of shards) take(of(shard, shards), shard.id);
    },
  };
}

function liveReaders({ plane }: ShardFacts): number {
  return plane?.liveReaders.now ?? 0;
}

/** Each of the others knows what it has sent there and has no answer to, on its way or taken up. */
function mailboxDepth(shards: readonly ShardFacts[], id: number): number {
  return shards.reduce((depth, { waitsFor }) => depth + (waitsFor[id] ?? 0), 0);
}
