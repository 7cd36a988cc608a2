import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { envName, OPTION_KEYS, OPTIONS } from "../../node/config/options.ts";
import { EXIT_USAGE } from "../../node/config/cli.ts";
import { readProjectFile } from "../house/source.ts";
import { deployFile } from "./files.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const ANALYZE = "/usr/bin/systemd-analyze";

/** A setting of the unit, given once. */
async function setting(name: string): Promise<string | undefined> {
  return new RegExp(`^${name}=(.*)$`, "m").exec(await deployFile("ursula.service"))?.[1];
}

Deno.test({
  name: "deploy/ursula.service is a unit (skipped where there is no systemd-analyze)",
  ignore: !isThere(ANALYZE),
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "ursula-unit-" });
    try {
      // It looks for the program, too, which is where the checkout is.
      const unit = (await deployFile("ursula.service")).replaceAll("/opt/ursula/", ROOT);
      const path = `${folder}/ursula.service`;
      await Deno.writeTextFile(path, unit);
      assert.equal(await verify(path), "");
      await Deno.writeTextFile(path, unit.replace("Restart=on-failure", "Restart=sometimes"));
      assert.match(await verify(path), /sometimes/, "it finds what is wrong");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("deploy/ursula.service lets a node stop, and leaves it alone when its disk failed", async () => {
  const fatal = /EXIT_FATAL = (\d+)/.exec(await readProjectFile("http/main.ts"))?.[1];
  assert.equal(await setting("RestartPreventExitStatus"), `${EXIT_USAGE} ${fatal}`);
  assert.equal(await setting("Restart"), "on-failure");
  assert.equal(await setting("KillSignal"), "SIGTERM");
  assert.ok(Number(await setting("TimeoutStopSec")) > 10);
  assert.equal(await setting("ProcSubset"), undefined, "the boot's id must be seen");
});

Deno.test("files of deploy/ name options that there are", async () => {
  const known = new Set([...OPTION_KEYS.map((key) => envName(OPTIONS[key].flag)), "URSULA_CONFIG"]);
  const flags = new Set(OPTION_KEYS.map((key) => OPTIONS[key].flag));
  for (const name of ["ursula.service", "Dockerfile", "compose.yaml", "ursula"]) {
    const text = await deployFile(name);
    for (const [variable] of text.matchAll(/\bURSULA_[A-Z0-9_]+/g)) {
      assert.ok(known.has(variable), `${name}: ${variable}`);
    }
    for (
      const [, flag = ""] of text.matchAll(/^(?!.*docker compose).*ursula(?::\S+)? .*--([a-z-]+)/gm)
    ) {
      assert.ok(flags.has(flag), `${name}: --${flag}`);
    }
  }
});

/** What systemd says of a unit. */
async function verify(path: string): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(ANALYZE, {
    args: ["verify", "--man=no", path],
  }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
