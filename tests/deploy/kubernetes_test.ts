import assert from "node:assert/strict";
import { StatefulSet } from "kubernetes-models/apps/v1/StatefulSet";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import { Service } from "kubernetes-models/v1/Service";
import { at, configOf, imageEnvironment, type Tree, treesOf } from "./files.ts";

const MODELS = [StatefulSet, NetworkPolicy, PodDisruptionBudget, Service];
/** Stands for what comes out of a secret. */
const GIVEN = "given";

async function manifests(): Promise<Tree[]> {
  const [list] = await treesOf("kubernetes/kustomization.yaml");
  const names = at(list, "resources") as string[];
  return (await Promise.all(names.map((name) => treesOf(`kubernetes/${name}`)))).flat();
}

async function manifest(kind: string): Promise<Tree> {
  const found = (await manifests()).find((tree) => tree.kind === kind);
  assert.ok(found, kind);
  return found;
}

/** What is wrong with a manifest, by the schemas of Kubernetes. */
function faultsOf(tree: Tree): string[] {
  const model = MODELS.find(({ apiVersion, kind }) =>
    apiVersion === tree.apiVersion && kind === tree.kind
  );
  if (model === undefined) return [`${tree.apiVersion} ${tree.kind} is unknown`];
  const read = new Set<string>();
  try {
    // The schemas let fields pass that they do not know. Those are the ones that nobody reads, unless
    // the constructor does, which copies all there is.
    model.prototype.validate.call(watched(tree, "", read) as never);
  } catch (error) {
    return [String(error)];
  }
  return pathsOf(tree, "").filter((path) => !read.has(path)).map((path) => `${path} is no field`);
}

/** The same, noting the path of whatever is read of it. */
function watched(value: unknown, path: string, read: Set<string>): unknown {
  if (typeof value !== "object" || value === null) return value;
  return new Proxy(value, {
    get(target, key) {
      if (typeof key !== "string" || !Object.hasOwn(target, key)) return Reflect.get(target, key);
      read.add(`${path}/${key}`);
      return watched(Reflect.get(target, key), `${path}/${key}`, read);
    },
  });
}

function pathsOf(value: unknown, path: string): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    `${path}/${key}`,
    ...pathsOf(inner, `${path}/${key}`),
  ]);
}

Deno.test("deploy/kubernetes has manifests that Kubernetes understands", async () => {
  const all = await manifests();
  assert.ok(all.length >= 5);
  for (const tree of all) assert.deepEqual(faultsOf(tree), [], String(tree.kind));
});

Deno.test("faultsOf() finds fields that are missing, wrong, or none", async () => {
  const tree = structuredClone(await manifest("StatefulSet"));
  const container = at(tree, "spec", "template", "spec", "containers", 0) as Record<
    string,
    unknown
  >;
  container.readynessProbe = {};
  assert.deepEqual(faultsOf(tree), [
    "/spec/template/spec/containers/0/readynessProbe is no field",
  ]);
  delete container.readynessProbe;
  container.ports = [{ name: "http", containerPort: "4437" }];
  assert.match(faultsOf(tree).join(), /containerPort/);
});

Deno.test("deploy/kubernetes starts as many nodes of one cluster as there are pods", async () => {
  const spec = at(await manifest("StatefulSet"), "spec");
  const container = at(spec, "template", "spec", "containers", 0);
  const service = String(at(spec, "serviceName"));
  const replicas = Number(at(spec, "replicas"));
  const env = Object.fromEntries(
    (at(container, "env") as Tree[]).map(({ name, value = GIVEN }) => [name, String(value)]),
  );
  for (let ordinal = 0; ordinal < replicas; ordinal++) {
    const { config, warnings } = await configOf({
      ...await imageEnvironment(),
      ...env,
      URSULA_RAFT_NODE_ID: String(ordinal + 1),
    });
    assert.deepEqual(warnings, []);
    const { cluster } = config;
    assert.ok(cluster?.initMembership && cluster.secret === GIVEN);
    assert.equal(cluster.peers.length, replicas);
    const peer = cluster.peers.find(({ nodeId }) => nodeId === ordinal + 1);
    assert.equal(peer?.hostname, `ursula-${ordinal}.${service}`);
    const ports = (at(container, "ports") as Tree[]).map(({ containerPort }) => containerPort);
    assert.deepEqual(ports, [config.listen.port, peer?.port]);
  }
});

Deno.test("deploy/kubernetes has services, a budget and a policy for the very pods", async () => {
  const set = await manifest("StatefulSet");
  const labels = at(set, "spec", "template", "metadata", "labels");
  const budget = await manifest("PodDisruptionBudget");
  const policy = await manifest("NetworkPolicy");
  const services = (await manifests()).filter(({ kind }) => kind === "Service");
  assert.deepEqual(at(set, "spec", "selector", "matchLabels"), labels);
  assert.deepEqual(at(budget, "spec", "selector", "matchLabels"), labels);
  assert.equal(at(budget, "spec", "maxUnavailable"), 1);
  assert.deepEqual(at(policy, "spec", "podSelector", "matchLabels"), labels);
  for (const service of services) assert.deepEqual(at(service, "spec", "selector"), labels);
  const peers = services.find((service) =>
    at(service, "metadata", "name") === at(set, "spec", "serviceName")
  );
  assert.equal(at(peers, "spec", "clusterIP"), "None");
  assert.equal(at(peers, "spec", "publishNotReadyAddresses"), true);
});

Deno.test("deploy/kubernetes gives a node time to stop, and variables of its own alone", async () => {
  const pod = at(await manifest("StatefulSet"), "spec", "template", "spec");
  assert.equal(at(pod, "enableServiceLinks"), false);
  assert.ok(Number(at(pod, "terminationGracePeriodSeconds")) >= 15 + 10);
  const container = at(pod, "containers", 0);
  assert.equal(at(container, "livenessProbe", "httpGet", "path"), "/healthz");
  assert.equal(at(container, "readinessProbe", "httpGet", "path"), "/readyz");
  assert.equal(at(container, "startupProbe", "httpGet", "path"), "/readyz");
});
