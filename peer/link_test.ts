import assert from "node:assert/strict";
import { bytesOf, TestPlanes, textOf } from "./testing/planes_test.ts";

Deno.test("a link comes back when its connection breaks, and says so", async () => {
  const planes = new TestPlanes();
  const [one, two] = await planes.pair();
  assert.deepEqual([one.seen, two.seen], [[2], [1]]);
  for (let count = 0; count < 5; count++) {
    planes.network.break(1, 2);
    await planes.run(1);
    assert.equal(one.plane.peer(2), undefined);
    assert.ok(!one.plane.send(2, "bulk", 1, []));
    await planes.run(1_500);
    assert.equal(one.plane.peer(2)?.storeId, "store-2");
  }
  assert.equal(one.seen.length, 11);
  one.plane.send(2, "bulk", 1, [bytesOf("still here")]);
  await planes.run(10);
  assert.deepEqual(two.messages.map(({ bytes }) => textOf(bytes)), ["still here"]);
});

Deno.test("a link dials with growing pauses, told once, when nobody is there", async () => {
  const planes = new TestPlanes();
  const one = await planes.start(1);
  const two = await planes.start(2);
  await planes.clock.until(two.plane.close());
  await planes.run(60_000);
  assert.deepEqual(one.lines, [
    "node 2 at node-2:14437 can't be reached: node-2:14437: connection refused",
  ]);
  // It does not wait for its next attempt: the peer that connects is there.
  const startMs = planes.clock.monotonicMs();
  const again = await planes.start(2);
  while (one.plane.peer(2) === undefined) await planes.run(1);
  assert.ok(planes.clock.monotonicMs() - startMs < 20);
  assert.equal(again.plane.peer(1)?.nodeId, 1);
});

Deno.test("links of idle planes stay, and follow the peer's wall clock", async () => {
  const planes = new TestPlanes();
  const [one, two] = await planes.pair();
  await planes.run(20_000);
  assert.deepEqual([one.seen, two.seen], [[2], [1]]);
  assert.equal(planes.network.connectionsOf(1), 2);
  const offsetMs = one.plane.peer(2)?.wallOffsetMs ?? NaN;
  assert.ok(Math.abs(offsetMs) < 2, `${offsetMs}`);
});

Deno.test("PeerInfo.wallOffsetMs follows jumps of both wall clocks, busy or idle", async () => {
  for (const isBusy of [false, true]) {
    const planes = new TestPlanes();
    const [one] = await planes.pair();
    const offsetIs = (expectedMs: number) => {
      const offsetMs = one.plane.peer(2)?.wallOffsetMs ?? NaN;
      assert.ok(Math.abs(offsetMs - expectedMs) < 5, `${offsetMs}`);
    };
    offsetIs(0);
    planes.wallErrorMs[2] = 3_600_000;
    for (let count = 0; count < 30; count++) {
      if (isBusy) one.plane.send(2, "bulk", 1, [bytesOf("a")]);
      await planes.run(50);
    }
    offsetIs(3_600_000);
    // Our own jump is known at once.
    planes.wallErrorMs[1] = -1_000;
    offsetIs(3_601_000);
    await planes.run(3_000);
    offsetIs(3_601_000);
  }
});

Deno.test("a connection from which nothing comes is dropped after 2 s, whoever falls silent", async () => {
  for (const [from, to] of [[1, 2], [2, 1]] as const) {
    const planes = new TestPlanes();
    const [one, two] = await planes.pair();
    const called = one.plane.call(2, 1, []);
    await planes.run(10);
    planes.network.cut(from, to, { oneWay: true });
    const cutMs = planes.clock.monotonicMs();
    while (one.plane.peer(2) !== undefined) await planes.run(10);
    const tookMs = planes.clock.monotonicMs() - cutMs;
    assert.ok(tookMs > 1_500 && tookMs < 3_000, `${tookMs} ms`);
    assert.deepEqual(await planes.clock.until(called), { failed: "unanswered" });
    await planes.run(10_000);
    assert.deepEqual([one.plane.peer(2), two.plane.peer(1)], [undefined, undefined]);
    planes.network.heal();
    await planes.run(1_500);
    assert.deepEqual([one.plane.peer(2)?.nodeId, two.plane.peer(1)?.nodeId], [2, 1]);
    assert.equal(planes.network.connectionsOf(1), 2);
  }
});

Deno.test("a peer that loses its power is missed, and its successor's store is known", async () => {
  const planes = new TestPlanes();
  const [one] = await planes.pair();
  planes.network.kill(2, { silent: true });
  await planes.run(3_000);
  assert.equal(one.plane.peer(2), undefined);
  await planes.start(2, { storeId: "another" });
  await planes.run(1_500);
  assert.equal(one.plane.peer(2)?.storeId, "another");
});

Deno.test("a peer that comes back with another store ends what stood with the old one", async () => {
  for (const isSending of [false, true]) {
    const planes = new TestPlanes();
    const [one] = await planes.pair();
    // Too quick to be missed: the old connections still seem to stand.
    planes.network.kill(2, { silent: true });
    const two = await planes.start(2, { storeId: "another" });
    const stores: (string | undefined)[] = [];
    for (let count = 0; count < 300; count++) {
      const store = one.plane.peer(2)?.storeId;
      if (stores.at(-1) !== store) stores.push(store);
      if (isSending) one.plane.send(2, "bulk", 1, [bytesOf(`${store}`)]);
      await planes.run(0.1);
    }
    assert.deepEqual(stores, ["store-2", undefined, "another"]);
    assert.equal(two.messages.length > 100, isSending);
    // What was meant for the old store never got through to the new one.
    assert.ok(two.messages.every(({ bytes }) => textOf(bytes) === "another"));
    assert.equal(planes.network.connectionsOf(1), 2);
  }
});

Deno.test("a connection is broken when its messages can't be taken, and others come", async () => {
  const planes = new TestPlanes();
  let count = 0;
  const two = await planes.start(2, {
    onMessage: () => {
      if (++count === 2) throw new Error("what is this?");
    },
  });
  const one = await planes.start(1);
  await planes.run(100);
  for (let sent = 0; sent < 4; sent++) one.plane.send(2, "bulk", 1, []);
  await planes.run(10);
  assert.equal(count, 2);
  assert.ok(two.lines.includes("the connection from node 1 is closed: what is this?"));
  await planes.run(1_500);
  one.plane.send(2, "bulk", 1, []);
  await planes.run(10);
  assert.equal(count, 3);
});

Deno.test("PeerPlane.formed() tells peers, and leaves those of another formation", async () => {
  const planes = new TestPlanes();
  const nodes = [1, 2, 3];
  const [one, two, three] = [
    await planes.start(1, { nodes, formationId: "" }),
    await planes.start(2, { nodes, formationId: "" }),
    await planes.start(3, { nodes, formationId: "other" }),
  ];
  await planes.run(1_500);
  assert.equal(one.plane.peer(2)?.formationId, "");
  assert.equal(one.plane.peer(3)?.formationId, "other");
  const before = two.seen.length;
  one.plane.formed("one");
  await planes.run(10);
  assert.equal(two.plane.peer(1)?.formationId, "one");
  assert.equal(two.seen.length, before + 1);
  two.plane.formed("one");
  await planes.run(1_500);
  assert.equal(one.plane.peer(2)?.formationId, "one");
  const met = [one.plane.peer(3), two.plane.peer(3), three.plane.peer(1), three.plane.peer(2)];
  assert.deepEqual(met, [undefined, undefined, undefined, undefined]);
  const line = 'is of formation "other", this node of "one"';
  assert.ok(one.lines.some((said) => said.includes(line)), one.lines.join("\n"));
});

Deno.test("messages keep their order and are never doubled when the network does its worst", async () => {
  let arrived = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const planes = new TestPlanes(seed);
    const [one, two] = await planes.pair({ secret: "secret" });
    Object.assign(planes.network.faults, { connect: 0.3, break: 0.02, stall: 0.05 });
    let sent = 0;
    const answers: Promise<unknown>[] = [];
    for (let turn = 0; turn < 200; turn++) {
      for (let count = 0; count < 3; count++) {
        const size = planes.random.chance(0.05) ? 400_000 : planes.random.below(500);
        const [number, filler] = [bytesOf(`${sent}`.padStart(8)), new Uint8Array(size)];
        if (one.plane.send(2, "bulk", 1, [number, filler.fill(sent)])) sent++;
      }
      if (turn % 10 === 0) answers.push(one.plane.call(2, turn & 255, [bytesOf(`${turn}`)]));
      if (turn % 50 === 25) planes.network.cut(1, 2, { oneWay: planes.random.chance(0.5) });
      if (turn % 50 === 40) planes.network.heal();
      await planes.run(planes.random.below(60));
      for (const { message, respond } of two.calls.splice(0)) respond(message.bytes);
    }
    Object.assign(planes.network.faults, { connect: 0, break: 0, stall: 0 });
    planes.network.heal();
    await planes.run(4_000);
    assert.equal(one.plane.peer(2)?.nodeId, 2, `seed ${seed}`);
    const numbers = two.messages.map(({ bytes }) => Number(textOf(bytes.subarray(0, 8))));
    for (const [at, number] of numbers.entries()) {
      assert.ok(at === 0 || number > (numbers[at - 1] ?? 0), `seed ${seed}`);
      assert.ok(two.messages[at]?.bytes.subarray(8).every((byte) => byte === (number & 255)));
    }
    arrived += numbers.length;
    for (const [at, answer] of (await planes.clock.until(Promise.all(answers))).entries()) {
      if (answer instanceof Uint8Array) assert.equal(textOf(answer), `${10 * at}`);
    }
    await planes.clock.until(Promise.all([one.plane.close(), two.plane.close()]));
    await planes.run(40_000);
    assert.equal(await planes.clock.step(), false, `seed ${seed}`);
  }
  assert.ok(arrived > 2_000, `${arrived}`);
});
