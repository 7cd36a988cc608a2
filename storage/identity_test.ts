import assert from "node:assert/strict";
import { DiskError } from "../io/mod.ts";
import { SimDisk } from "../tests/sim/disk.ts";
import { SimRandom } from "../tests/sim/random.ts";
import {
  checkIdentity,
  type FormationRecord,
  type Identity,
  IdentityMismatch,
  lockDirectory,
  mayHaveLostWrites,
  readIdentity,
  writeIdentity,
} from "./identity.ts";

const DIRECTORY = "/data";

const IDENTITY: Identity = {
  storeId: "5t0re",
  formation: { id: "f0rm", members: ["1.5t0re", "2.other"], unconfirmed: ["2.other"] },
  clusterId: "ursula",
  nodeId: 1,
  groupCount: 64,
  journalCount: 8,
  fsync: "always",
  clean: false,
  bootId: "boot-1",
  hasStarted: true,
};

async function emptyDirectory(seed = 1): Promise<SimDisk> {
  const disk = new SimDisk({ random: new SimRandom(seed) });
  await disk.makeDirectory(DIRECTORY);
  return disk;
}

Deno.test("readIdentity() answers undefined when there is none", async () => {
  assert.equal(await readIdentity(await emptyDirectory(), DIRECTORY), undefined);
});

Deno.test("readIdentity() answers what was written when the power failed after it", async () => {
  const disk = await emptyDirectory();
  await writeIdentity(disk, DIRECTORY, IDENTITY);
  assert.deepEqual(await readIdentity(disk.crash(), DIRECTORY), IDENTITY);
});

Deno.test("writeIdentity() leaves the old or the new one when the power fails in it", async () => {
  const second: Identity = { ...IDENTITY, clean: true, bootId: "boot-2".repeat(500) };
  for (let seed = 1; seed <= 100; seed++) {
    const disk = await emptyDirectory(seed);
    await writeIdentity(disk, DIRECTORY, IDENTITY);
    const writing = writeIdentity(disk, DIRECTORY, second);
    for (let steps = seed % 20; steps > 0; steps--) await Promise.resolve();
    const found = await readIdentity(disk.crash(), DIRECTORY);
    assert.ok([IDENTITY.bootId, second.bootId].includes(found?.bootId ?? ""), `seed ${seed}`);
    writing.catch(() => {});
  }
});

Deno.test("readIdentity() refuses when the file is damaged or of another format", async () => {
  const disk = await emptyDirectory();
  await writeIdentity(disk, DIRECTORY, IDENTITY);
  const written = async (text: string) => {
    const file = await disk.open(`${DIRECTORY}/identity.json`, { create: true });
    await file.truncate(0);
    await file.write(new TextEncoder().encode(text), 0);
  };
  await written("{");
  await assert.rejects(readIdentity(disk, DIRECTORY), /identity\.json: is damaged: not JSON/);
  await written(JSON.stringify({ format: 1, ...IDENTITY, groupCount: "64" }));
  await assert.rejects(readIdentity(disk, DIRECTORY), IdentityMismatch);
  await writeIdentity(disk, DIRECTORY, IDENTITY);
  const whole = new TextDecoder().decode(disk.content(`${DIRECTORY}/identity.json`));
  await written(whole.replace("f0rm", "f1rm"));
  await assert.rejects(readIdentity(disk, DIRECTORY), /is damaged: its checksum is wrong/);
  const forged = { ...IDENTITY.formation, members: [1] } as unknown as FormationRecord;
  await writeIdentity(disk, DIRECTORY, { ...IDENTITY, formation: forged });
  await assert.rejects(readIdentity(disk, DIRECTORY), /a member is missing or of a wrong type/);
  await written(JSON.stringify({ ...IDENTITY, format: 2 }));
  await assert.rejects(readIdentity(disk, DIRECTORY), /data format 2, but this program reads 1/);
});

Deno.test("readIdentity() takes a single node's older file for a cluster of itself", async () => {
  const disk = await emptyDirectory();
  const { formation: _, hasStarted: __, ...rest } = IDENTITY;
  const older = { ...rest, formationId: "f0rm" } as unknown as Identity;
  await writeIdentity(disk, DIRECTORY, older);
  assert.deepEqual(await readIdentity(disk, DIRECTORY), {
    ...rest,
    hasStarted: true,
    formation: { id: "f0rm", members: ["1.5t0re"], unconfirmed: [] },
  });
});

Deno.test("checkIdentity() names both values when one differs", () => {
  checkIdentity(DIRECTORY, IDENTITY, { clusterId: "ursula", nodeId: 1, groupCount: 64 });
  checkIdentity(DIRECTORY, IDENTITY, {});
  const cases = [
    [{ clusterId: "prod" }, /cluster id ursula, but .* prod$/],
    [{ nodeId: 2 }, /node id 1, but .* 2$/],
    [{ groupCount: 16 }, /group count 64, but .* 16$/],
  ] as const;
  for (const [expected, message] of cases) {
    assert.throws(() => checkIdentity(DIRECTORY, IDENTITY, expected), message);
  }
});

Deno.test("checkIdentity() refuses when objects lie elsewhere, once there may be any", () => {
  const path = "/data/identity.json: ";
  for (const is of ["s3", "fs", "memory"] as const) {
    for (const wanted of ["s3", "fs", "memory", "none"] as const) {
      const start = () =>
        checkIdentity(DIRECTORY, { ...IDENTITY, objectsIn: is }, { objectsIn: wanted });
      const message = `${path}refers to objects of cold backend ${is}, but this node was started ` +
        `with ${wanted}`;
      if (is === wanted) start();
      else assert.throws(start, { name: "IdentityMismatch", message });
      checkIdentity(DIRECTORY, IDENTITY, { objectsIn: wanted });
    }
  }
});

Deno.test("readIdentity() keeps where objects lie, and takes no word for it that it does not know", async () => {
  const disk = await emptyDirectory();
  await writeIdentity(disk, DIRECTORY, { ...IDENTITY, objectsIn: "s3" });
  assert.equal((await readIdentity(disk, DIRECTORY))?.objectsIn, "s3");
  await writeIdentity(disk, DIRECTORY, { ...IDENTITY, objectsIn: "none" as "s3" });
  await assert.rejects(readIdentity(disk, DIRECTORY), /a member is missing or of a wrong type/);
});

Deno.test("mayHaveLostWrites() is true only when nothing was synced and the system is gone", () => {
  const never = { ...IDENTITY, fsync: "never" } as const;
  assert.equal(mayHaveLostWrites(never, "boot-2"), true);
  assert.equal(mayHaveLostWrites(never, "boot-1"), false);
  assert.equal(mayHaveLostWrites({ ...never, clean: true }, "boot-2"), false);
  assert.equal(mayHaveLostWrites(IDENTITY, "boot-2"), false);
});

Deno.test("lockDirectory() says so when another process is there", async () => {
  const disk = await emptyDirectory();
  const lock = await lockDirectory(disk, DIRECTORY);
  await assert.rejects(lockDirectory(disk, DIRECTORY), (error: unknown) => {
    return error instanceof DiskError && error.code === "locked" &&
      error.message.startsWith("/data: another process runs on this data directory");
  });
  lock.release();
  (await lockDirectory(disk, DIRECTORY)).release();
});
