/**
 * Three nodes at work for long, while they are restarted and killed by turns: a model knows every
 * byte, and what the nodes take must stay as it is.
 *
 * ```sh
 * deno task soak                              # 10 minutes
 * deno task soak --minutes 60 --seed 4711     # longer, and what another run did
 * deno task soak --cores 2 -- --read-lease off    # flags for every node behind --
 * ```
 *
 * Owners create, append exactly once, read, bootstrap, publish snapshots, fork and delete, each on
 * streams of its own; live readers follow them. A stream that has grown gets a snapshot that stands
 * for most of it, and lives end, so that as much goes as comes. Flushes are small, and what is
 * unreferenced goes after seconds. The exit code is 0 when no answer was wrong, every byte was found
 * through every node in the end, and memory, file handles, disk and objects were flat under a load
 * that was always the same (`flatness.ts`): a machine that is busy otherwise proves nothing. Plan and clients follow from the seed, as far as real processes let them.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { Cluster } from "../cluster/cluster.ts";
import { random } from "../crash/random.ts";
import { pause } from "../http/expect.ts";
import { curveOf, type Look, verdictsOf } from "./curve.ts";
import { LiveReader } from "./live_reader.ts";
import { BUCKET } from "./operations.ts";
import { Owner } from "./owner.ts";
import { planOf, type Upheaval } from "./plan.ts";
import { Requests } from "./requests.ts";
import { lookAt } from "./samples.ts";
import { verify } from "./verify.ts";

const MINUTE_MS = 60_000;
const NODES = 3;
const SAMPLE_MS = 5_000;
/** Lets nodes flush, sweep and fill their caches in minutes, where that takes hours elsewhere. */
const FLAGS = [
  ...["--cold-backend", "fs", "--cold-flush-bytes", "64KiB", "--cold-flush-interval-ms", "200ms"],
  ...["--cold-cache-bytes", "4MiB", "--bootstrap-max-age", "5s", "--sse-max-age", "15s"],
];

const { values, positionals } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    owners: { type: "string", default: "8" },
    readers: { type: "string", default: "6" },
    cores: { type: "string", default: "1" },
    groups: { type: "string", default: "2" },
    "pace-ms": { type: "string", default: "80" },
  },
});
const totalMs = Number(values.minutes) * MINUTE_MS;
const seed = Number(values.seed);
const owners = Number(values.owners);
const readers = Number(values.readers);
if (![totalMs, seed, owners, readers].every((value) => Number.isFinite(value) && value >= 0)) {
  console.error("minutes, seed, owners and readers are numbers");
  Deno.exit(64);
}

const plan = planOf(seed, totalMs, NODES);
console.log(
  `soak: ${values.minutes} minutes, seed ${seed}, ${owners} owners, ${readers} live readers; ` +
    `node ${plan.veteran} is left alone after the first third`,
);
const cluster = await Cluster.start({
  nodes: NODES,
  cores: Number(values.cores),
  groups: Number(values.groups),
  args: [...FLAGS, ...positionals],
});
let failure: unknown;
let isFlat = false;
try {
  isFlat = await soak();
} catch (error) {
  failure = error;
  console.log(await cluster.logs());
  console.log(error);
} finally {
  await cluster[Symbol.asyncDispose]();
}
console.log(
  failure !== undefined
    ? `failed; again with --minutes ${values.minutes} --seed ${seed}`
    : isFlat
    ? "every byte was found, and everything is flat"
    : `every byte was found, but not everything is flat; seed ${seed}`,
);
Deno.exit(failure === undefined && isFlat ? 0 : 1);

/** The run: whether everything was flat. @throws Error at whatever was wrong */
async function soak(): Promise<boolean> {
  const requests = new Requests(cluster, random(seed + 1));
  const made = await requests.send({ method: "PUT", path: BUCKET });
  if (made.status !== 201 && made.status !== 200) throw new Error(`bucket: ${made.status}`);
  const clients = Array.from(
    { length: owners },
    (_, at) => new Owner(`w${at}`, requests, random(seed + 1_000 + at), Number(values["pace-ms"])),
  );
  const streams = () => clients.flatMap((owner) => owner.streams);
  const live = Array.from({ length: readers }, (_, at) => {
    const following = at % 2 === 0 ? "sse" : "long-poll";
    return new LiveReader(cluster, streams, following, random(seed + 2_000 + at));
  });
  const stop = new AbortController();
  const stopReading = new AbortController();
  const began = performance.now();
  const working = Promise.all(clients.map((owner) => owner.run(stop.signal)));
  const reading = Promise.all(live.map((reader) => reader.run(stopReading.signal)));
  const sampling = sample(began, clients, stop.signal);
  const upheaving = upheave(plan.upheavals, began);
  const failed = new Promise<never>((_, reject) => {
    for (const work of [working, reading, sampling, upheaving]) work.catch(reject);
  });
  const unlessFailed = <T>(work: Promise<T>) => Promise.race([work, failed]);
  try {
    await unlessFailed(pause(totalMs));
    await unlessFailed(upheaving);
    // Who was left alone for so long comes back with everything, too.
    await unlessFailed(bounce({ atMs: 0, kind: "kill", node: plan.veteran, awayMs: 0 }));
    stop.abort();
    await unlessFailed(working);
    const samples = await unlessFailed(sampling);
    console.log(curveOf(samples, totalMs));
    console.log(countsOf(clients, live, requests));
    const bytes = await unlessFailed(verify(cluster, requests, streams()));
    console.log(
      `${streams().length} streams compared through each node, ${mib(bytes)} MiB; replicas agree`,
    );
    const verdicts = verdictsOf(samples, NODES, plan.veteran, totalMs);
    for (const { line } of verdicts) console.log(line);
    return verdicts.every(({ isFlat }) => isFlat);
  } finally {
    stop.abort();
    stopReading.abort();
    await Promise.allSettled([working, reading, sampling, upheaving]);
  }
}

/** Looks at all nodes every 5 s, and at how much was done. */
async function sample(
  began: number,
  clients: readonly Owner[],
  stop: AbortSignal,
): Promise<Look[]> {
  const looks: Look[] = [];
  for (let turn = 0; !stop.aborted && turn * SAMPLE_MS < totalMs; turn++) {
    await pause(Math.max(0, began + turn * SAMPLE_MS - performance.now()));
    const atMs = performance.now() - began;
    looks.push({
      atMs,
      samples: await lookAt(cluster, atMs),
      appends: clients.reduce((sum, { counts }) => sum + (counts.get("append") ?? 0), 0),
      bytes: clients.reduce((sum, { bytes }) => sum + bytes, 0),
    });
    cluster.assertAlive();
  }
  return looks;
}

async function upheave(upheavals: readonly Upheaval[], began: number): Promise<void> {
  for (const upheaval of upheavals) {
    await pause(Math.max(0, began + upheaval.atMs - performance.now()));
    await bounce(upheaval);
  }
}

/** One node goes and comes back. */
async function bounce({ kind, node: id, awayMs }: Upheaval): Promise<void> {
  const node = cluster.node(id);
  await (kind === "kill" ? node.kill() : node.stop());
  await pause(awayMs);
  await node.start();
}

function countsOf(
  clients: readonly Owner[],
  live: readonly LiveReader[],
  requests: Requests,
): string {
  const counts = new Map<string, number>();
  for (const owner of clients) {
    for (const [what, count] of owner.counts) counts.set(what, (counts.get(what) ?? 0) + count);
  }
  const slowest = (what: string) =>
    Math.round(Math.max(...clients.map(({ slowestMs }) => slowestMs.get(what) ?? 0)));
  const shown = Array.from(counts, ([what, count]) => `${what} ${count} (${slowest(what)} ms)`)
    .sort();
  const kills = plan.upheavals.filter(({ kind }) => kind === "kill").length;
  const seen = live.reduce((sum, { bytes }) => sum + bytes, 0);
  return `${shown.join(", ")}; ${requests.repeated} requests repeated; ${
    mib(seen)
  } MiB read live; ` +
    `${plan.upheavals.length - kills} restarts, ${kills + 1} kills`;
}

function mib(bytes: number): number {
  return Math.round(bytes / (1 << 20));
}
