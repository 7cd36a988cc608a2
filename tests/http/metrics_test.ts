/** What `/metrics` and `/__ursula/metrics` say of a process that has something to do. */

import assert from "node:assert/strict";
import { ALL_SERIES } from "../given/metrics_agree.ts";
import { lookUp } from "../given/metrics_json.ts";
import { readMetrics } from "../given/prometheus.ts";
import { fresh, serve } from "./client.ts";

const APPENDS = 20;
const TEXT = "text/plain";

const api = serve({ args: ["--core-count", "2", "--raft-group-count", "8"] });

async function json() {
  return JSON.parse((await api.get("/__ursula/metrics")).text);
}

Deno.test("metrics count what was asked for, and what came of it", async () => {
  const before = await json();
  const path = await api.create(TEXT);
  for (let at = 0; at < APPENDS; at++) await api.append(path, TEXT, "0123456789");
  assert.equal((await api.get(`${path}?offset=-1`)).text.length, 10 * APPENDS);
  assert.equal((await api.get(fresh())).status, 404);
  assert.equal((await api.post(path, "application/json", "[1]")).status, 409);
  assert.equal((await api.send("OPTIONS", path)).status, 204);
  assert.equal((await api.send("PATCH", path)).status, 405);
  const after = await json();

  const { responses, latency } = after.http;
  assert.deepEqual(responses.create, { "201": 1 });
  assert.deepEqual(responses.append, { "204": APPENDS, "409": 1 });
  assert.deepEqual(responses.read, { "200": 1, "404": 1 });
  assert.deepEqual([responses.preflight, responses.other], [{ "204": 1 }, { "405": 1 }]);
  assert.equal(latency.append.count, APPENDS + 1);
  assert.ok(latency.append.sum_seconds > 0);

  const cores = (field: string) =>
    after.cores.reduce((sum: number, core: Record<string, number>) => sum + (core[field] ?? 0), 0);
  assert.deepEqual(after.cores.map(({ id }: { id: number }) => id), [0, 1]);
  // The refused one too, whose type is looked at when it is applied.
  assert.equal(cores("appends"), APPENDS + 1);
  assert.ok(cores("append_bytes") >= 10 * APPENDS);
  assert.ok(cores("reads") >= 2);
  for (const { event_loop_delay } of after.cores) assert.ok(event_loop_delay.count > 0);

  assert.deepEqual(
    after.raft_groups.map((group: { id: number; core_id: number }) => [group.id, group.core_id]),
    Array.from({ length: 8 }, (_, id) => [id, id % 2]),
  );
  const { resident_bytes, cpu_seconds } = after.process;
  assert.ok(resident_bytes > 10 << 20 && cpu_seconds > 0, `${resident_bytes} ${cpu_seconds}`);
  assert.deepEqual([after.ready, after.groups.led, after.groups.streams], [true, 8, 1]);
  const committed = after.groups.committed_entries - before.groups.committed_entries;
  assert.ok(committed > APPENDS, `${committed} entries`);

  const { fsyncs, fsync_latency, bytes, written_bytes } = after.journal;
  assert.ok(fsyncs - before.journal.fsyncs >= APPENDS, "each append waited for a sync of its own");
  assert.ok(fsync_latency.count >= APPENDS && fsync_latency.sum_seconds > 0);
  assert.ok(bytes > 0 && written_bytes > before.journal.written_bytes);
});

Deno.test("the Prometheus text lies between the JSON before it and after it", async () => {
  const path = await api.create(TEXT);
  const reader = await fetch(`${api.url}${path}?offset=-1&live=sse`);
  const earlier = await json();
  const { text, headers } = await api.get("/metrics");
  const later = await json();
  await reader.body?.cancel();
  assert.equal(headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const families = readMetrics(text);
  let compared = 0;
  for (const { name, type, labels, json: place } of ALL_SERIES) {
    if (type !== "counter") continue;
    const [least, most] = [earlier, later].map((root) => lookUp(root, place));
    for (const { labels: values, value } of least ?? []) {
      const isSame = (one: readonly string[]) => one.join() === values.join();
      const sample = families.get(name)?.samples.find((one) =>
        isSame(labels.map((label) => one.labels[label] ?? ""))
      );
      const end = most?.find((one) => isSame(one.labels))?.value;
      assert.ok(sample !== undefined, `${name} ${values}`);
      assert.ok(sample.value >= Number(value) && sample.value <= Number(end), `${name} ${values}`);
      compared++;
    }
  }
  assert.ok(compared > 30, `${compared} values`);
  const readers = families.get("ursula_live_readers")?.samples.map(({ value }) => value);
  assert.deepEqual(readers?.toSorted(), [0, 1]);
});
