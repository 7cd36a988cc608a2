import assert from "node:assert/strict";
import { patterned } from "../tests/cold/expectations.ts";
import { SimClock } from "../tests/sim/clock.ts";
import { ANSWER_BYTES_MIN, Outgoing } from "./outgoing.ts";

const MIB = 1024 * 1024;

function given(bytesMax = 64 * MIB) {
  const clock = new SimClock();
  return { clock, outgoing: new Outgoing(clock, bytesMax) };
}

Deno.test("body() gives its bytes piece by piece, and holds them until the last is taken", async () => {
  const { clock, outgoing } = given();
  const bytes = patterned(MIB + 7);
  const reader = outgoing.body(bytes).getReader();
  let taken = 0;
  for (;;) {
    assert.equal(outgoing.bytes, taken === bytes.length ? 0 : bytes.length);
    const { done, value } = await reader.read();
    if (done) break;
    assert.ok(value.length <= MIB / 4);
    assert.deepEqual(value, bytes.subarray(taken, taken + value.length));
    taken += value.length;
  }
  assert.equal(taken, bytes.length);
  await clock.run(200_000);
  assert.equal(await clock.step(), false, "nobody looks after answers that are over");
});

Deno.test("answerBytesMax falls with what is on its way, and rises as it is taken, or is not wanted", async () => {
  const { outgoing } = given();
  assert.equal(outgoing.answerBytesMax, 8 * MIB);
  const streams = Array.from({ length: 15 }, () => outgoing.body(new Uint8Array(4 * MIB)));
  assert.equal(outgoing.answerBytesMax, MIB / 2);
  streams.push(outgoing.body(new Uint8Array(4 * MIB)), outgoing.body(new Uint8Array(4 * MIB)));
  assert.equal(outgoing.answerBytesMax, ANSWER_BYTES_MIN);
  for (const stream of streams.slice(0, 9)) await stream.cancel();
  for (const stream of streams.slice(9)) await new Response(stream).bytes();
  assert.equal(outgoing.answerBytesMax, 8 * MIB);
});

Deno.test("a client that takes nothing for two minutes is cut off, one that is slow is not", async () => {
  const { clock, outgoing } = given();
  const slow = outgoing.body(new Uint8Array(MIB)).getReader();
  const silent = outgoing.body(new Uint8Array(MIB)).getReader();
  await silent.read();
  for (let piece = 0; piece < 4; piece++) {
    await slow.read();
    await clock.run(115_000);
  }
  assert.equal((await slow.read()).done, true);
  await assert.rejects(silent.read(), /takes nothing/);
  assert.equal(outgoing.bytes, 0);
});

Deno.test("stream() does not blame a client for bytes that are slow to come", async () => {
  const { clock, outgoing } = given();
  const bytes = Promise.withResolvers<Uint8Array>();
  const stream = outgoing.stream(1, () => bytes.promise.then((piece) => ({ piece, isLast: true })));
  const whole = new Response(stream).bytes();
  await clock.run(300_000);
  bytes.resolve(new Uint8Array(3));
  assert.equal((await whole).length, 3);
  assert.equal(outgoing.bytes, 0);
});

Deno.test("stream() breaks off where the next piece can't be had, and counts nothing twice", async () => {
  const { outgoing } = given();
  const broken = outgoing.stream(5, () => Promise.reject(new Error("gone")));
  await assert.rejects(new Response(broken).bytes(), /gone/);
  assert.equal(outgoing.bytes, 0);
  const piece = Promise.withResolvers<Uint8Array>();
  const left = outgoing.stream(5, () => piece.promise.then((piece) => ({ piece, isLast: true })));
  const reader = left.getReader();
  const reading = reader.read();
  await reader.cancel();
  piece.resolve(new Uint8Array(1));
  assert.equal((await reading).done, true);
  assert.equal(outgoing.bytes, 0);
});
