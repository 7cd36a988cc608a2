import assert from "node:assert/strict";
import { SimClock } from "../tests/sim/clock.ts";
import { SimDisk } from "../tests/sim/disk.ts";
import { SimRandom } from "../tests/sim/random.ts";
import { openStore, type Store, type StoreConfig } from "./store.ts";

const CONFIG: StoreConfig = {
  raftMemory: false,
  dataDir: "/data",
  cores: 2,
  raftGroupCount: 64,
  clusterId: "ursula",
  fsync: "always",
};

function machine() {
  const random = new SimRandom(7);
  let disk = new SimDisk({ random });
  return {
    get disk() {
      return disk;
    },
    /** The process dies, or with `power` the machine; its locks go with it. */
    die(power = false) {
      disk = power ? disk.crash() : disk.kill();
    },
    open(more: Partial<StoreConfig> = {}, boot = "boot 1"): Promise<Store> {
      return openStore({ ...CONFIG, ...more }, { clock: new SimClock(), random, disk }, boot);
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
