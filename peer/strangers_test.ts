/** Whoever finds the peer port and speaks its format, but does not know the secret, gets nothing. */

import assert from "node:assert/strict";
import fc from "fast-check";
import type { Connection, Network } from "../io/mod.ts";
import { SimNetwork } from "../tests/sim/network.ts";
import { HANDSHAKE_MS_MAX, HELLO_BYTES_MAX } from "./bounds.ts";
import {
  ANSWER,
  BEGINS,
  CALL,
  FORMED,
  MESSAGE,
  PING,
  writeFrameHeader,
  writeU32,
} from "./frames.ts";
import { encodeHello, HELLO_HEADER_BYTES } from "./hello.ts";
import { PeerPlane } from "./plane.ts";
import { bytesOf, PORT, selfOf, TestPlanes } from "./testing/planes_test.ts";

const ADDRESS = { hostname: SimNetwork.hostname(2), port: PORT };
/** All that a node says to a stranger: a hello, and that it is turned away. */
const HEARD_BYTES_MAX = HELLO_HEADER_BYTES + HELLO_BYTES_MAX + 33;

/** What a stranger does next. */
type Step =
  | { readonly says: Uint8Array }
  | { readonly mirrors: true }
  | { readonly waitsMs: number };

const hello = fc.record({
  nodeId: fc.constantFrom(1, 2, 3),
  formationId: fc.constantFrom("formation", ""),
  secret: fc.boolean(),
  challenge: fc.uint8Array({ minLength: 32, maxLength: 32 }),
}).map(({ nodeId, formationId, ...rest }) =>
  encodeHello({ ...selfOf(nodeId, { formationId }), ...rest, wallMs: 0 })
);
const verdict = fc.uint8Array({ minLength: 32, maxLength: 32 })
  .map((proof) => Uint8Array.of(0, ...proof));
const frame = fc.record({
  type: fc.constantFrom(PING, FORMED, MESSAGE, CALL, ANSWER, MESSAGE | BEGINS, CALL | BEGINS, 99),
  kind: fc.nat(8),
  payload: fc.uint8Array({ maxLength: 64 }),
  announced: fc.option(fc.constantFrom(0, 1, 256 << 10, 52 << 20, 0xffff_ffff)),
}).map(({ type, kind, payload, announced }) => {
  const bytes = new Uint8Array(14 + payload.length);
  const at = writeFrameHeader(bytes, 0, announced ?? payload.length + 4, type, kind, 7);
  writeU32(bytes, at, announced ?? 52 << 20);
  bytes.set(payload, at + 4);
  return bytes;
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.oneof(hello, verdict, frame).map((says) => ({ says })) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 2_000 }).map((says) => ({ says })) },
  { weight: 1, arbitrary: fc.constant({ mirrors: true as const }) },
  { weight: 1, arbitrary: fc.nat(500).map((waitsMs) => ({ waitsMs })) },
);
/** Most begin as a peer does, or nothing behind it would be looked at. */
const visit = fc.tuple(hello, fc.array(step, { maxLength: 8 }), fc.boolean())
  .map(([first, steps, isPolite]) => isPolite ? [{ says: first }, ...steps] : steps);

/** A network whose listener notes how much memory is offered for what comes. */
function watched(network: Network, offered: (bytes: number) => void): Network {
  return {
    connect: (address) => network.connect(address),
    listen: (address, shared, accept) =>
      network.listen(address, shared, (connection) =>
        accept({
          remote: connection.remote,
          read: (into) => {
            offered(into.buffer.byteLength);
            return connection.read(into);
          },
          write: (bytes) => connection.write(bytes),
          close: () => connection.close(),
        })),
  };
}

Deno.test("a stranger who speaks the format gets nothing, and has nothing kept", async () => {
  const planes = new TestPlanes();
  const { clock, network } = planes;
  const told: string[] = [];
  const taken: unknown[] = [];
  let offeredMax = 0;
  const plane = new PeerPlane({
    self: selfOf(2),
    peers: [1, 2].map((id) => ({ nodeId: id, hostname: SimNetwork.hostname(id), port: PORT })),
    io: {
      network: watched(network.of(2), (bytes) => offeredMax = Math.max(offeredMax, bytes)),
      clock,
      random: planes.random.fork(),
    },
    secret: bytesOf("what nobody guesses"),
    log: (line) => told.push(line),
    onMessage: (message) => taken.push(message),
    onCall: (message) => taken.push(message),
    onPeer: (peer) => taken.push(peer),
  });
  await plane.listen({ hostname: "0.0.0.0", port: PORT }, false);
  const strangers = network.of(9);

  await fc.assert(
    fc.asyncProperty(fc.array(visit, { minLength: 1, maxLength: 4 }), async (visits) => {
      const startMs = clock.monotonicMs();
      const heard = await clock.until(Promise.all(visits.map((steps) => call(strangers, steps))));
      for (const bytes of heard) assert.ok(bytes <= HEARD_BYTES_MAX, `${bytes} bytes`);
      const tookMs = clock.monotonicMs() - startMs;
      assert.ok(tookMs <= HANDSHAKE_MS_MAX + 50, `${tookMs} ms`);
      assert.equal(network.connectionsOf(2), 0);
    }),
    { numRuns: 300 },
  );
  assert.deepEqual(taken, []);
  assert.ok(offeredMax <= HELLO_BYTES_MAX, `${offeredMax} bytes for a stranger`);
  assert.ok(told.length < 40, `strangers fill the log: ${told.length} lines`);

  // And it lives: a peer that knows the secret is let in.
  const one = await planes.start(1, { secret: "what nobody guesses" });
  await planes.run(3_000);
  assert.equal(one.plane.peer(2)?.nodeId, 2);

  async function call(from: Network, steps: readonly Step[]): Promise<number> {
    const connection = await from.connect(ADDRESS);
    let last = new Uint8Array();
    let heard = 0;
    const listening = (async () => {
      const into = new Uint8Array(4_096);
      for (;;) {
        const count = await connection.read(into).catch(() => 0);
        if (count === 0) return;
        heard += count;
        last = into.slice(0, count);
      }
    })();
    for (const one of steps) await take(connection, one, () => last);
    await listening;
    connection.close();
    return heard;
  }

  async function take(connection: Connection, one: Step, last: () => Uint8Array): Promise<void> {
    if ("waitsMs" in one) {
      return await new Promise((resolve) => void clock.setTimer(one.waitsMs, resolve));
    }
    if ("mirrors" in one) {
      // Once there is something to say back.
      await new Promise<void>((resolve) => void clock.setTimer(5, resolve));
    }
    const says = "says" in one ? one.says : last();
    if (says.length > 0) await connection.write(says).catch(() => {});
  }
});
