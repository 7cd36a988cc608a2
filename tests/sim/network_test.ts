import assert from "node:assert/strict";
import type { Connection } from "../../io/mod.ts";
import { SimClock } from "./clock.ts";
import { SimNetwork } from "./network.ts";
import { SimRandom } from "./random.ts";

const PORT = 7;
const ADDRESS = { hostname: SimNetwork.hostname(2), port: PORT };

/** Two nodes; the second keeps what it accepts. */
async function twoNodes(seed = 1) {
  const clock = new SimClock();
  const network = new SimNetwork({ clock, random: new SimRandom(seed), latencyMsMax: 10 });
  const accepted: Connection[] = [];
  const here = network.of(1);
  await network.of(2).listen(ADDRESS, false, (connection) => accepted.push(connection));
  const dialled = await clock.until(here.connect(ADDRESS));
  return { clock, network, here, accepted, dialled, answering: accepted[0] as Connection };
}

/** Takes note of every byte that comes, and how it ends. */
function listenTo(connection: Connection, seen: string[]): void {
  const into = new Uint8Array(100);
  const next = (): void => {
    connection.read(into).then((count) => {
      seen.push(count === 0 ? "end" : into.subarray(0, count).join());
      if (count > 0) next();
    }, (error) => seen.push(error.message));
  };
  next();
}

Deno.test("SimNetwork does the same again when the seed is the same", async () => {
  const run = async (seed: number): Promise<string> => {
    const { clock, network, here, accepted } = await twoNodes(seed);
    Object.assign(network.faults, { connect: 0.2, break: 0.1, stall: 0.1 });
    const seen: string[] = [];
    for (let count = 0; count < 20; count++) {
      here.connect(ADDRESS).then((connection) => {
        listenTo(connection, seen);
        connection.write(new Uint8Array([count])).catch(() => seen.push("unwritten"));
      }, (error) => seen.push(error.message));
      await clock.run(20);
      for (const connection of accepted.splice(0)) listenTo(connection, seen);
      seen.push(`${clock.monotonicMs()}`);
    }
    return seen.join("\n");
  };
  assert.equal(await run(1), await run(1));
  assert.notEqual(await run(1), await run(2));
});

Deno.test("SimNetwork delays connections apart from each other, and keeps the order in each", async () => {
  const { clock, here, accepted, dialled } = await twoNodes();
  const other = await clock.until(here.connect(ADDRESS));
  const seen: string[] = [];
  for (const connection of accepted) listenTo(connection, seen);
  for (let count = 0; count < 40; count++) {
    await (count % 2 === 0 ? dialled : other).write(new Uint8Array([count]));
  }
  await clock.run(100);
  const numbers = seen.map(Number);
  const sorted = [...numbers].sort((a, b) => a - b);
  assert.equal(numbers.length, 40);
  assert.notDeepEqual(numbers, sorted);
  for (const half of [0, 1]) {
    const isOf = (number: number) => number % 2 === half;
    assert.deepEqual(numbers.filter(isOf), sorted.filter(isOf));
  }
});

Deno.test("SimNetwork.cut() stalls one way or both, until heal()", async () => {
  for (const oneWay of [true, false]) {
    const { clock, network, here, dialled, answering } = await twoNodes();
    const [there, back]: string[][] = [[], []];
    listenTo(answering, there as string[]);
    listenTo(dialled, back as string[]);
    network.cut(1, 2, { oneWay });
    await dialled.write(new Uint8Array([1]));
    await answering.write(new Uint8Array([2]));
    let connected = false;
    here.connect(ADDRESS).then(() => connected = true);
    await clock.run(60_000);
    assert.deepEqual([there, back, connected], [[], oneWay ? ["2"] : [], false]);
    await dialled.write(new Uint8Array([3]));
    dialled.close();
    network.heal();
    await clock.run(50);
    assert.deepEqual([there?.join(), connected], ["1,3,end", true]);
  }
});

Deno.test("SimNetwork.break() shows it to both ends, or to one until the other sends", async () => {
  for (const oneSide of [false, true]) {
    const { clock, network, dialled, answering } = await twoNodes();
    const [there, back]: string[][] = [[], []];
    listenTo(answering, there as string[]);
    listenTo(dialled, back as string[]);
    network.break(1, 2, { oneSide });
    await clock.run(10_000);
    const broken = (nodeId: number) => new RegExp(`^${SimNetwork.hostname(nodeId)}:.*reset$`);
    assert.match(back?.join() ?? "", broken(2));
    if (oneSide) {
      assert.deepEqual(there, []);
      await answering.write(new Uint8Array([1]));
      await clock.run(50);
    }
    assert.match(there?.join() ?? "", broken(1));
    await assert.rejects(answering.write(new Uint8Array([1])), { code: "broken" });
  }
});

Deno.test("SimNetwork.kill() ends all of a process, silently when the power is gone", async () => {
  for (const silent of [false, true]) {
    const { clock, network, here, dialled, answering } = await twoNodes();
    const [there, back]: string[][] = [[], []];
    listenTo(answering, there as string[]);
    listenTo(dialled, back as string[]);
    network.kill(2, { silent });
    await dialled.write(new Uint8Array([1]));
    let outcome = "hangs";
    here.connect(ADDRESS).catch((error) => outcome = error.code);
    await clock.run(60_000);
    // What the dead process waited for never ends.
    assert.deepEqual(there, []);
    assert.equal(network.connectionsOf(2), 0);
    assert.equal(back?.length, silent ? 0 : 1);
    assert.equal(outcome, silent ? "hangs" : "unreachable");
    if (!silent) continue;
    // The machine is up again, and knows nothing of the connection.
    network.of(2);
    await dialled.write(new Uint8Array([2]));
    await clock.run(100);
    assert.match(back?.join() ?? "", /reset$/);
    assert.equal(outcome, "unreachable");
  }
});

Deno.test("SimNetwork.pause() keeps what comes until resume()", async () => {
  const { clock, network, here, accepted, dialled, answering } = await twoNodes();
  const there: string[] = [];
  listenTo(answering, there);
  network.pause(2);
  await dialled.write(new Uint8Array([1, 2]));
  const other = await clock.until(here.connect(ADDRESS));
  await other.write(new Uint8Array([3]));
  await clock.run(1_000);
  assert.deepEqual([there, accepted.length], [[], 1]);
  network.resume(2);
  await clock.run(1);
  assert.deepEqual(there.join(), "1,2");
  listenTo(accepted[1] as Connection, there);
  await clock.run(1);
  assert.equal(there.join(), "1,2,3");
});

Deno.test("SimNetwork spreads connections when listeners share an address", async () => {
  const clock = new SimClock();
  const network = new SimNetwork({ clock, random: new SimRandom(3) });
  const counts = [0, 0];
  const two = network.of(2);
  for (const at of [0, 1]) {
    await two.listen(ADDRESS, true, () => counts[at] = (counts[at] ?? 0) + 1);
  }
  for (let count = 0; count < 40; count++) {
    await clock.until(network.of(1).connect(ADDRESS));
  }
  assert.ok(counts.every((count) => count > 10), counts.join());
  await assert.rejects(clock.until(network.of(1).connect({ hostname: "elsewhere", port: 1 })));
});
