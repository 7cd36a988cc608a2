/** The command of `deploy/kubernetes`, tried: three pods are three processes on the loopback interface. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { osBootId } from "../../io/machine.ts";
import { freePorts } from "../cluster/ports.ts";
import { eventually } from "../http/expect.ts";
import { at, treesOf } from "./files.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const READY_MS_MAX = 40_000;
const STOP_MS_MAX = 15_000;
const ORDINALS = [0, 1, 2];

Deno.test({
  name: "deploy/kubernetes's command starts nodes that find each other by name",
  // The entry is for the shell of a container.
  ignore: Deno.build.os === "windows",
  async fn() {
    const [set] = await treesOf("kubernetes/statefulset.yaml");
    const container = at(set, "spec", "template", "spec", "containers", 0);
    const [shell = "", option = "", script = ""] = at(container, "command") as string[];
    const [ports, peerPorts] = [freePorts(3), freePorts(3)];
    const folder = await Deno.makeTempDir({ prefix: "ursula-pods-" });
    const peers = ORDINALS.map((ordinal) =>
      `${ordinal + 1}=http://localhost:${ports[ordinal]},cluster=localhost:${peerPorts[ordinal]}`
    );
    const pods = ORDINALS.map((ordinal) =>
      new Deno.Command(shell, {
        args: [option, script.replace("/tini -- ", "").replace("/opt/ursula/", ROOT)],
        clearEnv: true,
        env: {
          ...inherited("PATH", "HOME", "DENO_DIR", "XDG_CACHE_HOME"),
          HOSTNAME: `ursula-${ordinal}`,
          URSULA_RAFT_PEER: peers.join(" "),
          URSULA_RAFT_INIT_MEMBERSHIP: "on",
          URSULA_CLUSTER_SECRET: "of a test",
          URSULA_LISTEN: `127.0.0.1:${ports[ordinal]}`,
          URSULA_CLUSTER_LISTEN: `127.0.0.1:${peerPorts[ordinal]}`,
          URSULA_DATA_DIR: `${folder}/${ordinal}`,
          URSULA_CORE_COUNT: "1",
          URSULA_RAFT_GROUP_COUNT: "4",
          URSULA_LOG_LEVEL: "error",
        },
        stdin: "null",
        stdout: "null",
        stderr: "inherit",
      }).spawn()
    );
    const urls = ports.map((port) => `http://localhost:${port}`);
    try {
      for (const url of urls) {
        await eventually(() => isReady(url), `${url} is ready`, READY_MS_MAX);
      }
      const headers = { "content-type": "text/plain" };
      assert.equal(await statusOf(`${urls[0]}/v1/stream/a`, { method: "PUT", headers }), 201);
      const append = { method: "POST", headers, body: "by name" };
      assert.equal(await statusOf(`${urls[1]}/v1/stream/a`, append), 204);
      assert.equal(await (await fetch(`${urls[2]}/v1/stream/a`)).text(), "by name");
      assert.equal(await healthy(ports[0] ?? 0), 0, "deploy/healthy");
      assert.equal(await healthy(ports[0] ?? 0, "/nowhere"), 1, "deploy/healthy /nowhere");
      // The shells have made way for the nodes, which so get the signal themselves.
      for (const pod of pods) pod.kill("SIGTERM");
      const late = setTimeout(() => pods.forEach(kill), STOP_MS_MAX);
      const ends = await Promise.all(pods.map((pod) => pod.status));
      clearTimeout(late);
      assert.deepEqual(ends.map(({ code }) => code), [0, 0, 0]);
      // Deno lets few read what Linux says of the machine: the boot, as well as the bound on memory.
      const { bootId } = JSON.parse(await Deno.readTextFile(`${folder}/0/identity.json`));
      assert.equal(bootId, osBootId());
    } finally {
      pods.forEach(kill);
      await Promise.all(pods.map((pod) => pod.status));
      await Deno.remove(folder, { recursive: true });
    }
  },
});

function inherited(...names: string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = Deno.env.get(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

async function isReady(url: string): Promise<boolean> {
  return await statusOf(`${url}/readyz`).catch(() => 0) === 200;
}

async function statusOf(url: string, init?: RequestInit): Promise<number> {
  const { status, body } = await fetch(url, init);
  await body?.cancel();
  return status;
}

async function healthy(port: number, ...args: string[]): Promise<number> {
  const { code } = await new Deno.Command(`${ROOT}deploy/healthy`, {
    args,
    env: { URSULA_LISTEN: `0.0.0.0:${port}` },
    stderr: "null",
  }).output();
  return code;
}

function kill(pod: Deno.ChildProcess): void {
  try {
    pod.kill("SIGKILL");
  } catch {
    // It has ended, as it should have.
  }
}
