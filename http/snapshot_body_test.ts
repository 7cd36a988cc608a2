import assert from "node:assert/strict";
import type { Unavailable } from "../group/mod.ts";
import { patterned } from "../tests/cold/expectations.ts";
import { SimClock } from "../tests/sim/clock.ts";
import { Outgoing } from "./outgoing.ts";
import { snapshotBytes } from "./snapshot_body.ts";

const MIB = 1024 * 1024;
const outgoing = new Outgoing(new SimClock(), 1024 * MIB);

/** A snapshot of which pieces are fetched, and what was asked for so far. */
function given(length: number, obstacle?: { readonly from: number; readonly answer: Unavailable }) {
  const bytes = patterned(length);
  const asked: number[] = [];
  const fetch = (offset: number, wanted: number): Promise<Uint8Array | Unavailable> => {
    asked.push(offset);
    if (obstacle !== undefined && offset >= obstacle.from) return Promise.resolve(obstacle.answer);
    return Promise.resolve(bytes.subarray(offset, offset + wanted));
  };
  return { asked, bytes, fetch };
}

async function streamOf(body: ReturnType<typeof snapshotBytes>) {
  const found = await body;
  assert.ok(found instanceof ReadableStream);
  return found;
}

Deno.test("snapshotBytes() gives one piece as it is, and more of them as a stream", async () => {
  const { bytes, fetch } = given(3 * MIB + 5);
  assert.deepEqual(await snapshotBytes(outgoing, fetch, 7, 7), new Uint8Array(0));
  assert.deepEqual(await snapshotBytes(outgoing, fetch, 7, 9), bytes.subarray(7, 9));
  assert.deepEqual(await snapshotBytes(outgoing, fetch, 5, MIB + 5), bytes.subarray(5, MIB + 5));
  for (const [from, to] of [[0, 3 * MIB + 5], [1, 2 * MIB], [MIB, 3 * MIB]] as const) {
    const stream = await streamOf(snapshotBytes(outgoing, fetch, from, to));
    const whole = await new Response(stream).bytes();
    assert.ok(whole.every((byte, at) => byte === bytes[from + at]) && whole.length === to - from);
  }
});

Deno.test("snapshotBytes() asks for the next piece as the client takes the one before", async () => {
  const { asked, fetch } = given(16 * MIB);
  const reader = (await streamOf(snapshotBytes(outgoing, fetch, 0, 16 * MIB))).getReader();
  const settled = () => new Promise((resolve) => setTimeout(resolve, 5));
  for (let taken = 0; taken < 4; taken++) {
    await settled();
    assert.ok(asked.length <= taken + 2, `${asked.length} asked for, ${taken} taken`);
    await reader.read();
  }
  await reader.cancel();
  await settled();
  assert.ok(asked.length <= 6);
});

Deno.test("snapshotBytes() says what is in the way at first, and breaks off later", async () => {
  const answer = { unavailable: "cold_unavailable" } as const;
  const first = given(3 * MIB, { from: 0, answer });
  assert.deepEqual(await snapshotBytes(outgoing, first.fetch, 0, 3 * MIB), answer);
  const later = given(3 * MIB, { from: 2 * MIB, answer });
  const reader = (await streamOf(snapshotBytes(outgoing, later.fetch, 0, 3 * MIB))).getReader();
  await reader.read();
  await reader.read();
  await assert.rejects(reader.read(), /cold_unavailable/);
});
