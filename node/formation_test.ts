import assert from "node:assert/strict";
import fc from "fast-check";
import type { CallFailed } from "../peer/mod.ts";
import type { FormationRecord } from "../storage/identity.ts";
import { SimClock } from "../tests/sim/clock.ts";
import { SimDisk } from "../tests/sim/disk.ts";
import { SimRandom } from "../tests/sim/random.ts";
import { type Config, configFromInput } from "./config/mod.ts";
import { Formation } from "./formation.ts";
import { decodeReport, encodeQuestion } from "./formation_wire.ts";
import { openStore, type Store } from "./store.ts";

const KIND = 9;
const PEERS = ["1=http://a:1", "2=http://b:1", "3=http://c:1"];

/** A node's process, from start to death. */
interface Process {
  readonly store: Store;
  readonly formation: Formation;
  formed: FormationRecord | undefined;
  failed: unknown;
}

class SimMember {
  disk: SimDisk;
  process: Process | undefined;
  readonly lines: string[] = [];
  readonly fatal: Error[] = [];
  life = 0;
  isUp = false;

  constructor(readonly world: World, readonly config: Config) {
    this.disk = new SimDisk({ random: world.random, clock: world.clock });
  }

  async start(): Promise<void> {
    const life = ++this.life;
    this.isUp = true;
    const { clock, random } = this.world;
    const { config } = this;
    const store = await openStore(config, { disk: this.disk, random }, "boot");
    if (life !== this.life || config.cluster === undefined) return;
    const formation = new Formation({
      store,
      cluster: config.cluster,
      call: (to, kind, parts) => this.world.call(this, to, kind, parts),
      kind: KIND,
      io: { clock, random },
      log: (line) => this.lines.push(line),
      onFatal: (reason) => this.fatal.push(reason),
    });
    const process: Process = { store, formation, formed: undefined, failed: undefined };
    this.process = process;
    try {
      process.formed = await formation.form();
    } catch (reason) {
      process.failed = reason;
    }
  }

  /** Ends the process, and with `power` the machine. */
  die(power = false): void {
    this.life++;
    this.isUp = false;
    this.disk = power ? this.disk.crash() : this.disk.kill();
    this.process?.formation.close();
    this.process = undefined;
  }

  /** Its directory is lost. */
  wipe(): void {
    this.die();
    this.disk = new SimDisk({ random: this.world.random, clock: this.world.clock });
  }

  get record(): FormationRecord | undefined {
    return this.process?.store.record;
  }
}

class World {
  readonly clock = new SimClock();
  readonly random: SimRandom;
  readonly nodes: SimMember[];
  /** Calls to and from these are lost. */
  readonly cut = new Set<number>();

  constructor(seed = 1, mode: { memory?: boolean; flags?: number[]; peers?: string[][] } = {}) {
    this.random = new SimRandom(seed);
    this.nodes = [1, 2, 3].map((nodeId) =>
      new SimMember(
        this,
        configFromInput({
          nodeId,
          raftPeers: mode.peers?.[nodeId - 1] ?? PEERS,
          raftInitMembership: (mode.flags ?? [1, 2, 3]).includes(nodeId),
          raftMemory: mode.memory ?? false,
          dataDir: "/data",
          cores: 1,
        }, { cores: 1 }),
      )
    );
  }

  node(nodeId: number): SimMember {
    return this.nodes[nodeId - 1] ?? assert.fail();
  }

  startAll(): void {
    for (const node of this.nodes) void node.start();
  }

  async call(
    from: SimMember,
    to: number,
    kind: number,
    parts: readonly Uint8Array[],
  ): Promise<Uint8Array | CallFailed> {
    assert.equal(kind, KIND);
    const caller = from.process;
    const { nodeId } = from.config;
    const { storeId } = caller?.store ?? { storeId: "" };
    const bytes = parts[0]?.slice() ?? assert.fail();
    await this.pause();
    const target = this.node(to).process;
    const lost = () => this.cut.has(to) || this.cut.has(nodeId);
    if (target === undefined || caller === undefined || lost()) return { failed: "not_sent" };
    // A dead target's disk never answers: the connection breaks instead.
    const broken = this.pause(200).then((): CallFailed => ({ failed: "unanswered" }));
    const answered = target.formation.answer({ nodeId, storeId }, bytes)
      .catch((): CallFailed => ({ failed: "unanswered" }));
    const answer = await Promise.race([answered, broken]);
    await this.pause();
    return this.node(to).process === target && !lost() ? answer : { failed: "unanswered" };
  }

  pause(ms = this.random.next() * 5): Promise<void> {
    return new Promise((resolve) => this.clock.setTimer(ms, resolve));
  }

  /** All nodes belong to one cluster, and have been told so. */
  assertFormed(): FormationRecord {
    const [first] = this.nodes.map(({ process }) => process?.formed ?? assert.fail("not formed"));
    assert.ok(first !== undefined);
    for (const { record } of this.nodes) {
      assert.equal(record?.id, first.id);
      assert.deepEqual(record?.members, first.members);
    }
    return first;
  }
}

Deno.test("form() makes one cluster of three empty nodes, by every store's id", async () => {
  const world = new World();
  world.startAll();
  await world.clock.run(1_000);
  const { id, members } = world.assertFormed();
  assert.match(id, /^[0-9a-f]{16}$/);
  assert.deepEqual(members, world.nodes.map(({ process }) => process?.store.member));
  for (const { record, process, lines } of world.nodes) {
    assert.deepEqual(record?.unconfirmed, []);
    assert.deepEqual(process?.store.founders, members);
    assert.equal(lines.length, 1);
  }
  assert.match(
    world.node(1).lines[0] ?? "",
    /^formed the cluster [0-9a-f]+ of 1\.\w+, 2\.\w+, 3\./,
  );
  assert.match(world.node(2).lines[0] ?? "", /^the cluster [0-9a-f]+ has formed, with this node$/);
});

Deno.test("form() makes one cluster of nodes in memory", async () => {
  const world = new World(1, { memory: true });
  world.startAll();
  await world.clock.run(1_000);
  world.assertFormed();
  assert.deepEqual(world.node(1).disk.paths(), []);
  world.node(2).die();
  void world.node(2).start();
  await world.clock.run(1_000);
  world.assertFormed();
  assert.deepEqual(world.node(2).process?.store.founders, [], "another store, which came later");
});

Deno.test("form() waits for every listed node, and says for whom once", async () => {
  const world = new World();
  void world.node(1).start();
  void world.node(2).start();
  await world.clock.run(20_000);
  assert.ok(world.nodes.every(({ record }) => record === undefined));
  assert.deepEqual(world.node(1).lines, [
    "this node belongs to no cluster yet: no answer from node 3 yet",
  ]);
  void world.node(3).start();
  await world.clock.run(1_000);
  world.assertFormed();
});

Deno.test("form() waits where the lowest node lacks the flag, and says so once", async () => {
  const world = new World(1, { flags: [2, 3] });
  world.startAll();
  await world.clock.run(20_000);
  assert.ok(world.nodes.every(({ record }) => record === undefined));
  assert.deepEqual(world.node(1).lines, [
    "this node belongs to no cluster yet: no peer that answered belongs to a cluster; " +
    "--raft-init-membership lets this node form one",
  ]);
  assert.deepEqual(world.node(2).lines, [
    "this node belongs to no cluster yet: node 1 has to be started with --raft-init-membership to form the " +
    "cluster",
  ]);
});

Deno.test("form() waits where nodes were started with different peers", async () => {
  const world = new World(1, { peers: [PEERS, PEERS.slice(0, 2), PEERS] });
  world.startAll();
  await world.clock.run(5_000);
  assert.ok(world.nodes.every(({ record }) => record === undefined));
  assert.deepEqual(world.node(1).lines, [
    "this node belongs to no cluster yet: node 2 was started with the peers 1, 2, this one with 1, 2, 3",
  ]);
});

Deno.test("form() ends in one cluster of all stores whenever a node dies and comes back", async () => {
  for (let seed = 1; seed <= 120; seed++) {
    const world = new World(seed);
    world.startAll();
    const [victim, other] = [world.node(1 + seed % 3), world.node(1 + (seed + 1) % 3)];
    await world.clock.run(seed / 2);
    victim.die(seed % 2 === 0);
    if (seed % 5 === 0) other.die(true);
    await world.clock.run(world.random.next() * 300);
    void victim.start();
    if (seed % 5 === 0) void other.start();
    await world.clock.run(12_000);
    const { members } = world.assertFormed();
    const stores = world.nodes.map(({ process }) => process?.store);
    assert.deepEqual(members, stores.map((store) => store?.member), `seed ${seed}`);
    for (const { record, fatal } of world.nodes) {
      assert.deepEqual(record?.unconfirmed, [], `seed ${seed}`);
      assert.deepEqual(fatal, []);
    }
  }
});

Deno.test("form() never gives an emptied node the place of its old self", async () => {
  for (let seed = 1; seed <= 120; seed++) {
    const world = new World(seed, { memory: seed % 4 === 0 });
    world.startAll();
    await world.clock.run(seed);
    const victim = world.node(1 + seed % 3);
    const before = victim.process?.store.member;
    victim.wipe();
    await world.clock.run(world.random.next() * 300);
    void victim.start();
    await world.clock.run(12_000);
    const stuck = world.nodes.find(({ record }) => record === undefined);
    if (stuck !== undefined) {
      // Who formed the cluster was lost before it told everybody: a person has to see to that.
      assert.equal(victim.config.nodeId, 1, `seed ${seed}`);
      assert.match(stuck.lines.at(-1) ?? "", /the node that formed it has to offer it/);
      continue;
    }
    const { members } = world.assertFormed();
    const store = victim.process?.store ?? assert.fail();
    assert.notEqual(store.member, before);
    const isFounder = members.includes(store.member);
    assert.deepEqual(store.founders, isFounder ? members : [], `seed ${seed}`);
    assert.ok(!isFounder || !members.includes(before ?? ""), `seed ${seed}`);
    assert.deepEqual(world.node(1).record?.unconfirmed, [], `seed ${seed}`);
  }
});

Deno.test("form() on an emptied node with the flag joins, even while no other node is up", async () => {
  const world = new World();
  world.startAll();
  await world.clock.run(1_000);
  const { id } = world.assertFormed();
  for (const node of world.nodes) node.die();
  world.node(1).wipe();
  void world.node(1).start();
  await world.clock.run(2_000);
  void world.node(2).start();
  world.cut.add(2);
  await world.clock.run(2_000);
  assert.equal(world.node(1).record, undefined);
  world.cut.clear();
  await world.clock.run(1_000);
  assert.equal(world.node(1).record?.id, id);
  assert.deepEqual(world.node(1).process?.store.founders, []);
  assert.match(
    world.node(1).lines.at(-1) ?? "",
    /^joined the cluster \w+ as 1\.\w+, which it formed/,
  );
});

Deno.test("form() gives no place to an old copy of a store that has confirmed", async () => {
  const world = new World();
  const node = world.node(2);
  void node.start();
  await world.clock.run(500);
  const copy = node.disk.content("/data/identity.json");
  void world.node(1).start();
  void world.node(3).start();
  await world.clock.run(1_000);
  world.assertFormed();
  node.wipe();
  await world.clock.until(node.disk.makeDirectory("/data"));
  const file = await world.clock.until(node.disk.open("/data/identity.json", { create: true }));
  await world.clock.until(file.write(copy, 0));
  for (const id of [1, 3]) {
    world.node(id).die();
    void world.node(id).start();
  }
  void node.start();
  await world.clock.run(20_000);
  assert.equal(node.record, undefined);
  assert.equal(node.process?.store.member, world.node(1).record?.members[1], "it is the old store");
  assert.match(
    node.lines.at(-1) ?? "",
    /this directory is an old copy, start on an empty directory$/,
  );
});

Deno.test("form() hands the formation to the store that it found, and to no other", async () => {
  const world = new World();
  world.startAll();
  // The record is there, and nobody has heard of it.
  while (world.node(1).record === undefined) await world.clock.step();
  world.cut.add(1);
  const [, , third] = world.node(1).record?.members ?? [];
  world.node(3).wipe();
  void world.node(3).start();
  await world.clock.run(500);
  world.node(1).die(true);
  void world.node(1).start();
  await world.clock.run(500);
  assert.equal(world.node(1).process?.formed?.unconfirmed.length, 2, "it goes on by itself");
  world.cut.clear();
  await world.clock.run(12_000);
  const { members } = world.assertFormed();
  assert.equal(members[2], third);
  assert.deepEqual(world.node(2).process?.store.founders, members);
  assert.deepEqual(world.node(3).process?.store.founders, []);
});

Deno.test("form() waits where the peers belong to different clusters", async () => {
  const world = new World();
  for (const [nodeId, id] of [[2, "one"], [3, "two"]] as const) {
    const { config, disk } = world.node(nodeId);
    const io = { disk, random: world.random };
    const store = await world.clock.until(openStore(config, io, "boot"));
    await world.clock.until(store.adopt({ id, members: ["7.a"], unconfirmed: [] }));
    await world.clock.until(store.close());
  }
  world.startAll();
  await world.clock.run(5_000);
  assert.equal(world.node(1).record, undefined);
  assert.deepEqual(world.node(1).lines, [
    "this node belongs to no cluster yet: the peers are of different clusters: see which one's data " +
    "is out of place",
  ]);
  world.node(3).wipe();
  await world.clock.run(1_000);
  assert.equal(world.node(1).record?.id, "one");
});

Deno.test("form() never makes two clusters that could both decide, whatever dies", async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const world = new World(seed, { memory: seed % 3 === 0 });
    const formationOf = new Map<string, string>();
    const check = () => {
      const ids: string[] = [];
      for (const { process } of world.nodes) {
        if (process === undefined) continue;
        const { member, record, founders } = process.store;
        const known = formationOf.get(member);
        if (record !== undefined) formationOf.set(member, record.id);
        assert.ok(known === undefined || known === record?.id, `seed ${seed}: ${member} forgot`);
        if (founders.length > 0) ids.push(record?.id ?? "");
      }
      const able = new Set(ids.filter((id) => ids.filter((other) => other === id).length >= 2));
      assert.ok(able.size <= 1, `seed ${seed}: two clusters`);
    };
    world.startAll();
    for (let round = 0; round < 30; round++) {
      const node = world.node(1 + Math.floor(world.random.next() * 3));
      const fault = world.random.next();
      if (!node.isUp) void node.start();
      else if (fault < 0.3) node.die(fault < 0.15);
      else if (fault < 0.4) node.wipe();
      else if (fault < 0.6) world.cut.add(node.config.nodeId);
      else world.cut.clear();
      const untilMs = world.clock.monotonicMs() + world.random.next() * 150;
      while (world.clock.monotonicMs() < untilMs) {
        await world.clock.run(5);
        check();
      }
    }
  }
});

Deno.test("answer() takes a formation from who formed it alone, and only while empty", async () => {
  const world = new World();
  const node = world.node(2);
  void node.start();
  await world.clock.run(100);
  const { store, formation } = node.process ?? assert.fail();
  const held = () => store.record?.id;
  const offer = (id: string, members: string[], nodeId = 1, storeId = "a") =>
    world.clock.until(
      formation.answer({ nodeId, storeId }, encodeQuestion({ formation: { id, members } })),
    );
  await offer("f1", ["1.a", "2.other", "3.c"]);
  await offer("f1", ["1.x", store.member, "3.c"]);
  await offer("f1", ["1.a", store.member, "3.c"], 3, "a");
  assert.equal(held(), undefined);
  await offer("f1", ["1.a", store.member, "3.c"]);
  assert.equal(held(), "f1");
  await offer("f2", ["1.a", store.member, "3.c"]);
  assert.equal(held(), "f1");
  node.die(true);
  void node.start();
  await world.clock.run(100);
  assert.equal(node.record?.id, "f1", "it was durable before it was confirmed");
});

Deno.test("answer() does not say that nothing is held while a formation is being written", async () => {
  const world = new World();
  const node = world.node(2);
  void node.start();
  await world.clock.run(100);
  const { store, formation } = node.process ?? assert.fail();
  const word = { id: "f1", members: ["1.a", store.member] };
  const offered = formation.answer(
    { nodeId: 1, storeId: "a" },
    encodeQuestion({ formation: word }),
  );
  const asked = formation.answer(
    { nodeId: 3, storeId: "c" },
    encodeQuestion({ formation: undefined }),
  );
  assert.deepEqual(decodeReport(await world.clock.until(asked), 2)?.formation, word);
  await offered;
});

Deno.test("form() takes no other store's word for a confirmation", async () => {
  const world = new World();
  world.startAll();
  while (world.node(1).record === undefined) await world.clock.step();
  world.cut.add(1);
  world.node(3).wipe();
  void world.node(3).start();
  // It must not join before it is asked: it hears from nobody but who asks it.
  await world.clock.run(50);
  world.node(3).process?.formation.close();
  world.cut.clear();
  await world.clock.run(12_000);
  const record = world.node(1).record ?? assert.fail();
  assert.equal(world.node(3).record, undefined);
  assert.deepEqual(record.unconfirmed, [record.members[2]]);
});

Deno.test("answer() answers nothing to what is no question, and believes none of it", async () => {
  const world = new World();
  const node = world.node(2);
  void node.start();
  await world.clock.run(100);
  const { store, formation } = node.process ?? assert.fail();
  const good = encodeQuestion({ formation: { id: "f1", members: ["1.a", store.member] } });
  const ask = async (bytes: Uint8Array) => {
    const answering = formation.answer({ nodeId: 3, storeId: "c" }, bytes);
    await world.clock.until(answering);
    assert.equal(store.record, undefined);
    return (await answering).length;
  };
  const bad = [
    encodeQuestion({ formation: { id: "", members: ["1.a"] } }),
    encodeQuestion({ formation: { id: "f1", members: [] } }),
    encodeQuestion({ formation: { id: "f1", members: ["2.b", "1.a"] } }),
    encodeQuestion({ formation: { id: "f1", members: ["1.a", "1.b"] } }),
    encodeQuestion({ formation: { id: "f/1", members: ["1.a"] } }),
    encodeQuestion({ formation: { id: "f1", members: ["01.a"] } }),
    new Uint8Array(70_000),
    new Uint8Array(),
  ];
  for (const bytes of bad) assert.equal(await ask(bytes), 0);
  await fc.assert(
    fc.asyncProperty(fc.nat(good.length - 1), fc.nat(255), async (at, byte) => {
      const bytes = good.slice();
      bytes[at] = byte;
      await ask(bytes);
    }),
    { numRuns: 200 },
  );
  await fc.assert(fc.asyncProperty(fc.uint8Array(), async (bytes) => void await ask(bytes)));
  assert.equal(node.lines.length, 1, "said once");
});

Deno.test("form() rejects when the disk fails it, and confirmations that fail end the node", async () => {
  for (let nth = 1; nth <= 3; nth++) {
    const world = new World();
    world.startAll();
    await world.clock.run(10);
    world.node(1).disk.failAt("sync", nth);
    await world.clock.run(2_000);
    const { process, fatal } = world.node(1);
    if (nth <= 2) assert.match(String(process?.failed), /made to fail/);
    else assert.ok(fatal.length > 0 && fatal.length <= 2);
    assert.equal(process?.formed === undefined, nth <= 2);
  }
});

Deno.test("close() ends a form() that waits, and its answers go on", async () => {
  const world = new World();
  void world.node(2).start();
  await world.clock.run(100);
  const { formation } = world.node(2).process ?? assert.fail();
  formation.close();
  await world.clock.run(100);
  assert.match(String(world.node(2).process?.failed), /stopped before its cluster had formed/);
  const answer = formation.answer(
    { nodeId: 1, storeId: "a" },
    encodeQuestion({ formation: undefined }),
  );
  assert.ok((await world.clock.until(answer)).length > 0);
});
