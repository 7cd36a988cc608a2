import assert from "node:assert/strict";
import { SimDisk } from "../tests/sim/disk.ts";
import { SimRandom } from "../tests/sim/random.ts";
import { configFromInput } from "./config/mod.ts";
import { openStore, type Store, type StoreConfig } from "./store.ts";

const CONFIG: StoreConfig = {
  raftMemory: false,
  dataDir: "/data",
  cores: 2,
  raftGroupCount: 64,
  clusterId: "ursula",
  fsync: "always",
  nodeId: 1,
  cluster: undefined,
};

/** Node 1 of three. */
const CLUSTER: Partial<StoreConfig> = configFromInput({
  nodeId: 1,
  raftPeers: ["1=http://a:1", "2=http://b:1", "3=http://c:1"],
  dataDir: "/data",
  cores: 2,
}, { cores: 2 });
const FORMED = { id: "f0f0f0f0f0f0f0f0", unconfirmed: ["2.b"] };

function machine() {
  const random = new SimRandom(7);
  let disk = new SimDisk({ random });
  const lines: string[] = [];
  return {
    lines,
    get disk() {
      return disk;
    },
    /** The process dies, or with `power` the machine; its locks go with it. */
    die(power = false) {
      disk = power ? disk.crash() : disk.kill();
    },
    open(more: Partial<StoreConfig> = {}, boot = "boot 1"): Promise<Store> {
      return openStore({ ...CONFIG, ...more }, { random, disk }, boot, (line) => lines.push(line));
    },
  };
}

function namesOf({ formation, member, journalCount }: Store) {
  return { formation, member, journalCount };
}

Deno.test("openStore() makes an identity when there is none, and finds it again", async () => {
  const at = machine();
  const first = await at.open();
  assert.match(first.formation, /^[0-9a-f]{8}$/);
  assert.match(first.member, /^1\.[0-9a-f]{16}$/);
  assert.deepEqual([first.directory, first.journalCount, first.hasStarted], ["/data", 2, false]);
  await first.started();
  await first.close();
  const second = await at.open({ cores: 5 });
  assert.deepEqual(namesOf(second), namesOf(first), "journals are fixed with the data");
  assert.equal(second.hasStarted, true);
});

Deno.test("openStore() makes no more journals than there are groups", async () => {
  assert.equal((await machine().open({ cores: 8, raftGroupCount: 3 })).journalCount, 3);
});

Deno.test("openStore() keeps a second process off, until the directory is given back", async () => {
  const at = machine();
  const first = await at.open();
  await assert.rejects(at.open(), /another process/);
  first.release();
  const second = await at.open();
  await second.close();
  (await at.open()).release();
});

Deno.test("openStore() refuses another cluster's data, or another number of groups", async () => {
  const at = machine();
  await (await at.open()).close();
  await assert.rejects(at.open({ clusterId: "another" }), /cluster id ursula/);
  await assert.rejects(at.open({ raftGroupCount: 32 }), /group count 64/);
  await (await at.open()).close();
});

Deno.test("openStore() keeps to the cold backend that the data may refer to", async () => {
  const at = machine();
  await (await at.open({ coldBackend: "fs" })).close();
  const second = await at.open({ coldBackend: "s3" });
  await second.refersTo("s3");
  at.die(true);
  for (const coldBackend of ["fs", "none"] as const) {
    await assert.rejects(at.open({ coldBackend }), {
      name: "IdentityMismatch",
      message: "/data/identity.json: refers to objects of cold backend s3, but this node was " +
        `started with ${coldBackend}`,
    });
  }
  const third = await at.open({ coldBackend: "s3" });
  await third.refersTo("s3");
  await third.close();
});

Deno.test("openStore() takes a first start that was cut off for one that is still to come", async () => {
  for (const fsync of ["always", "never"] as const) {
    for (const power of [false, true]) {
      const at = machine();
      const first = await at.open({ fsync });
      at.die(power);
      const boot = power ? "boot 2" : "boot 1";
      const second = await at.open({ fsync }, boot);
      assert.equal(second.hasStarted, false, `fsync ${fsync}`);
      assert.deepEqual(namesOf(second), namesOf(first));
      await second.started();
      at.die();
      assert.equal((await at.open({ fsync }, boot)).hasStarted, true);
    }
  }
});

Deno.test("openStore() refuses when unsynced writes may be lost with the machine", async () => {
  const never = { fsync: "never" } as const;
  const at = machine();
  await (await at.open(never)).started();
  at.die();
  await (await at.open(never)).started();
  at.die(true);
  await assert.rejects(at.open(never, "boot 2"), /acknowledged writes may be missing/);
  await assert.rejects(at.open({}, "boot 2"), /acknowledged writes may be missing/);
  const mixed = machine();
  await (await mixed.open(never)).started();
  mixed.die();
  await mixed.open();
  mixed.die(true);
  await assert.rejects(mixed.open({}, "boot 2"), /acknowledged writes may be missing/);
});

Deno.test("openStore() trusts unsynced writes when the run ended in good order", async () => {
  const at = machine();
  const store = await at.open({ fsync: "never" });
  await store.started();
  await store.close();
  assert.equal((await at.open({ fsync: "never" }, "boot 2")).hasStarted, true);
});

Deno.test("openStore() trusts a run that synced, whatever became of the machine", async () => {
  const at = machine();
  await (await at.open()).started();
  at.die(true);
  assert.equal((await at.open({}, "boot 2")).hasStarted, true);
});

Deno.test("openStore() gives the lock back when it refuses", async () => {
  const at = machine();
  await (await at.open()).close();
  await assert.rejects(at.open({ clusterId: "another" }));
  at.disk.failAt("sync", 1);
  await assert.rejects(at.open());
  await (await at.open()).close();
});

Deno.test("openStore() in memory touches no disk, and is another store every time", async () => {
  const at = machine();
  const [one, two] = [await at.open({ raftMemory: true }), await at.open({ raftMemory: true })];
  assert.notEqual(one.formation, two.formation);
  assert.notEqual(one.member, two.member);
  assert.deepEqual([one.directory, one.hasStarted, one.journalCount], [undefined, false, 2]);
  await one.started();
  await one.close();
  two.release();
  assert.deepEqual(at.disk.paths(), []);
});

Deno.test("openStore() names a single node's id as configured, and its cluster after itself", async () => {
  const at = machine();
  const store = await at.open({ nodeId: 7 });
  assert.match(store.member, /^7\.[0-9a-f]{16}$/);
  assert.deepEqual(store.record?.members, [store.member]);
  assert.deepEqual(store.founders, [store.member]);
  await store.close();
  await assert.rejects(at.open(), /node id 7, but this node was started with 1/);
});

Deno.test("openStore() leaves a node of several empty until it adopts a formation", async () => {
  const at = machine();
  const first = await at.open(CLUSTER);
  assert.deepEqual([first.record, first.formation, first.founders], [undefined, "", []]);
  await first.close();
  const second = await at.open(CLUSTER);
  assert.equal(second.hasStarted, false, "nothing is there that could be missing");
  assert.equal(second.member, first.member);
  const members = [second.member, "2.b"];
  await second.adopt({ ...FORMED, members });
  assert.deepEqual([second.formation, second.founders], ["f0f0f0f0", members]);
  at.die(true);
  const third = await at.open(CLUSTER, "boot 2");
  assert.deepEqual(third.record, { ...FORMED, members });
  assert.equal(third.hasStarted, false);
  await third.adopt({ ...FORMED, members, unconfirmed: [] });
  await assert.rejects(
    third.adopt({ ...FORMED, id: "other", members }),
    /formation f0f0f0f0f0f0f0f0/,
  );
  await third.started();
  await third.close();
  const fourth = await at.open(CLUSTER);
  assert.deepEqual([fourth.record?.unconfirmed, fourth.hasStarted], [[], true]);
});

Deno.test("openStore() has no founders where the cluster formed without this store", async () => {
  const store = await machine().open({ ...CLUSTER, raftMemory: true });
  assert.equal(store.record, undefined);
  await store.adopt({ ...FORMED, members: ["1.a", "2.b"] });
  assert.deepEqual([store.formation, store.founders], ["f0f0f0f0", []]);
});

Deno.test("Store writes one change after the other when they come together", async () => {
  const at = machine();
  const store = await at.open(CLUSTER);
  const members = [store.member, "2.b"];
  const adopting = store.adopt({ ...FORMED, members });
  const confirming = store.adopt({ ...FORMED, members, unconfirmed: [] });
  const starting = store.started();
  await Promise.all([adopting, confirming, starting, store.close()]);
  const next = await at.open(CLUSTER);
  assert.deepEqual([next.record, next.hasStarted], [{ ...FORMED, members, unconfirmed: [] }, true]);
});

Deno.test("Store.adopt() leaves the old identity or the new one when it fails", async () => {
  for (const operation of ["write", "sync", "rename"] as const) {
    const at = machine();
    const store = await at.open(CLUSTER);
    at.disk.failAt(operation, 1);
    const members = [store.member, "2.b"];
    await assert.rejects(store.adopt({ ...FORMED, members }));
    assert.equal(store.record, undefined);
    store.release();
    await assert.rejects(store.adopt({ ...FORMED, members }), /given back/);
    assert.equal((await at.open(CLUSTER)).record, undefined);
  }
});

Deno.test("openStore() makes no cluster's node of a single one, nor the other way", async () => {
  const alone = machine();
  await (await alone.open()).close();
  await assert.rejects(alone.open(CLUSTER), /is a single node's, but .* started with peers/);
  const several = machine();
  const store = await several.open(CLUSTER);
  await store.adopt({ ...FORMED, members: [store.member, "2.b"] });
  await store.close();
  await assert.rejects(several.open(), /is a cluster's, but .* started without peers/);
});

Deno.test("openStore() trusts an empty node of several, and one that formed no further", async () => {
  const never = { ...CLUSTER, fsync: "never" } as const;
  const at = machine();
  const first = await at.open(never);
  at.die(true);
  const empty = await at.open(never, "boot 2");
  assert.equal(empty.member, first.member, "an empty node has nothing to lose");
  await empty.adopt({ ...FORMED, members: [empty.member, "2.b"] });
  at.die();
  const same = await at.open(never, "boot 2");
  assert.equal(same.record?.id, FORMED.id);
  at.die(true);
  const anew = await at.open(never, "boot 3");
  assert.notEqual(anew.member, same.member, "it may have voted before its start was at its end");
});

Deno.test("openStore() starts a cluster's node anew when unsynced writes may be lost", async () => {
  const never = { ...CLUSTER, fsync: "never" } as const;
  /** A node that worked; its machine loses power. */
  const lost = async () => {
    const at = machine();
    const store = await at.open(never);
    await store.adopt({ ...FORMED, members: [store.member, "2.b"] });
    for (const folder of ["/data/journal", "/data/snapshots/1"]) {
      await at.disk.makeDirectory(folder);
      const file = await at.disk.open(`${folder}/file`, { create: true });
      await file.sync();
      await at.disk.syncDirectory(folder);
    }
    await store.started();
    at.die(true);
    return { at, old: store };
  };
  const { at, old } = await lost();
  const anew = await at.open(never, "boot 2");
  assert.notEqual(anew.storeId, old.storeId);
  assert.deepEqual([anew.record, anew.hasStarted, anew.nodeId], [undefined, false, 1]);
  const into = `/data/lost-${old.storeId}`;
  assert.deepEqual(at.disk.paths(), [
    "/data/identity.json",
    "/data/lock",
    `${into}/identity.json`,
    `${into}/journal/file`,
    `${into}/snapshots/1/file`,
  ]);
  assert.match(at.lines.join(), /acknowledged writes may be missing; this node starts empty/);
  // Whatever step the power fails at, the next start does not take the old self for a whole one.
  for (let steps = 0; steps < 40; steps++) {
    const { at, old } = await lost();
    const opening = at.open(never, "boot 2");
    opening.catch(() => {});
    for (let step = steps; step > 0; step--) await Promise.resolve();
    at.die(true);
    const anew = await at.open(never, "boot 3");
    assert.notEqual(anew.storeId, old.storeId, `after ${steps} steps`);
    assert.equal(anew.record, undefined);
    const left = at.disk.paths().filter((path) => /^\/data\/(?:journal|snapshots)/.test(path));
    assert.deepEqual(left, [], `after ${steps} steps`);
  }
});
