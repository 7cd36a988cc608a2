import assert from "node:assert/strict";
import fc from "fast-check";
import type { Connection } from "../io/mod.ts";
import { SimNetwork } from "../tests/sim/network.ts";
import { dial } from "./handshake.ts";
import { decodeHello, encodeHello, HELLO_HEADER_BYTES, readHelloHeader } from "./hello.ts";
import { proofOf, sameProof } from "./proof.ts";
import { Refusal } from "./refusal.ts";
import { bytesOf, PORT, selfOf, type TestPlaneOptions, TestPlanes } from "./testing/planes_test.ts";

const ADDRESS = { hostname: SimNetwork.hostname(2), port: PORT };

/** Starts two planes that don't fit; answers what each of them says, the connecting left out. */
async function mismatch(one: TestPlaneOptions, two: TestPlaneOptions): Promise<[string, string]> {
  const planes = new TestPlanes();
  const first = await planes.start(1, one);
  const second = await planes.start(2, two);
  await planes.run(30_000);
  assert.deepEqual([first.plane.peer(2), second.plane.peer(1)], [undefined, undefined]);
  const told = [first, second].map(({ lines }) =>
    lines.filter((line) => !line.includes("can't be reached"))
  );
  // Once per reason, however often it is tried, and each end may meet it on both ways.
  for (const lines of told) {
    assert.ok(lines.length >= 1 && lines.length <= 2, lines.join("\n"));
  }
  return [told[0]?.join("\n") ?? "", told[1]?.join("\n") ?? ""];
}

Deno.test("both ends say what does not fit when they belong to different clusters", async () => {
  const rows: [TestPlaneOptions, TestPlaneOptions, RegExp, RegExp][] = [
    [{ clusterId: "a" }, { clusterId: "b" }, /cluster "b", this node to "a"/, /cluster "a", this/],
    [{ formationId: "a" }, { formationId: "b" }, /formation "b", this node of "a"/, /of "b"/],
    [{ groupCount: 64 }, { groupCount: 16 }, /has 16 groups, this node 64/, /has 64 groups/],
    [
      { commandVersions: { min: 1, max: 2 } },
      { commandVersions: { min: 3, max: 4 } },
      /of version 3 to 4, this node of 1 to 2/,
      /of version 1 to 2, this node of 3 to 4/,
    ],
    [
      { coldStore: "own" },
      { coldStore: "shared-1a2b" },
      /keeps its objects elsewhere, .*: "shared-1a2b", this node "own"/,
      /"own", this node "shared-1a2b"/,
    ],
    [{ secret: "a" }, {}, /has no cluster secret, and this node has one/, /has a cluster secret/],
    [{ secret: "a" }, { secret: "b" }, /does not know|turns this node away/, /does not know/],
    [{ nodes: [1, 2] }, { nodes: [2, 3] }, /turns this node away/, /none of this cluster's peers/],
  ];
  for (const [one, two, first, second] of rows) {
    const [said, answered] = await mismatch(one, two).catch((error) => {
      throw new Error(`${JSON.stringify([one, two])}: ${error.message}`);
    });
    assert.match(said, first);
    assert.match(answered, second);
  }
});

Deno.test("peers talk when only one has a formation, and command versions overlap", async () => {
  const planes = new TestPlanes();
  const one = await planes.start(1, { formationId: "", commandVersions: { min: 1, max: 3 } });
  const two = await planes.start(2, { commandVersions: { min: 3, max: 5 } });
  await planes.run(1_000);
  assert.equal(two.plane.peer(1)?.formationId, "");
  assert.deepEqual(one.plane.peer(2)?.commandVersions, { min: 3, max: 5 });
});

Deno.test("a mismatch is over, and told anew, when the peer comes back otherwise", async () => {
  const planes = new TestPlanes();
  const one = await planes.start(1);
  for (const clusterId of ["other", "test", "other"]) {
    await planes.start(2, { clusterId });
    await planes.run(1_500);
    assert.equal(one.plane.peer(2) !== undefined, clusterId === "test");
    planes.network.kill(2);
    await planes.run(100);
  }
  assert.ok(one.lines.filter((line) => line.includes('cluster "other"')).length >= 2);
});

Deno.test("a node that answers in another's place is not taken for it", async () => {
  const planes = new TestPlanes();
  const one = await planes.start(1, { nodes: [1, 2, 3] });
  // The machine that is thought to be node 2 runs node 3, or node 1 itself.
  await planes.start(2, { nodeId: 3, nodes: [1, 2, 3] });
  await planes.run(2_000);
  assert.equal(one.plane.peer(2), undefined);
  assert.ok(one.lines.some((line) => /node 2 at .* says that it is node 3/.test(line)));
  planes.network.kill(2);
  await planes.start(2, { nodeId: 1, nodes: [1, 2, 3] });
  await planes.run(2_000);
  assert.equal(one.plane.peer(2), undefined);
});

/** Connects to node 2 from node 9, which nobody knows. */
async function stranger(planes: TestPlanes): Promise<Connection> {
  return await planes.clock.until(planes.network.of(9).connect(ADDRESS));
}

/** Reads until the connection is over; answers what came. */
async function rest(connection: Connection): Promise<number> {
  const into = new Uint8Array(1_000);
  let sum = 0;
  for (;;) {
    const count = await connection.read(into).catch(() => 0);
    if (count === 0) return sum;
    sum += count;
  }
}

Deno.test("a stranger that says nothing, or only half, is cut off after 2 s", async () => {
  const hello = encodeHello({
    ...selfOf(1),
    challenge: new Uint8Array(32),
    secret: false,
    wallMs: 0,
  });
  for (const length of [0, 1, HELLO_HEADER_BYTES, HELLO_HEADER_BYTES + 5, hello.length]) {
    const planes = new TestPlanes();
    const two = await planes.start(2);
    const connection = await stranger(planes);
    const startMs = planes.clock.monotonicMs();
    if (length > 0) await connection.write(hello.slice(0, length));
    const sum = await planes.clock.until(rest(connection));
    const tookMs = planes.clock.monotonicMs() - startMs;
    assert.ok(tookMs > 1_900 && tookMs < 2_100, `${tookMs} ms`);
    // Nobody hears a word of this node who has not said a hello.
    assert.equal(sum > 0, length === hello.length);
    assert.deepEqual(two.lines.filter((line) => line.includes("somebody")), []);
  }
});

Deno.test("a stranger that says rubbish is cut off at once, and told of once", async () => {
  const planes = new TestPlanes();
  const two = await planes.start(2);
  for (let count = 0; count < 200; count++) {
    const connection = await stranger(planes);
    const startMs = planes.clock.monotonicMs();
    await connection.write(planes.random.bytes(HELLO_HEADER_BYTES + planes.random.below(5_000)));
    assert.equal(await planes.clock.until(rest(connection)), 0);
    assert.ok(planes.clock.monotonicMs() - startMs < 100);
  }
  assert.equal(two.lines.filter((line) => line.includes("somebody")).length, 1);
  await planes.run(10);
  assert.equal(planes.network.connectionsOf(2), 0);
});

Deno.test("a stranger's hello is refused when it is too long, or of another version", async () => {
  const hello = encodeHello({
    ...selfOf(1),
    challenge: new Uint8Array(32),
    secret: false,
    wallMs: 0,
  });
  const rows: [at: number, value: number, said: string][] = [
    [8, 1, "speaks version 1 of the peer protocol, this node 3"],
    [11, 255, "says too much in its hello"],
    [10, hello.length - HELLO_HEADER_BYTES - 1, "says a hello that can't be read"],
  ];
  for (const [at, value, said] of rows) {
    const planes = new TestPlanes();
    const two = await planes.start(2);
    const connection = await stranger(planes);
    await connection.write(hello.with(at, value));
    assert.equal(await planes.clock.until(rest(connection)), 0);
    const line = `somebody who has connected from ${SimNetwork.hostname(9)}`;
    assert.ok(two.lines.some((told) => told.startsWith(line) && told.endsWith(said)), said);
  }
});

Deno.test("strangers are bounded in number, and peers get in when they are gone", async () => {
  const planes = new TestPlanes();
  const two = await planes.start(2);
  const network = planes.network.of(9);
  const all = Promise.all(Array.from({ length: 100 }, () => network.connect(ADDRESS)));
  const connections = await planes.clock.until(all);
  await planes.run(20);
  assert.equal(planes.network.connectionsOf(2), 64);
  assert.equal(two.lines.filter((line) => line.includes("too many connections")).length, 1);
  const one = await planes.start(1);
  await planes.run(1_000);
  assert.equal(one.plane.peer(2), undefined);
  await planes.run(3_000);
  assert.equal(one.plane.peer(2)?.nodeId, 2);
  for (const connection of connections) connection.close();
});

Deno.test("a peer that breaks the rules is cut off, whatever it sends", async () => {
  const planes = new TestPlanes();
  const two = await planes.start(2);
  const network = planes.network.of(1);
  const { clock, random } = planes;
  let told = 0;
  for (let count = 0; count < 300; count++) {
    const connection = await clock.until(network.connect(ADDRESS));
    const setup = { self: selfOf(1), secret: undefined, clock, random, expects: () => undefined };
    await clock.until(dial(connection, setup));
    const bytes = random.bytes(10 + random.below(300));
    // Lengths that fit, so that what comes behind them is looked at.
    if (random.chance(0.8)) bytes.set([random.below(20), 0, 0, 0, random.below(9)]);
    await connection.write(bytes);
    const over = rest(connection);
    await planes.run(50);
    connection.close();
    await clock.until(over);
    await planes.run(10);
    told = two.lines.filter((line) => line.includes("is closed: it ")).length;
  }
  assert.ok(told > 100, `${told}`);
  assert.equal(planes.network.connectionsOf(2), 0);
});

Deno.test("a peer that announces too much is cut off before anything is kept for it", async () => {
  const rows: [frame: number[], said: string][] = [
    [[1, 0, 4, 0, 4, 0, 0, 0, 0, 0], "it sends a frame that is too long"],
    [[255, 255, 255, 255, 4, 0, 0, 0, 0, 0], "it sends a frame that is too long"],
    [[4, 0, 0, 0, 0x84, 0, 0, 0, 0, 0, 1, 0, 64, 3], "it sends a message that is too long"],
    [[4, 0, 0, 0, 0x84, 0, 0, 0, 0, 0, 0, 0, 0, 0], "it sends parts of messages out of order"],
    [[1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 7], "it sends parts of messages out of order"],
    [[0, 0, 0, 0, 6, 0, 1, 0, 0, 0], "it sends what only who accepts may send"],
    [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "it sends a frame of unknown type"],
    [[1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], "it sends a ping that can't be read"],
    [[1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 10], "it names a formation wrongly"],
    [[0, 0, 0, 0, 3, 0, 255, 255, 255, 255], "it has read what nobody sent"],
  ];
  for (const [frame, said] of rows) {
    const planes = new TestPlanes();
    const two = await planes.start(2);
    const { clock, random } = planes;
    const connection = await clock.until(planes.network.of(1).connect(ADDRESS));
    const setup = { self: selfOf(1), secret: undefined, clock, random, expects: () => undefined };
    await clock.until(dial(connection, setup));
    await connection.write(new Uint8Array(frame));
    await clock.until(rest(connection));
    assert.equal(two.lines.at(-1), `the connection from node 1 is closed: ${said}`);
  }
});

Deno.test("proofOf() can't be used twice, by the other side, or without the secret", () => {
  const [secret, one, two] = [bytesOf("secret"), bytesOf("one says"), bytesOf("two says")];
  const proof = proofOf(secret, "dialled", one, two);
  assert.equal(proof.length, 32);
  assert.ok(sameProof(proof, proofOf(bytesOf("secret"), "dialled", one, two)));
  const others = [
    proofOf(secret, "accepted", one, two),
    proofOf(secret, "dialled", two, one),
    proofOf(secret, "dialled", one, bytesOf("two says another challenge")),
    proofOf(bytesOf("Secret"), "dialled", one, two),
    proofOf(undefined, "dialled", one, two),
    proof.subarray(1),
  ];
  for (const other of others) assert.ok(!sameProof(proof, other));
});

Deno.test("decodeHello() gives what encodeHello() was given, and refuses what is no hello", () => {
  const hello = {
    ...selfOf(7, { formationId: "", commandVersions: { min: 2, max: 70_000 } }),
    challenge: new Uint8Array(32).fill(9),
    secret: true,
    wallMs: 1_767_225_600_000.5,
  };
  const bytes = encodeHello(hello);
  const length = readHelloHeader(bytes.subarray(0, HELLO_HEADER_BYTES));
  assert.equal(length, bytes.length - HELLO_HEADER_BYTES);
  const body = bytes.slice(HELLO_HEADER_BYTES);
  assert.deepEqual(decodeHello(body), hello);
  for (let cut = 0; cut < body.length; cut++) {
    assert.throws(() => decodeHello(body.slice(0, cut)), Refusal);
  }
  assert.throws(() => decodeHello(new Uint8Array([...body, 0])), Refusal);
  // Nothing of a stranger's can end a line of the log, or colour it.
  assert.throws(() => decodeHello(body.with(body.length - 1, 10)), Refusal);
  assert.throws(() => decodeHello(body.with(body.length - 1, 0x9b)), Refusal);
  assert.throws(() => encodeHello({ ...hello, clusterId: "a".repeat(129) }), RangeError);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 1_024 }), (rubbish) => {
    try {
      decodeHello(rubbish);
    } catch (error) {
      assert.ok(error instanceof Refusal);
    }
  }));
});
