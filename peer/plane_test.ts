import assert from "node:assert/strict";
import { DenoClock, denoNetwork, denoRandom } from "../io/deno.ts";
import { PeerPlane } from "./plane.ts";
import { bytesOf, selfOf, TestPlanes, textOf } from "./testing/planes_test.ts";
import type { CallFailed } from "./types.ts";

const MIB = 1 << 20;

function patterned(length: number): Uint8Array {
  return new Uint8Array(length).map((_, at) => (at * 7 + (at >> 9)) & 255);
}

Deno.test("PeerPlane.send() delivers in order when many messages are sent", async () => {
  const planes = new TestPlanes();
  const [one, two] = await planes.pair();
  for (let count = 0; count < 1_000; count++) {
    assert.ok(one.plane.send(2, "bulk", count & 255, [bytesOf("message "), bytesOf(`${count}`)]));
    if (count % 100 === 0) await planes.run(1);
  }
  await planes.run(50);
  assert.deepEqual(
    two.messages.map(({ kind, bytes }) => `${kind} ${textOf(bytes)}`),
    Array.from({ length: 1_000 }, (_, count) => `${count & 255} message ${count}`),
  );
  const { nodeId, storeId, formationId } = two.messages[0]?.from ?? {};
  assert.deepEqual([nodeId, storeId, formationId], [1, "store-1", "formation"]);
  assert.equal(one.messages.length, 0);
});

Deno.test("PeerPlane.send() copies at once, and what was received never changes", async () => {
  const planes = new TestPlanes();
  const [one, two] = await planes.pair();
  const bytes = bytesOf("first");
  one.plane.send(2, "bulk", 1, [bytes]);
  bytes.fill(0);
  one.plane.send(2, "bulk", 1, []);
  one.plane.send(2, "bulk", 1, [bytesOf("third")]);
  await planes.run(10);
  assert.deepEqual(two.messages.map((message) => textOf(message.bytes)), ["first", "", "third"]);
  // Long enough to go through the memory that messages share, and that they are read into, twice.
  const sizes = [1, 100, 16 << 10, (16 << 10) + 1, 60 << 10];
  for (let i = 0; i < 40; i++) {
    const size = sizes[i % sizes.length] ?? 0;
    assert.ok(one.plane.send(2, "bulk", 1, [new Uint8Array(size).fill(i)]));
    if (i % 3 === 0) await planes.run(10);
  }
  await planes.run(10);
  assert.equal(two.messages.length, 43);
  assert.equal(textOf(two.messages[0]?.bytes ?? new Uint8Array()), "first");
  for (const [i, { bytes }] of two.messages.slice(3).entries()) {
    assert.equal(bytes.length, sizes[i % sizes.length]);
    assert.ok(bytes.every((byte) => byte === i), `message ${i} is as it was sent`);
  }
});

Deno.test("PeerPlane.send() cuts and joins when messages are longer than a frame", async () => {
  const planes = new TestPlanes();
  const [one, two] = await planes.pair();
  const frame = 256 << 10;
  const sizes = [frame - 5, frame - 4, frame, frame + 1, 2 * frame - 4, 2 * frame - 3, 5 * MIB + 3];
  for (const [kind, size] of sizes.entries()) {
    const all = patterned(size);
    const at = Math.floor(size / 3);
    const parts = [all.subarray(0, at), new Uint8Array(), all.subarray(at, at + 1)];
    assert.ok(one.plane.send(2, "bulk", kind, [...parts, all.subarray(at + 1)]));
    await planes.run(kind);
  }
  await planes.run(500);
  assert.deepEqual(two.messages.map(({ kind, bytes }) => [kind, bytes.length]), [
    ...sizes.entries(),
  ]);
  for (const { bytes } of two.messages) assert.deepEqual(bytes, patterned(bytes.length));
});

Deno.test("control overtakes bulk when a long message is under way", async () => {
  const planes = new TestPlanes();
  const [one, two] = await planes.pair();
  const startMs = planes.clock.monotonicMs();
  one.plane.send(2, "bulk", 1, [new Uint8Array(32 * MIB)]);
  await planes.run(5);
  one.plane.send(2, "control", 2, [bytesOf("heartbeat")]);
  const sentMs = planes.clock.monotonicMs();
  let heartbeatMs = Infinity;
  while (two.messages.length < 2) {
    await planes.run(1);
    if (two.messages[0]?.kind === 2) {
      heartbeatMs = Math.min(heartbeatMs, planes.clock.monotonicMs());
    }
  }
  assert.deepEqual(two.messages.map(({ kind }) => kind), [2, 1]);
  const wholeMs = planes.clock.monotonicMs() - startMs;
  // A frame, and what the system has taken already.
  assert.ok(heartbeatMs - sentMs < wholeMs / 10, `${heartbeatMs - sentMs} of ${wholeMs} ms`);
});

Deno.test("PeerPlane.send() says false when too much waits, and recovers", async () => {
  const planes = new TestPlanes();
  const [one, two] = await planes.pair();
  assert.ok(!one.plane.send(2, "bulk", 1, [new Uint8Array(52 * MIB), new Uint8Array(1)]));
  let sent = 0;
  while (one.plane.send(2, "bulk", 1, [new Uint8Array(MIB)])) sent++;
  assert.ok(sent === 63 || sent === 64, `${sent} MiB`);
  assert.deepEqual(await one.plane.call(2, 1, [new Uint8Array(MIB)]), { failed: "not_sent" });
  assert.ok(one.plane.send(2, "control", 2, [bytesOf("heartbeat")]));
  let control = 0;
  while (one.plane.send(2, "control", 2, [new Uint8Array(100_000)])) control++;
  assert.ok(control > 30 && control <= 42, `${control} of 100 kB`);
  await planes.run(5_000);
  assert.equal(two.messages.length, sent + control + 1);
  assert.ok(one.plane.send(2, "bulk", 3, [new Uint8Array(52 * MIB)]));
  await planes.run(2_000);
  assert.equal(two.messages.at(-1)?.bytes.length, 52 * MIB);
});

Deno.test("PeerPlane.call() resolves with the answer, whatever the order of answers", async () => {
  const planes = new TestPlanes();
  const [one, two] = await planes.pair();
  const answers = Promise.all([1, 2, 3].map((kind) => one.plane.call(2, kind, [bytesOf("ask")])));
  await planes.run(10);
  assert.deepEqual(two.calls.map(({ message }) => textOf(message.bytes)), ["ask", "ask", "ask"]);
  two.calls[2]?.respond(patterned(2 * MIB));
  two.calls[0]?.respond(new Uint8Array());
  await planes.run(10);
  two.calls[1]?.respond(bytesOf("second"));
  two.calls[1]?.respond(bytesOf("again"));
  const [first, second, third] = await planes.clock.until(answers);
  assert.deepEqual(first, new Uint8Array());
  assert.deepEqual(second, bytesOf("second"));
  assert.deepEqual(third, patterned(2 * MIB));
});

Deno.test("PeerPlane.call() is unanswered when the connection breaks behind it", async () => {
  const planes = new TestPlanes();
  const [one, two] = await planes.pair();
  const called = one.plane.call(2, 1, [bytesOf("ask")]);
  await planes.run(10);
  assert.equal(two.calls.length, 1);
  planes.network.break(1, 2);
  assert.deepEqual(await planes.clock.until(called), { failed: "unanswered" });
  // Too late: nobody minds.
  two.calls[0]?.respond(bytesOf("answer"));
  await planes.run(1_000);
  assert.equal(one.plane.peer(2)?.nodeId, 2);
});

Deno.test("PeerPlane.call() is not_sent when the connection breaks before it was written", async () => {
  const planes = new TestPlanes();
  const [one, two] = await planes.pair();
  planes.network.cut(1, 2);
  one.plane.send(2, "bulk", 1, [new Uint8Array(MIB)]);
  await planes.run(5);
  const called = one.plane.call(2, 1, [bytesOf("ask")]);
  await planes.run(5);
  planes.network.break(1, 2);
  assert.deepEqual(await planes.clock.until(called), { failed: "not_sent" });
  planes.network.heal();
  await planes.run(2_000);
  assert.equal(two.calls.length, 0);
});

Deno.test("PeerPlane.call() and send() fail at once when nobody is connected", async () => {
  const planes = new TestPlanes();
  const one = await planes.start(1);
  for (const nodeId of [1, 2, 3]) {
    assert.ok(!one.plane.send(nodeId, "control", 1, [bytesOf("a")]));
    assert.deepEqual(await one.plane.call(nodeId, 1, []), { failed: "not_sent" });
    assert.equal(one.plane.peer(nodeId), undefined);
  }
});

Deno.test("PeerPlane.call() is unanswered after 30 s, and bounded in number", async () => {
  const planes = new TestPlanes();
  const [one, two] = await planes.pair();
  const outcomes: (Uint8Array | CallFailed)[] = [];
  for (let count = 0; count < 65_537; count++) {
    one.plane.call(2, 1, []).then((outcome) => outcomes.push(outcome));
  }
  await planes.run(100);
  assert.deepEqual(outcomes, [{ failed: "not_sent" }]);
  assert.equal(two.calls.length, 65_536);
  await planes.run(31_000);
  assert.equal(outcomes.length, 65_537);
  assert.deepEqual(outcomes[1], { failed: "unanswered" });
  two.calls[0]?.respond(bytesOf("late"));
  const called = one.plane.call(2, 1, []);
  await planes.run(10);
  two.calls.at(-1)?.respond(bytesOf("in time"));
  assert.deepEqual(await planes.clock.until(called), bytesOf("in time"));
});

Deno.test("PeerPlane.close() lets what is queued leave, fails calls, and leaves no timer", async () => {
  const planes = new TestPlanes();
  const [one, two] = await planes.pair();
  const called = one.plane.call(2, 1, []);
  const back = two.plane.call(1, 1, []);
  await planes.run(10);
  one.plane.send(2, "bulk", 1, [new Uint8Array(3 * MIB)]);
  one.calls[0]?.respond(bytesOf("goodbye"));
  await planes.clock.until(one.plane.close());
  assert.deepEqual(await planes.clock.until(called), { failed: "unanswered" });
  assert.deepEqual(await planes.clock.until(back), bytesOf("goodbye"));
  await planes.run(10);
  assert.equal(two.messages.length, 1);
  assert.equal(two.plane.peer(1), undefined);
  await planes.clock.until(Promise.all([one.plane.close(), two.plane.close()]));
  await planes.run(10);
  assert.equal(await planes.clock.step(), false);
  assert.deepEqual([1, 2].map((id) => planes.network.connectionsOf(id)), [0, 0]);
  assert.ok(!one.plane.send(2, "bulk", 1, []));
});

Deno.test("PeerPlane.close() ends when a peer takes nothing, or nobody was ever there", async () => {
  const planes = new TestPlanes();
  const [one, two] = await planes.pair();
  planes.network.cut(1, 2);
  one.plane.send(2, "bulk", 1, [new Uint8Array(3 * MIB)]);
  await planes.clock.until(Promise.all([one.plane.close(), two.plane.close()]), 600);
  const alone = await planes.start(3, { nodes: [1, 2, 3, 4] });
  await planes.run(10);
  await planes.clock.until(alone.plane.close(), 600);
  planes.network.heal();
  await planes.run(10_000);
  assert.equal(await planes.clock.step(), false);
});

Deno.test("PeerPlane works when the network is the machine's own", async () => {
  const clock = new DenoClock();
  const io = { network: denoNetwork, clock, random: denoRandom };
  const secret = bytesOf("secret");
  let found: (bytes: Uint8Array) => void = () => {};
  const arrived = new Promise<Uint8Array>((resolve) => found = resolve);
  const options = { io, secret, log: () => {}, onMessage: () => {}, onCall: () => {} };
  const two = new PeerPlane({
    ...options,
    self: selfOf(2),
    peers: [{ nodeId: 1, hostname: "127.0.0.1", port: 1 }],
    onMessage: ({ bytes }) => found(bytes),
    onCall: ({ bytes }, respond) => respond(bytes.slice().reverse()),
  });
  const at = await two.listen({ hostname: "127.0.0.1", port: 0 }, false);
  let came = () => {};
  const connected = new Promise<void>((resolve) => came = resolve);
  const one = new PeerPlane({
    ...options,
    self: selfOf(1),
    peers: [{ nodeId: 2, ...at }],
    onPeer: () => came(),
  });
  await connected;
  one.send(2, "bulk", 1, [patterned(3 * MIB)]);
  assert.deepEqual(await one.call(2, 1, [bytesOf("abc")]), bytesOf("cba"));
  assert.deepEqual(await arrived, patterned(3 * MIB));
  await Promise.all([one.close(), two.close()]);
  clock.close();
});
