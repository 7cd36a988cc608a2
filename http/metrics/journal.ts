import {
  type DurationFacts,
  durationFactsOf,
  type JournalFacts,
  type ShardFacts,
} from "../../shard/mod.ts";
import { histogramJson } from "./histogram_json.ts";
import { counter, gauge, type Series } from "./series.ts";
import type { MetricsView } from "./view.ts";

/** All journals of a node together. */
export interface JournalTotals extends Omit<JournalFacts, "syncDurations"> {
  readonly syncs: DurationFacts;
}

/** Adds the journals up; undefined where there are none. */
export function journalTotalsOf(shards: readonly ShardFacts[]): JournalTotals | undefined {
  const journals = shards.map(({ journal }) => journal).filter((facts) => facts !== undefined);
  if (journals.length === 0) return undefined;
  const sum = (field: keyof Omit<JournalFacts, "syncDurations">) =>
    journals.reduce((total, facts) => total + facts[field], 0);
  return {
    diskBytes: sum("diskBytes"),
    segments: sum("segments"),
    writtenBytes: sum("writtenBytes"),
    copiedBytes: sum("copiedBytes"),
    batches: sum("batches"),
    fsyncs: sum("fsyncs"),
    syncs: durationFactsOf(journals.map(({ syncDurations }) => syncDurations)),
  };
}

/** `journal` of the JSON; null where nothing is kept on disk. */
export function journalJson({ journal }: MetricsView) {
  if (journal === undefined) return null;
  return {
    bytes: journal.diskBytes,
    segments: journal.segments,
    written_bytes: journal.writtenBytes,
    copied_bytes: journal.copiedBytes,
    batches: journal.batches,
    fsyncs: journal.fsyncs,
    fsync_latency: histogramJson(journal.syncs),
  };
}

/** The journals. */
export const JOURNAL_SERIES: readonly Series[] = [
  gauge({
    name: "ursula_journal_bytes",
    json: "journal.bytes",
    help: "Bytes of the journals on disk.",
    of: ({ journal }) => journal?.diskBytes,
  }),
  gauge({
    name: "ursula_journal_segments",
    json: "journal.segments",
    help: "Files that the journals consist of.",
    of: ({ journal }) => journal?.segments,
  }),
  counter({
    name: "ursula_journal_written_bytes_total",
    json: "journal.written_bytes",
    help: "Bytes written to the journals.",
    of: ({ journal }) => journal?.writtenBytes,
  }),
  counter({
    name: "ursula_journal_copied_bytes_total",
    json: "journal.copied_bytes",
    help: "Bytes of them that were written anew, so that an old file could go.",
    of: ({ journal }) => journal?.copiedBytes,
  }),
  counter({
    name: "ursula_journal_batches_total",
    json: "journal.batches",
    help: "Turns whose work was written: one write each, for all groups of a journal.",
    of: ({ journal }) => journal?.batches,
  }),
  counter({
    name: "ursula_journal_fsyncs_total",
    json: "journal.fsyncs",
    help: "Times that the disk was asked to make a journal durable.",
    of: ({ journal }) => journal?.fsyncs,
  }),
  {
    name: "ursula_journal_fsync_duration_seconds",
    type: "histogram",
    labels: [],
    json: "journal.fsync_latency",
    help: "How long the disk took to make durable what a journal had written.",
    read({ journal }, take) {
      if (journal !== undefined) take(journal.syncs);
    },
  },
];
