import assert from "node:assert/strict";
import { DenoClock, denoDisk, denoRandom } from "../io/deno.ts";
import { ColdError, prepareColdFolder } from "../storage/cold/mod.ts";
import { type S3Server, startS3 } from "../tests/cold/s3_servers.ts";
import { SimClock } from "../tests/sim/clock.ts";
import { SimDisk } from "../tests/sim/disk.ts";
import { SimRandom } from "../tests/sim/random.ts";
import { coldPlaceOf, coldSetupOf, coldStoreOf, prepareCold } from "./cold.ts";
import { configFromInput, type ConfigInput } from "./config/mod.ts";

const FORMATION = "f0f0f0f0f0f0f0f0";
const STORE = {
  directory: "/data",
  storeId: "5105",
  journalCount: 4,
  record: { id: FORMATION, members: ["1.5105"], unconfirmed: [] },
};

function configOf(input: ConfigInput) {
  return configFromInput({ dataDir: "/data", ...input }, { cores: 4 });
}

function machine() {
  const random = new SimRandom(3);
  const lines: string[] = [];
  const io = { clock: new SimClock(), random, disk: new SimDisk({ random }) };
  return { io, lines, log: (level: string, line: string) => void lines.push(`${level}: ${line}`) };
}

Deno.test("coldSetupOf() tells a shard its share, and the whole formation", () => {
  const setup = coldSetupOf(configOf({ cores: 4, coldCacheBytes: 32 << 20 }), STORE);
  assert.deepEqual(setup, {
    backend: { kind: "fs", root: "/data/cold" },
    formation: FORMATION,
    flushIntervalMs: 1_000,
    flushMinHotBytes: 8 << 20,
    flushMaxBytes: 8 << 20,
    flushesMax: 1,
    hotBytesPerGroupMax: 64 << 20,
    keepsMs: 3_600_000,
    cacheBytesMax: 8 << 20,
  });
});

Deno.test("coldSetupOf() shares out to the shards that have groups", () => {
  const of = (cores: number, journalCount: number) => {
    const config = configOf({ cores, coldFlushMaxConcurrency: 6, coldCacheBytes: 12 << 20 });
    const setup = coldSetupOf(config, { ...STORE, journalCount });
    return [setup?.flushesMax, setup?.cacheBytesMax];
  };
  assert.deepEqual(of(1, 4), [6, 12 << 20]);
  assert.deepEqual(of(3, 4), [2, 4 << 20]);
  assert.deepEqual(of(12, 4), [1, 3 << 20]);
  assert.deepEqual(of(12, 12), [1, 1 << 20]);
});

Deno.test("coldSetupOf() names the backend, which none has not", () => {
  assert.equal(coldSetupOf(configOf({ coldBackend: "none" }), STORE), undefined);
  const memory = coldSetupOf(configOf({ raftMemory: true }), STORE);
  assert.deepEqual(memory?.backend, { kind: "memory" });
  const s3 = coldSetupOf(
    configOf({
      coldBackend: "s3",
      coldRoot: "prod",
      coldS3Bucket: "objects",
      coldS3Endpoint: "http://127.0.0.1:9000",
      coldS3AccessKeyId: "who",
      coldS3SecretAccessKey: "hush",
    }),
    STORE,
  );
  assert.deepEqual(structuredClone(s3?.backend), {
    kind: "s3",
    bucket: "objects",
    root: "prod",
    region: undefined,
    endpoint: "http://127.0.0.1:9000",
    accessKeyId: "who",
    secretAccessKey: "hush",
    sessionToken: undefined,
  });
});

Deno.test("coldPlaceOf() says where to look for objects, where they outlive the node", () => {
  const s3 = { coldBackend: "s3", coldS3Bucket: "objects" } as const;
  const place = (input: ConfigInput) => coldPlaceOf(configOf(input), STORE);
  assert.equal(place({}), `/data/cold/${FORMATION}/`);
  assert.equal(place(s3), `s3://objects/${FORMATION}/`);
  assert.equal(place({ ...s3, coldRoot: "/a/b/" }), `s3://objects/a/b/${FORMATION}/`);
  assert.equal(place({ raftMemory: true }), undefined);
  assert.equal(place({ coldBackend: "none" }), undefined);
});

Deno.test("prepareCold() sweeps what a crash left on its way, and says so", async () => {
  const { io, lines, log } = machine();
  await prepareColdFolder(io.disk, "/data/cold");
  const file = await io.disk.open("/data/cold/.incoming/00ff", { create: true });
  file.close();
  const lock = await prepareCold(configOf({}), STORE, io, log);
  assert.deepEqual(await io.disk.list("/data/cold/.incoming"), []);
  assert.deepEqual(lines, ["info: /data/cold: swept 1 files that a crash left half-written"]);
  lock?.release();
  (await prepareCold(configOf({}), STORE, io, log))?.release();
  assert.equal(lines.length, 1);
});

Deno.test("prepareCold() keeps a second node off its folder, until it is given back", async () => {
  const { io, log } = machine();
  const first = await prepareCold(configOf({ coldRoot: "/shared" }), STORE, io, log);
  const second = configOf({ dataDir: "/other", coldRoot: "/shared" });
  const other = { ...STORE, directory: "/other" };
  await assert.rejects(
    prepareCold(second, other, io, log),
    /^DiskError: \/shared: another process runs on this folder of cold objects; stop it, or/,
  );
  first?.release();
  (await prepareCold(second, other, io, log))?.release();
});

Deno.test("prepareCold() puts no objects around a data directory", async () => {
  const { io, log } = machine();
  for (const [dataDir, coldRoot] of [["/data", "/data"], ["/data/node", "/data"]] as const) {
    const config = configOf({ dataDir, coldRoot });
    await assert.rejects(
      prepareCold(config, { ...STORE, directory: dataDir }, io, log),
      /objects can't lie around the data directory/,
    );
  }
  (await prepareCold(configOf({ coldRoot: "/data2" }), STORE, io, log))?.release();
});

async function withBucket(work: (input: ConfigInput, server: S3Server) => Promise<void>) {
  const server = await startS3();
  try {
    const { endpoint, bucket, accessKeyId, secretAccessKey } = server;
    await work({
      coldBackend: "s3",
      coldS3Bucket: bucket,
      coldS3Endpoint: endpoint,
      coldS3AccessKeyId: accessKeyId,
      coldS3SecretAccessKey: secretAccessKey,
    }, server);
  } finally {
    await server.stop();
  }
}

async function onMachine(input: ConfigInput): Promise<string[]> {
  const clock = new DenoClock();
  const lines: string[] = [];
  const log = (level: string, line: string) => void lines.push(`${level}: ${line}`);
  const io = { clock, random: denoRandom, disk: denoDisk };
  try {
    assert.equal(await prepareCold(configOf(input), STORE, io, log), undefined);
    return lines;
  } finally {
    clock.close();
  }
}

Deno.test("prepareCold() fails when the bucket is missing, and is content when it is there", async () => {
  await withBucket(async (input) => {
    assert.deepEqual(await onMachine(input), []);
    await assert.rejects(
      onMachine({ ...input, coldS3Bucket: "elsewhere" }),
      (error) => error instanceof ColdError && error.kind === "no_bucket",
    );
  });
});

Deno.test("prepareCold() fails when the store refuses the credentials", async () => {
  const refusal = "<Error><Code>InvalidAccessKeyId</Code><Message>no such key</Message></Error>";
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () => new Response(refusal, { status: 403, headers: { "content-type": "application/xml" } }),
  );
  const input = {
    coldBackend: "s3",
    coldS3Bucket: "objects",
    coldS3Endpoint: `http://127.0.0.1:${server.addr.port}`,
    coldS3AccessKeyId: "who",
    coldS3SecretAccessKey: "hush",
  } as const;
  await assert.rejects(
    onMachine(input),
    /^ColdError: s3:\/\/objects: .*the access key is not known there/,
  );
  await server.shutdown();
});

Deno.test("prepareCold() goes on with a line when nothing answers", async () => {
  const [line, ...more] = await onMachine({
    coldBackend: "s3",
    coldS3Bucket: "objects",
    coldS3Endpoint: "http://127.0.0.1:9",
    coldS3AccessKeyId: "who",
    coldS3SecretAccessKey: "hush",
  });
  assert.match(line ?? "", /^warn: s3:\/\/objects.*going on without it/);
  assert.deepEqual(more, []);
});

Deno.test("coldStoreOf() is the same where objects lie in the same place, and tells nothing of it", () => {
  const bucket = { coldBackend: "s3", coldS3Bucket: "prod", coldS3Region: "r" } as const;
  const of = (input: ConfigInput) => coldStoreOf(configOf(input));
  assert.equal(of({ coldBackend: "none" }), "none");
  assert.deepEqual([of({}), of({ coldRoot: "/srv/cold" }), of({ raftMemory: true })], [
    "own",
    "own",
    "own",
  ]);
  const shared = of({ ...bucket, coldRoot: "a/b" });
  assert.match(shared, /^shared-[0-9a-f]{16}$/);
  assert.equal(of({ ...bucket, coldRoot: "a/b/", coldS3Endpoint: "http://10.0.0.9:9000" }), shared);
  const others = [of({ ...bucket, coldS3Bucket: "test" }), of({ ...bucket, coldRoot: "a" })];
  assert.equal(new Set([shared, of(bucket), ...others]).size, 4);
});
