import assert from "node:assert/strict";
import { OPTION_KEYS, OPTIONS } from "./options.ts";
import { PROFILES } from "./profiles.ts";
import { configFromInput, resolveConfig, type ResolvedConfig } from "./resolve.ts";
import { printConfig, showValue } from "./print.ts";
import { text } from "./kinds.ts";

const machine = { cores: 6 };

interface Layers {
  readonly flags?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly file?: string;
}

/** Resolves the layers; a file is found as `u.json` and named by a flag. */
function resolve({ flags = {}, env = {}, file }: Layers): Promise<ResolvedConfig> {
  const all = file === undefined ? flags : { config: "u.json", ...flags };
  return resolveConfig({
    flags: new Map(Object.entries(all)),
    env,
    readFile: (path) =>
      path === "u.json" && file !== undefined
        ? Promise.resolve(file)
        : Promise.reject(new Error("no such file")),
    machine,
  });
}

Deno.test("resolveConfig() gives every option its default when nothing is given", async () => {
  const { config, origins, warnings } = await resolve({});
  assert.equal(config.cores, 6);
  assert.equal(config.raftGroupCount, 64);
  assert.equal(config.longPollTimeoutMs, 20_000);
  assert.equal(config.maxAppendBytes, 32 * 2 ** 20);
  for (const key of OPTION_KEYS) assert.equal(origins[key], "default");
  assert.deepEqual(warnings, []);
});

Deno.test("resolveConfig() lets each layer win over those below", async () => {
  const file = '{ "profile": "tiny", "raft_group_count": 5 }';
  const env = { URSULA_RAFT_GROUP_COUNT: "6" };
  const flags = { "raft-group-count": "7" };
  const rows: [Layers, number, string][] = [
    [{}, 64, "default"],
    [{ flags: { profile: "tiny" } }, 4, "profile tiny"],
    [{ file }, 5, "u.json"],
    [{ file, env }, 6, "URSULA_RAFT_GROUP_COUNT"],
    [{ file, env, flags }, 7, "--raft-group-count"],
    [{ flags: { profile: "tiny" }, env }, 6, "URSULA_RAFT_GROUP_COUNT"],
  ];
  for (const [layers, count, origin] of rows) {
    const { config, origins } = await resolve(layers);
    assert.equal(config.raftGroupCount, count);
    assert.equal(origins.raftGroupCount, origin);
  }
});

Deno.test("resolveConfig() takes the profile from its own highest layer", async () => {
  const layers = { file: '{"profile":"tiny"}', env: { URSULA_PROFILE: "large" } };
  assert.equal((await resolve(layers)).config.raftGroupCount, 256);
  const none = await resolve({ ...layers, flags: { profile: "none" } });
  assert.equal(none.config.raftGroupCount, 64);
});

Deno.test("resolveConfig() finds the config file through the environment", async () => {
  const { config } = await resolveConfig({
    flags: new Map(),
    env: { URSULA_CONFIG: "here.json" },
    readFile: (path) => Promise.resolve(`{"cluster_id": "${path}"}`),
    machine,
  });
  assert.equal(config.clusterId, "here.json");
});

Deno.test("resolveConfig() reads JSON numbers and booleans of a file", async () => {
  const file = '{ "long_poll_timeout": 1500, "raft_memory": true, "cors_origin": ["http://a"] }';
  const { config } = await resolve({ file });
  assert.equal(config.longPollTimeoutMs, 1500);
  assert.equal(config.raftMemory, true);
  assert.deepEqual(config.corsOrigin, ["http://a"]);
});

Deno.test("resolveConfig() fails with one line that says what would be right", async () => {
  const rows: [Layers, string][] = [
    [
      { flags: { listen: "4437" } },
      "--listen 4437: expected HOST:PORT, such as 127.0.0.1:4437 or [::1]:4437",
    ],
    [{ flags: { fsync: "often" } }, "--fsync often: expected one of always, never"],
    [{ flags: { "data-dir": "" } }, '--data-dir "": expected a path'],
    [{ flags: { lisen: "x" } }, "unknown flag --lisen; did you mean --listen?"],
    [{ flags: { qqqqqqqqq: "x" } }, "unknown flag --qqqqqqqqq; see --help"],
    [
      { env: { URSULA_CORE_COUNT: "many" } },
      "URSULA_CORE_COUNT many: expected a whole number from 1 to 256",
    ],
    [
      { file: '{"core_count": 1.5}' },
      "u.json: core_count 1.5: expected a whole number from 1 to 256",
    ],
    [{ file: '{"raft_memory": "maybe"}' }, "u.json: raft_memory maybe: expected on or off"],
    [{ file: '{"lisen": 1}' }, "unknown key lisen in u.json; did you mean listen?"],
    [{ file: '{"data-dir": "x"}' }, "unknown key data-dir in u.json; did you mean data_dir?"],
    [{ file: "[]" }, 'config file u.json must hold one JSON object, {"listen": …}'],
    [{ flags: { config: "gone.json" } }, "config file gone.json can't be read: no such file"],
    [
      { flags: { "max-append-bytes": "1GiB" } },
      "--max-body-bytes-in-flight (256MiB) must not be below --max-append-bytes (1GiB)",
    ],
    [
      { flags: { "max-batch-bytes": "1GiB" } },
      "--max-body-bytes-in-flight (256MiB) must not be below --max-batch-bytes (1GiB)",
    ],
  ];
  for (const [layers, message] of rows) {
    await assert.rejects(resolve(layers), { name: "ConfigError", message });
  }
});

Deno.test("resolveConfig() names the place, not the content, when a file is broken", async () => {
  const file = '{\n  "cluster_id": "secret" "x"\n}';
  await assert.rejects(resolve({ file }), (error: Error) => {
    assert.match(error.message, /^config file u\.json is not valid JSON(, at line 2 column \d+)?$/);
    return true;
  });
});

Deno.test("resolveConfig() warns about unknown variables of its own prefix alone", async () => {
  const env = { URSULA_LISTE: "x", PATH: "/bin", URSULA_LOG_LEVEL: "" };
  const { config, warnings } = await resolve({ env });
  assert.deepEqual(warnings, [
    "ignored unknown variable URSULA_LISTE; did you mean URSULA_LISTEN?",
  ]);
  assert.equal(config.logLevel, "info");
});

Deno.test("configFromInput() takes what a program gives, and checks it alike", () => {
  const config = configFromInput({
    listen: "[::1]:0",
    cores: 1,
    profile: "small",
    longPollTimeoutMs: 10,
    dataDir: undefined,
  }, machine);
  assert.deepEqual(config.listen, { hostname: "::1", port: 0 });
  assert.equal(config.raftGroupCount, 16);
  assert.equal(config.longPollTimeoutMs, 10);
  assert.equal(config.dataDir, "./ursula-data");
  assert.throws(() => configFromInput({ cores: 0 }, machine), {
    message: "option cores 0: expected a whole number from 1 to 256",
  });
  assert.throws(() => configFromInput(JSON.parse('{"coreCont":1}'), machine), {
    message: "unknown option coreCont; did you mean cores?",
  });
});

Deno.test("OPTIONS reads back every default and every value of a profile", async () => {
  for (const profile of ["none", ...Object.keys(PROFILES)]) {
    const { config } = await resolve({ flags: { profile } });
    const { cluster: _, raftClusterConfig: __, ...input } = config;
    assert.deepEqual(configFromInput(input, machine), config);
    const asText = OPTION_KEYS.filter((key) => config[key] !== undefined).map((key) => {
      const option = OPTIONS[key] as { flag: string; kind: { write(value: unknown): string } };
      return [option.flag, option.kind.write(config[key])];
    });
    assert.deepEqual((await resolve({ flags: Object.fromEntries(asText) })).config, config);
  }
});

Deno.test("PROFILES spells out the defaults in standard", async () => {
  const { config } = await resolve({});
  for (const [key, value] of Object.entries(PROFILES.standard.values)) {
    assert.deepEqual(Object(config)[key], value, key);
  }
});

Deno.test("printConfig() shows every value and where it came from", async () => {
  const lines = printConfig(await resolve({ flags: { "sse-max-age": "90s" } })).split("\n");
  assert.equal(lines.length, OPTION_KEYS.length + 1);
  assert.match(lines[0] ?? "", /^--listen +127\.0\.0\.1:4437 +default$/);
  assert.ok(lines.some((line) => /^--sse-max-age +90s +--sse-max-age$/.test(line)));
});

Deno.test("showValue() masks what is secret", () => {
  const option = {
    flag: "token",
    group: "Node" as const,
    kind: text("TOKEN", /./, "a token"),
    fallback: "",
    help: "",
  };
  assert.equal(showValue(option, "hush"), "hush");
  assert.equal(showValue({ ...option, secret: true }, "hush"), "***");
});
