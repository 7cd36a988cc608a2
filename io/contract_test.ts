/** What every implementation of Disk, Clock, Random and Network must do, run on the real ones and the simulated ones. */

import assert from "node:assert/strict";
import { certify, makeAuthority } from "../tests/given/certificates.ts";
import { SimClock } from "../tests/sim/clock.ts";
import { SimDisk } from "../tests/sim/disk.ts";
import { SimNetwork } from "../tests/sim/network.ts";
import { SimRandom } from "../tests/sim/random.ts";
import { DenoClock, denoDisk, denoNetwork, denoRandom } from "./deno.ts";
import {
  type Clock,
  type Connection,
  type Disk,
  DiskError,
  type DiskErrorCode,
  type Network,
  NetworkError,
  type NetworkErrorCode,
  type Random,
} from "./mod.ts";
import { TlsNetwork } from "./tls.ts";

type Work<T> = (subject: T, place: string) => Promise<void>;

async function onRealDisk(work: Work<Disk>): Promise<void> {
  const place = await Deno.makeTempDir();
  try {
    await work(denoDisk, place);
  } finally {
    await Deno.remove(place, { recursive: true });
  }
}

async function onSimDisk(work: Work<Disk>): Promise<void> {
  const disk = new SimDisk({ random: new SimRandom(1) });
  await disk.makeDirectory("/place");
  await work(disk, "/place");
}

function diskTest(name: string, work: Work<Disk>): void {
  Deno.test(`denoDisk: ${name}`, () => onRealDisk(work));
  Deno.test(`SimDisk: ${name}`, () => onSimDisk(work));
}

async function failsWith(code: DiskErrorCode, outcome: Promise<unknown>): Promise<void> {
  await assert.rejects(outcome, (error: unknown) => {
    assert.ok(error instanceof DiskError, String(error));
    assert.equal(error.code, code);
    return true;
  });
}

const bytes = (...values: number[]) => new Uint8Array(values);

diskTest("open() makes a file only when asked to", async (disk, place) => {
  await failsWith("not_found", disk.open(`${place}/a`, { create: false }));
  await failsWith("not_found", disk.open(`${place}/none/a`, { create: true }));
  (await disk.open(`${place}/a`, { create: true })).close();
  (await disk.open(`${place}/a`, { create: false })).close();
});

diskTest("read() fills what there is when the file ends before", async (disk, place) => {
  const file = await disk.open(`${place}/a`, { create: true });
  file.writeSync(bytes(1, 2, 3), 0);
  await file.write(bytes(4, 5), 3);
  const into = new Uint8Array(4);
  assert.equal(await file.read(into, 0), 4);
  assert.deepEqual(into, bytes(1, 2, 3, 4));
  assert.equal(await file.read(into, 3), 2);
  assert.deepEqual(into.subarray(0, 2), bytes(4, 5));
  assert.equal(await file.read(into, 5), 0);
  assert.equal(await file.read(into, 99), 0);
  file.close();
});

diskTest(
  "writeSync() and write() go where they are told when mixed with reads",
  async (disk, place) => {
    const file = await disk.open(`${place}/a`, { create: true });
    file.writeSync(bytes(1, 1, 1, 1, 1, 1), 0);
    file.writeSync(bytes(2), 1);
    file.writeSync(bytes(3), 2);
    await file.read(new Uint8Array(1), 0);
    file.writeSync(bytes(4), 1);
    await file.write(bytes(5), 4);
    file.writeSync(bytes(6), 8);
    const into = new Uint8Array(9);
    assert.equal(await file.read(into, 0), 9);
    assert.deepEqual(into, bytes(1, 4, 3, 1, 5, 1, 0, 0, 6));
    file.close();
  },
);

diskTest("syncSync() syncs between others, and keeps what was written", async (disk, place) => {
  const file = await disk.open(`${place}/a`, { create: true });
  file.writeSync(bytes(1, 2), 0);
  file.syncSync();
  file.writeSync(bytes(3), 2);
  await file.sync();
  file.syncSync();
  assert.equal(await file.size(), 3);
  file.close();
});

diskTest("writeSync() works when a sync is under way", async (disk, place) => {
  const file = await disk.open(`${place}/a`, { create: true });
  for (let at = 0; at < 20; at++) {
    file.writeSync(bytes(at), at);
    const synced = file.sync();
    file.writeSync(bytes(at + 100), at + 100);
    await synced;
  }
  assert.equal(await file.size(), 120);
  file.close();
});

diskTest("truncate() cuts, and extends with zeros", async (disk, place) => {
  const file = await disk.open(`${place}/a`, { create: true });
  file.writeSync(bytes(1, 2, 3), 0);
  await file.truncate(1);
  await file.truncate(3);
  const into = new Uint8Array(3);
  assert.equal(await file.read(into, 0), 3);
  assert.deepEqual(into, bytes(1, 0, 0));
  assert.equal(await file.size(), 3);
  file.close();
});

diskTest("list() sorts names and knows folders", async (disk, place) => {
  assert.deepEqual(await disk.list(place), []);
  await disk.makeDirectory(`${place}/z/y`);
  await disk.makeDirectory(`${place}/z`);
  for (const name of ["b", "a", "B"]) {
    (await disk.open(`${place}/${name}`, { create: true })).close();
  }
  assert.deepEqual(await disk.list(place), ["B", "a", "b", "z"]);
  assert.deepEqual(await disk.list(`${place}/z`), ["y"]);
  await failsWith("not_found", disk.list(`${place}/none`));
});

diskTest("rename() replaces, and remove() removes", async (disk, place) => {
  for (const [name, value] of [["a", 1], ["b", 2]] as const) {
    const file = await disk.open(`${place}/${name}`, { create: true });
    file.writeSync(bytes(value), 0);
    file.close();
  }
  await disk.rename(`${place}/a`, `${place}/b`);
  await disk.syncDirectory(place);
  assert.deepEqual(await disk.list(place), ["b"]);
  const file = await disk.open(`${place}/b`, { create: false });
  const into = new Uint8Array(1);
  await file.read(into, 0);
  assert.deepEqual(into, bytes(1));
  await disk.remove(`${place}/b`);
  await failsWith("not_found", disk.remove(`${place}/b`));
  await failsWith("not_found", disk.rename(`${place}/b`, `${place}/c`));
  await failsWith("not_found", disk.syncDirectory(`${place}/none`));
  // A file that was removed while open is still there for who has it open.
  assert.equal(await file.read(into, 0), 1);
  file.close();
});

diskTest("lock() is refused when held, and the file stays", async (disk, place) => {
  const lock = await disk.lock(`${place}/lock`);
  await failsWith("locked", disk.lock(`${place}/lock`));
  lock.release();
  assert.deepEqual(await disk.list(place), ["lock"]);
  (await disk.lock(`${place}/lock`)).release();
});

diskTest("freeBytes() says how much room there is", async (disk, place) => {
  assert.ok(await disk.freeBytes(place) > 0);
});

async function onSimClock(
  work: (clock: Clock, wait: (ms: number) => Promise<void>) => Promise<void>,
) {
  const clock = new SimClock();
  await work(clock, (ms) => clock.run(ms));
}

async function onRealClock(
  work: (clock: Clock, wait: (ms: number) => Promise<void>) => Promise<void>,
) {
  const clock = new DenoClock();
  await work(clock, (ms) => new Promise((resolve) => setTimeout(resolve, ms + 5)));
  clock.close();
}

for (const [name, run] of [["DenoClock", onRealClock], ["SimClock", onSimClock]] as const) {
  Deno.test(`${name}: setTimer() fires no sooner than asked, and not when cancelled`, () =>
    run(async (clock, wait) => {
      const start = clock.monotonicMs();
      let fired = -1;
      clock.setTimer(3.7, () => fired = clock.monotonicMs() - start);
      const cancelled = clock.setTimer(1, () => assert.fail("was cancelled"));
      cancelled.cancel();
      cancelled.cancel();
      await wait(10);
      assert.ok(fired >= 3.7, `${fired}`);
    }));

  Deno.test(`${name}: defer() runs after promises that are settled, in order`, () =>
    run(async (clock, wait) => {
      const seen: string[] = [];
      clock.defer(() => seen.push("first"));
      clock.defer(() => seen.push("second"));
      Promise.resolve().then(() => {}).then(() => seen.push("promise"));
      seen.push("now");
      await wait(1);
      assert.deepEqual(seen, ["now", "promise", "first", "second"]);
    }));

  Deno.test(`${name}: deferLast() runs after what is deferred for the same turn`, () =>
    run(async (clock, wait) => {
      const seen: string[] = [];
      clock.deferLast(() => {
        seen.push("last");
        clock.deferLast(() => seen.push("of the next turn"));
      });
      clock.defer(() => {
        seen.push("turn");
        clock.deferLast(() => seen.push("last of all"));
      });
      await wait(5);
      assert.deepEqual(seen, ["turn", "last", "last of all", "of the next turn"]);
    }));
}

Deno.test("DenoClock.close() forgets what is pending, so that nothing leaks", async () => {
  const clock = new DenoClock();
  clock.setTimer(60_000, () => assert.fail("closed"));
  clock.setTimer(2 ** 33, () => assert.fail("not for three months"));
  clock.defer(() => assert.fail("closed"));
  clock.deferLast(() => assert.fail("closed"));
  clock.close();
  clock.setTimer(0, () => assert.fail("closed"));
  await new Promise((resolve) => setTimeout(resolve, 5));
});

Deno.test("DenoClock.setTimer() waits when the delay is longer than setTimeout takes", async () => {
  const clock = new DenoClock();
  clock.setTimer(2 ** 33, () => assert.fail("not for three months"));
  await new Promise((resolve) => setTimeout(resolve, 5));
  clock.close();
});

const randoms: [string, Random][] = [["denoRandom", denoRandom], ["SimRandom", new SimRandom(7)]];
for (const [name, random] of randoms) {
  Deno.test(`${name}: numbers lie in [0, 1), and bytes are as many as asked for`, () => {
    for (let count = 0; count < 1_000; count++) {
      const number = random.next();
      assert.ok(number >= 0 && number < 1);
    }
    for (const length of [0, 1, 16, 200_000]) {
      assert.equal(random.bytes(length).length, length);
    }
    const seen = new Set(random.bytes(10_000));
    assert.equal(seen.size, 256);
  });
}

/** Two processes with a network between them. */
interface Between {
  readonly here: Network;
  readonly there: Network;
  /** Where `there` can listen. */
  readonly hostname: string;
  /** Lets time go by until the outcome is known. */
  readonly settle: <T>(outcome: Promise<T>) => Promise<T>;
}

function networkTest(name: string, work: (between: Between) => Promise<void>): void {
  Deno.test(`denoNetwork: ${name}`, () =>
    work({
      here: denoNetwork,
      there: denoNetwork,
      hostname: "127.0.0.1",
      settle: (outcome) => outcome,
    }));
  Deno.test(`TlsNetwork: ${name}`, async () => {
    const authority = await makeAuthority();
    const network = async () =>
      new TlsNetwork({ ...await certify(authority), authorities: authority.pem });
    await work({
      here: await network(),
      there: await network(),
      hostname: "127.0.0.1",
      settle: (outcome) => outcome,
    });
  });
  Deno.test(`SimNetwork: ${name}`, () => {
    const clock = new SimClock();
    const network = new SimNetwork({ clock, random: new SimRandom(1) });
    return work({
      here: network.of(1),
      there: network.of(2),
      hostname: SimNetwork.hostname(2),
      settle: (outcome) => clock.until(outcome),
    });
  });
}

/** A connection, both its ends, and what closes the listener. */
async function joined({ here, there, hostname, settle }: Between) {
  let accept = (_: Connection) => {};
  const accepted = new Promise<Connection>((resolve) => accept = resolve);
  const listener = await there.listen({ hostname, port: 0 }, false, (found) => accept(found));
  const dialled = await settle(here.connect({ hostname, port: listener.port }));
  return { dialled, accepted: await settle(accepted), listener };
}

async function readAll(connection: Connection, length: number): Promise<Uint8Array> {
  const found = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const count = await connection.read(found.subarray(done));
    assert.ok(count > 0 && count <= length - done);
    done += count;
  }
  return found;
}

async function breaksWith(code: NetworkErrorCode, outcome: Promise<unknown>): Promise<void> {
  await assert.rejects(outcome, (error: unknown) => {
    assert.ok(error instanceof NetworkError, String(error));
    assert.equal(error.code, code);
    return true;
  });
}

networkTest("bytes arrive whole and in order, both ways", async (between) => {
  const { dialled, accepted, listener } = await joined(between);
  const { settle } = between;
  const sent = new Uint8Array(1_000_000).map((_, at) => at % 251);
  for (const [from, to] of [[dialled, accepted], [accepted, dialled]] as const) {
    const [, found] = await settle(Promise.all([from.write(sent), readAll(to, sent.length)]));
    assert.deepEqual(found, sent);
  }
  assert.match(dialled.remote, /:\d+$/);
  dialled.close();
  accepted.close();
  await listener.close();
});

networkTest("read() gives what was written, then 0, when the other end closes", async (between) => {
  const { dialled, accepted, listener } = await joined(between);
  const { settle } = between;
  await settle(dialled.write(bytes(1, 2, 3)));
  dialled.close();
  dialled.close();
  const into = new Uint8Array(10);
  assert.equal(await settle(accepted.read(into.subarray(0, 2))), 2);
  assert.equal(await settle(accepted.read(into.subarray(2))), 1);
  assert.deepEqual(into.subarray(0, 3), bytes(1, 2, 3));
  assert.equal(await settle(accepted.read(into)), 0);
  assert.equal(await settle(accepted.read(into)), 0);
  accepted.close();
  await listener.close();
});

networkTest("close() breaks this end's read and write", async (between) => {
  const { dialled, accepted, listener } = await joined(between);
  const { settle } = between;
  const read = breaksWith("broken", dialled.read(new Uint8Array(1)));
  dialled.close();
  await settle(read);
  await settle(breaksWith("broken", dialled.read(new Uint8Array(1))));
  await settle(breaksWith("broken", dialled.write(bytes(1))));
  accepted.close();
  await listener.close();
});

networkTest("write() waits when nobody reads, and breaks when nobody will", async (between) => {
  const { dialled, accepted, listener } = await joined(between);
  const { settle } = between;
  let written = 0;
  const writing = (async () => {
    for (;;) {
      await dialled.write(new Uint8Array(1 << 20));
      written++;
    }
  })();
  const broken = breaksWith("broken", writing);
  await settle(accepted.read(new Uint8Array(1)));
  accepted.close();
  await settle(broken);
  assert.ok(written < 100, `${written} MiB`);
  dialled.close();
  await listener.close();
});

networkTest("connect() is refused when nobody listens any more", async (between) => {
  const { dialled, accepted, listener } = await joined(between);
  const { here, hostname, settle } = between;
  await listener.close();
  await listener.close();
  const again = here.connect({ hostname, port: listener.port });
  await settle(breaksWith("unreachable", again));
  // What was accepted lives on.
  await settle(dialled.write(bytes(9)));
  assert.deepEqual(await settle(readAll(accepted, 1)), bytes(9));
  dialled.close();
  accepted.close();
});

networkTest("listen() says in_use when another has the port", async ({ there, hostname }) => {
  const first = await there.listen({ hostname, port: 0 }, false, () => {});
  const { port } = first;
  await breaksWith("in_use", there.listen({ hostname, port }, false, () => {}));
  await first.close();
  await (await there.listen({ hostname, port }, false, () => {})).close();
});

networkTest("listen() shares a port when all ask for it", async ({ there, hostname }) => {
  const first = await there.listen({ hostname, port: 0 }, true, () => {});
  const second = await there.listen({ hostname, port: first.port }, true, () => {});
  assert.equal(second.port, first.port);
  await first.close();
  await second.close();
});

Deno.test({
  name: "denoDisk waits for a file handle where the process has none left",
  ignore: Deno.build.os === "windows",
  async fn() {
    const program = `
      const { denoDisk } = await import(${JSON.stringify(import.meta.resolve("./deno.ts"))});
      const folder = Deno.makeTempDirSync();
      const taken = [];
      try { for (;;) taken.push(Deno.openSync("/dev/null")); } catch { /* none is left */ }
      let opened = false;
      const opening = denoDisk.open(folder + "/a", { create: true }).then((file) => {
        opened = true;
        return file;
      });
      await new Promise((resolve) => setTimeout(resolve, 200));
      const early = opened;
      taken.pop().close();
      await (await opening).write(new Uint8Array(3), 0);
      for (const file of taken) file.close();
      await Deno.remove(folder, { recursive: true });
      console.log(early, opened);`;
    const { stdout, stderr } = await new Deno.Command("sh", {
      args: [
        "-c",
        'ulimit -n 100; exec "$@"',
        "sh",
        Deno.execPath(),
        "eval",
        "--no-config",
        "--no-lock",
        program,
      ],
    }).output();
    const text = new TextDecoder();
    assert.equal(text.decode(stdout).trim(), "false true", text.decode(stderr));
  },
});
