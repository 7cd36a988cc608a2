import assert from "node:assert/strict";
import { ALL_SERIES, assertAgree } from "../../tests/given/metrics_agree.ts";
import {
  busyShard,
  COLD_FACTS,
  groupFacts,
  nodeFacts,
  shardFacts,
} from "../../tests/given/node_facts.ts";
import { readMetrics } from "../../tests/given/prometheus.ts";
import type { NodeFacts } from "../context.ts";
import { INSTRUMENTS, metricRows, metricsJson, metricsText } from "./mod.ts";

const BUSY: NodeFacts = nodeFacts([
  busyShard(0, [
    groupFacts({ id: 0, hotBytes: 3, streams: 2, term: 7 }),
    groupFacts({ id: 2, leader: undefined, caughtUp: false, hasRoom: false, overloads: 4 }),
  ]),
  busyShard(1, [
    groupFacts({ id: 1, shard: 1, leader: "1.a", leads: true, commitIndex: 9, appliedIndex: 5 }),
    groupFacts({ id: 3, shard: 1, votes: false, coldLacking: 6, coldBytes: 10, proposals: 8 }),
  ]),
], {
  uptimeMs: 12_345.6,
  clusterId: 'quo"te\\d',
  stopping: true,
  process: { residentBytes: 1 << 28, cpuMs: 1_234.5, handles: { open: 30, max: 1024 } },
});

Deno.test("metricsText() and metricsJson() say the same of a node with something of everything", () => {
  assertAgree(textOf(BUSY), jsonOf(BUSY));
});

Deno.test("metricsText() and metricsJson() say the same of a node that has done nothing", () => {
  const facts = nodeFacts([shardFacts({ groups: [groupFacts()] })]);
  assertAgree(textOf(facts), jsonOf(facts));
});

Deno.test("metricRows() has every number of the text, each of a known instrument", () => {
  const written = metricRows(BUSY).map(({ name, value, labels }) => {
    assert.ok(INSTRUMENTS.some((instrument) => instrument.name === name), name);
    const named = Object.entries(labels).map(([label, value]) =>
      `${label}="${String(value).replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`
    );
    return `${name}${named.length === 0 ? "" : `{${named}}`} ${value}`;
  });
  assert.deepEqual(written, textOf(BUSY).split("\n").filter((line) => /^\w/.test(line)));
});

Deno.test("metricsText() has every series of the table when there is something of each", () => {
  const families = readMetrics(textOf(BUSY));
  assert.deepEqual([...families.keys()], ALL_SERIES.map(({ name }) => name));
  assert.deepEqual(
    families.get("ursula_node_info")?.samples.map(({ labels, value }) => [labels, value]),
    [[{ node_id: "1", cluster_id: 'quo"te\\d', version: "0" }, 1]],
  );
});

Deno.test("every series is named by the conventions of Prometheus", () => {
  const names = new Set<string>();
  for (const { name, type, help, labels } of ALL_SERIES) {
    // What every process has goes by the names that every process gives it.
    assert.match(name, /^(?:ursula(?:_[a-z]+)+|process_[a-z_]+)$/, name);
    assert.ok(!names.has(name), `${name} comes once`);
    names.add(name);
    assert.equal(name.endsWith("_total"), type === "counter", `${name} is a ${type}`);
    if (type === "histogram") assert.match(name, /_seconds$/, name);
    // Base units, and the unit at the end.
    assert.doesNotMatch(name, /_(?:ms|millis|micros|nanos|minutes|hours|kib|mib|kb|mb|percent)\b/);
    assert.doesNotMatch(name, /_(?:seconds|bytes)_(?!total$)/, name);
    // What Prometheus puts there by itself, and what a query already says.
    assert.doesNotMatch(name, /_(?:count|sum|bucket|gauge|counter|histogram)$/, name);
    assert.match(help, /^[A-Z1].*\.$/, `${name}: ${help}`);
    for (const label of labels) {
      assert.match(label, /^[a-z_]+$/, name);
      assert.ok(!["le", "quantile", "job", "instance"].includes(label), name);
    }
  }
});

Deno.test("metricsText() counts groups by what is wrong with them", () => {
  const families = readMetrics(textOf(BUSY));
  const value = (name: string) => families.get(name)?.samples[0]?.value;
  assert.deepEqual([value("ursula_groups"), value("ursula_groups_led")], [4, 1]);
  assert.equal(value("ursula_groups_without_leader"), 1);
  assert.equal(value("ursula_groups_without_room"), 1);
  assert.equal(value("ursula_groups_without_vote"), 1);
  assert.equal(value("ursula_groups_not_caught_up"), 1);
  assert.equal(value("ursula_raft_unapplied_entries"), 4);
  assert.equal(value("ursula_raft_terms_total"), 10);
  assert.equal(value("ursula_ready"), 0);
  const leaders = families.get("ursula_group_leader_id")?.samples.map((sample) => sample.value);
  assert.deepEqual(leaders, [2, 0, 1, 2]);
});

Deno.test("metricsText() counts each other store once, and those that are connected", () => {
  const groups = [groupFacts(), groupFacts({ id: 1, learners: ["4.d"] })];
  const families = readMetrics(textOf(nodeFacts([shardFacts({ groups })])));
  const value = (name: string) => families.get(name)?.samples[0]?.value;
  assert.deepEqual([value("ursula_peers"), value("ursula_peers_reached")], [3, 2]);
});

Deno.test("metricsText() adds up what each of the others waits for from a core", () => {
  const depths = readMetrics(textOf(BUSY)).get("ursula_mailbox_depth")?.samples;
  assert.deepEqual(depths?.map(({ labels, value }) => [labels.core, value]), [
    ["0", 5 + 6],
    ["1", 7 + 8],
  ]);
});

Deno.test("metricsJson() has the figures of the specification", () => {
  const json = jsonOf(BUSY);
  assert.deepEqual([json.node_id, json.version, json.uptime_ms], [1, "0", 12_346]);
  assert.match(json.not_ready_because, /about to end/);
  assert.deepEqual(json.http.responses.append, { "204": 2, "503": 2 });
  assert.equal(json.cold.objects, 2 * COLD_FACTS.objects);
  assert.equal(json.journal.fsync_latency.count, 6);
  assert.deepEqual(json.raft_groups[2].core_id, 1);
  assert.equal(json.cores[1].appends, 101);
});

function textOf(facts: NodeFacts): string {
  return metricsText(facts).body as string;
}

function jsonOf(facts: NodeFacts) {
  return JSON.parse(metricsJson(facts).body as string);
}
