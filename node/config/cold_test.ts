import assert from "node:assert/strict";
import { configFromInput, resolveConfig } from "./resolve.ts";
import type { ConfigInput } from "./types.ts";

const machine = { cores: 2 };
const S3 = { coldBackend: "s3", coldS3Bucket: "objects" } as const;

function config(input: ConfigInput) {
  return configFromInput(input, machine);
}

function resolve(env: Readonly<Record<string, string>>, flags: Readonly<Record<string, string>>) {
  return resolveConfig({
    flags: new Map(Object.entries(flags)),
    env,
    readFile: () => Promise.reject(new Error("no such file")),
    machine,
  });
}

Deno.test("coldOf() follows the data: files beside a journal, memory without", () => {
  const onDisk = config({ dataDir: "/data" });
  assert.deepEqual([onDisk.coldBackend, onDisk.coldRoot], ["fs", "/data/cold"]);
  const elsewhere = config({ dataDir: "/data", coldRoot: "/slow" });
  assert.equal(elsewhere.coldRoot, "/slow");
  const inMemory = config({ raftMemory: true });
  assert.deepEqual([inMemory.coldBackend, inMemory.coldRoot], ["memory", undefined]);
  const s3 = config({ ...S3, coldRoot: "some/root" });
  assert.deepEqual([s3.coldBackend, s3.coldRoot], ["s3", "some/root"]);
  assert.equal(config({ coldBackend: "none" }).coldRoot, undefined);
  assert.equal(config({ ...S3, raftMemory: true }).coldBackend, "s3");
});

Deno.test("coldOf() sets both sizes of a flush where they are not given", () => {
  const sizes = (input: ConfigInput) => {
    const { coldFlushMinHotBytes, coldFlushMaxBytes } = config(input);
    return [coldFlushMinHotBytes, coldFlushMaxBytes];
  };
  assert.deepEqual(sizes({}), [8 << 20, 8 << 20]);
  assert.deepEqual(sizes({ coldFlushBytes: 1 << 20 }), [1 << 20, 1 << 20]);
  assert.deepEqual(sizes({ coldFlushBytes: 1 << 20, coldFlushMinHotBytes: 7 }), [7, 1 << 20]);
  assert.deepEqual(sizes({ coldFlushMaxBytes: 1 << 16 }), [8 << 20, 1 << 16]);
});

Deno.test("resolveConfig() says where a size of a flush came from", async () => {
  const given = await resolve({ URSULA_COLD_FLUSH_BYTES: "1MiB" }, {
    "cold-flush-max-bytes": "2MiB",
  });
  assert.equal(given.config.coldFlushMinHotBytes, 1 << 20);
  assert.equal(given.origins.coldFlushMinHotBytes, "URSULA_COLD_FLUSH_BYTES");
  assert.equal(given.origins.coldFlushMaxBytes, "--cold-flush-max-bytes");
  const tiny = await resolve({}, { profile: "tiny" });
  assert.equal(tiny.origins.coldFlushMaxBytes, "profile tiny");
});

Deno.test("resolveConfig() reads the variables of a bucket", async () => {
  const { config, warnings } = await resolve({
    URSULA_COLD_BACKEND: "s3",
    URSULA_COLD_ROOT: "prod",
    URSULA_COLD_S3_BUCKET: "objects",
    URSULA_COLD_S3_REGION: "eu-central-1",
    URSULA_COLD_S3_ENDPOINT: "http://127.0.0.1:9000",
    URSULA_COLD_S3_ACCESS_KEY_ID: "who",
    URSULA_COLD_S3_SECRET_ACCESS_KEY: "hush",
    URSULA_COLD_S3_SESSION_TOKEN: "now",
    URSULA_COLD_FLUSH_INTERVAL_MS: "250",
  }, {});
  assert.deepEqual(warnings, []);
  assert.deepEqual(
    [config.coldS3Region, config.coldS3Endpoint, config.coldS3AccessKeyId],
    ["eu-central-1", "http://127.0.0.1:9000", "who"],
  );
  assert.deepEqual([config.coldS3SecretAccessKey, config.coldS3SessionToken], ["hush", "now"]);
  assert.equal(config.coldFlushIntervalMs, 250);
});

Deno.test("coldOf() says what does not fit together, and what would be right", () => {
  const rows: [ConfigInput, string][] = [
    [
      { coldBackend: "memory" },
      "--cold-backend memory loses at a restart what the journal in --data-dir refers to; " +
      "take fs or s3, or keep nothing on disk (--raft-memory)",
    ],
    [{ coldBackend: "s3" }, "--cold-backend s3 needs the name of a bucket (--cold-s3-bucket)"],
    [
      { coldS3Bucket: "objects" },
      "--cold-s3-bucket needs --cold-backend s3, and it is fs",
    ],
    [
      { coldBackend: "none", coldS3SecretAccessKey: "hush" },
      "URSULA_COLD_S3_SECRET_ACCESS_KEY needs --cold-backend s3, and it is none",
    ],
    [
      { raftMemory: true, coldRoot: "/cold" },
      "--cold-root needs --cold-backend fs or s3, and it is memory",
    ],
    [
      { ...S3, coldS3AccessKeyId: "who" },
      "--cold-s3-access-key-id needs URSULA_COLD_S3_SECRET_ACCESS_KEY",
    ],
    [
      { ...S3, coldS3SecretAccessKey: "hush" },
      "URSULA_COLD_S3_SECRET_ACCESS_KEY needs --cold-s3-access-key-id",
    ],
    [
      { ...S3, coldS3SessionToken: "now" },
      "URSULA_COLD_S3_SESSION_TOKEN needs --cold-s3-access-key-id",
    ],
    [
      { ...S3, coldRoot: "a/../b" },
      "--cold-root a/../b: expected a prefix of keys, at most 500 bytes, without . and .. between " +
      "slashes",
    ],
    [
      { coldMaxHotBytesPerGroup: 4 << 20 },
      "--cold-max-hot-bytes-per-group (4MiB) must not be below --cold-flush-min-hot-bytes (8MiB): " +
      "a group would be full before it is flushed",
    ],
    [
      { maxSnapshotBytes: 1 << 30 },
      "--max-body-bytes-in-flight (256MiB) must not be below --max-snapshot-bytes (1GiB)",
    ],
  ];
  for (const [input, message] of rows) {
    assert.throws(() => config(input), { name: "ConfigError", message });
  }
  config({ coldBackend: "none", coldMaxHotBytesPerGroup: 4 << 20 });
  config({ ...S3, coldRoot: "a..b/c", coldS3AccessKeyId: "who", coldS3SecretAccessKey: "hush" });
});
