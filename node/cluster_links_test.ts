import assert from "node:assert/strict";
import { SimClock } from "../tests/sim/clock.ts";
import { SimDisk } from "../tests/sim/disk.ts";
import { SimNetwork } from "../tests/sim/network.ts";
import { SimRandom } from "../tests/sim/random.ts";
import { ClusterLinks } from "./cluster_links.ts";
import { configFromInput } from "./config/mod.ts";
import { openStore, type Store } from "./store.ts";

const PEERS = [1, 2, 3].map((nodeId) => `${nodeId}=http://${SimNetwork.hostname(nodeId)}:4437`);

/** Three nodes up to where their shards would start. */
class Nodes {
  readonly clock = new SimClock();
  readonly random = new SimRandom(4);
  readonly network = new SimNetwork({ clock: this.clock, random: this.random });
  readonly disks = [1, 2, 3].map(() => new SimDisk({ random: this.random }));
  readonly lines: string[] = [];

  async start(nodeId: number, secret = "hush"): Promise<{ store: Store; formed: Promise<void> }> {
    const config = configFromInput({
      nodeId,
      raftPeers: PEERS,
      listen: `${SimNetwork.hostname(nodeId)}:4437`,
      clusterSecret: secret,
      raftInitMembership: true,
      dataDir: "/data",
      cores: 1,
    }, { cores: 1 });
    const disk = this.disks[nodeId - 1] ?? assert.fail();
    const { clock, random } = this;
    const io = { clock, random, disk, network: this.network.of(nodeId) };
    const store = await openStore(config, io, "boot");
    const log = (line: string) => this.lines.push(`${nodeId}: ${line}`);
    const onFatal = (reason: Error) => assert.fail(reason);
    const cluster = config.cluster ?? assert.fail();
    const links = new ClusterLinks({ config, cluster, store, io, shared: false, log, onFatal });
    await links.listen();
    return { store, formed: links.formed() };
  }

  wipe(nodeId: number): void {
    this.network.kill(nodeId);
    this.disks[nodeId - 1]?.kill();
    this.disks[nodeId - 1] = new SimDisk({ random: this.random });
  }
}

Deno.test("formed() resolves on three nodes that reach each other, and on one that lost all", async () => {
  const nodes = new Nodes();
  const { clock } = nodes;
  const first = await clock.until(Promise.all([1, 2, 3].map((nodeId) => nodes.start(nodeId))));
  await clock.until(Promise.all(first.map(({ formed }) => formed)), 2_000);
  const members = first.map(({ store }) => store.member);
  for (const { store } of first) assert.deepEqual(store.founders, members);
  await clock.run(1_000);
  assert.deepEqual(first[0]?.store.record?.unconfirmed, []);
  for (const nodeId of [2, 1]) {
    nodes.wipe(nodeId);
    const again = await clock.until(nodes.start(nodeId));
    await clock.until(again.formed, 5_000);
    assert.equal(again.store.record?.id, first[2]?.store.record?.id);
    assert.deepEqual(again.store.founders, []);
  }
});

Deno.test("formed() waits while a node does not know the secret", async () => {
  const nodes = new Nodes();
  const { clock } = nodes;
  const [one] = await clock.until(
    Promise.all([nodes.start(1), nodes.start(2), nodes.start(3, "guess")]),
  );
  await clock.run(10_000);
  assert.equal(one.store.record, undefined);
  assert.ok(
    nodes.lines.includes("1: this node belongs to no cluster yet: no answer from node 3 yet"),
  );
});
