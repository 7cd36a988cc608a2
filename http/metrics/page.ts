import { CHAPTERS } from "./registry.ts";

/** The text of `docs/metrics.md`, before formatting. */
export function metricsPage(): string {
  return [
    "# Metrics",
    "",
    "This page is written by `deno task docs` from the tables in `http/metrics/`; change it there.",
    "",
    "`GET /metrics` is the Prometheus text format, and `GET /__ursula/metrics` the same as JSON, on " +
    "the client plane and on the admin plane alike. Both are of this node alone: sums over a " +
    "cluster are made where they are scraped. Counters begin at 0 with each start of the node, " +
    "unless their line says otherwise. Asking every second does no harm.",
    "",
    "```yaml",
    "scrape_configs:",
    "  - job_name: ursula",
    "    scrape_interval: 5s",
    "    static_configs:",
    '      - targets: ["10.0.0.1:4437", "10.0.0.2:4437", "10.0.0.3:4437"]',
    "```",
    "",
    "`deploy/grafana-dashboard.json` draws the most important of them.",
    "",
    "The last column says where the JSON has the same: `[]` stands for each element of a list, `*` " +
    "for each field of an object. Durations are seconds in the text, in the JSON what the field's " +
    "name says. A histogram is an object there with `count`, `sum_seconds` and `buckets`, " +
    "cumulative as in the text. What a node has nothing of, such as a journal in memory mode, is " +
    "left out of the text and null in the JSON; of requests only those routes are there that were " +
    "asked for.",
    "",
    "Two series alone have a line for each group. All else that is known of a group is in " +
    "`raft_groups` of the JSON.",
    ...CHAPTERS.flatMap(({ title, series }) => [
      "",
      `## ${title}`,
      "",
      "| metric | type | labels | | JSON |",
      "| --- | --- | --- | --- | --- |",
      ...series.map(({ name, type, labels, help, json }) => {
        const labelled = labels.map((label) => `\`${label}\``).join(", ");
        return `| \`${name}\` | ${type} | ${labelled} | ${help} | ${json && `\`${json}\``} |`;
      }),
    ]),
    "",
  ].join("\n");
}
