import assert from "node:assert/strict";
import { type CommandLine, EXIT_USAGE, parseFlags, readCommandLine } from "./cli.ts";
import { envName, OPTION_KEYS, OPTIONS, PROGRAM_FLAGS } from "./options.ts";

function run(...args: string[]): Promise<CommandLine> {
  return readCommandLine({
    args,
    env: {},
    readFile: () => Promise.reject(new Error("no such file")),
    machine: { cores: 2 },
    version: "1.2.3",
  });
}

Deno.test("parseFlags() reads values after a space or an equals sign, the last one counting", () => {
  const flags = parseFlags(["--listen", "a:1", "--fsync=never", "--listen=b:2", "--raft-memory"]);
  assert.deepEqual([...flags], [["listen", "b:2"], ["fsync", "never"], ["raft-memory", "on"]]);
});

Deno.test("parseFlags() lets a switch be turned off again", () => {
  assert.equal(parseFlags(["--raft-memory", "off"]).get("raft-memory"), "off");
  assert.equal(parseFlags(["--raft-memory=off"]).get("raft-memory"), "off");
});

Deno.test("parseFlags() adds up the peers", () => {
  const flags = parseFlags(["--raft-peer", "1=http://a:1,cluster=a:2", "--raft-peer=2=http://b:1"]);
  assert.equal(flags.get("raft-peer"), "1=http://a:1,cluster=a:2,2=http://b:1");
});

Deno.test("parseFlags() takes no secret, and says where it belongs", () => {
  for (const args of [["--cluster-secret", "hush"], ["--cluster-secret=hush"]]) {
    assert.throws(() => parseFlags(args), {
      name: "ConfigError",
      message: "there is no flag --cluster-secret, which others could read; " +
        "set URSULA_CLUSTER_SECRET, or cluster_secret in the config file",
    });
  }
});

Deno.test("parseFlags() names the nearest flag, or what is missing", () => {
  const rows: [string[], string][] = [
    [["--lisen", "x"], "unknown flag --lisen; did you mean --listen?"],
    [["--print-confg"], "unknown flag --print-confg; did you mean --print-config?"],
    [["--log-levle=debug"], "unknown flag --log-levle; did you mean --log-level?"],
    [["--fsync"], "--fsync needs a value: expected one of always, never"],
    [["--data-dir", "--raft-memory"], "--data-dir needs a value: expected a path"],
    [["--cold-s3-bucket"], "--cold-s3-bucket needs a value: expected the name of a bucket"],
    [["--config"], "--config needs a value: expected a path"],
    [["start"], "unexpected argument start; options begin with --, see --help"],
    [["-x"], "unexpected argument -x; options begin with --, see --help"],
    [["--", "x"], "unexpected argument x; options begin with --, see --help"],
  ];
  for (const [args, message] of rows) {
    assert.throws(() => parseFlags(args), { name: "ConfigError", message });
  }
});

Deno.test("readCommandLine() starts with the resolved configuration", async () => {
  const line = await run("--listen", "0.0.0.0:80");
  assert.equal(line.action, "start");
  assert.deepEqual(line.action === "start" && line.resolved.config.listen, {
    hostname: "0.0.0.0",
    port: 80,
  });
});

Deno.test("readCommandLine() prints help that names every flag", async () => {
  for (const flag of ["--help", "-h"]) {
    const line = await run(flag);
    const text = line.action === "print" ? line.text : "";
    for (const key of OPTION_KEYS) {
      const { secret, flag } = OPTIONS[key];
      assert.ok(text.includes(secret ? envName(flag) : `--${flag} `), key);
    }
    for (const { flag } of PROGRAM_FLAGS) assert.ok(text.includes(`--${flag} `), flag);
  }
});

Deno.test("readCommandLine() prints the version and the configuration in force", async () => {
  assert.deepEqual(await run("--version"), { action: "print", text: "ursula 1.2.3\n" });
  const line = await run("--print-config", "--profile", "tiny");
  assert.match(line.action === "print" ? line.text : "", /--raft-group-count +4 +profile tiny\n/);
});

Deno.test("readCommandLine() fails with one line and the exit code of wrong usage", async () => {
  assert.deepEqual(await run("--core-count", "0"), {
    action: "fail",
    message: "--core-count 0: expected a whole number from 1 to 256",
    exitCode: EXIT_USAGE,
  });
  assert.deepEqual(await run("--config", "x.json"), {
    action: "fail",
    message: "config file x.json can't be read: no such file",
    exitCode: EXIT_USAGE,
  });
});
