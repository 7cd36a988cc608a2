import assert from "node:assert/strict";
import type { PeerInfo } from "../peer/mod.ts";
import { SimClock } from "../tests/sim/clock.ts";
import { AgreedWall } from "./agreed_wall.ts";
import type { Peers } from "./peers.ts";

/** Node 1 of as many nodes as there are offsets and one more; undefined is not connected. */
function given(...offsets: (number | undefined)[]) {
  const clock = new SimClock();
  const lines: string[] = [];
  const peers = {
    peer(nodeId: number): Partial<PeerInfo> | undefined {
      const wallOffsetMs = offsets[nodeId - 2];
      return wallOffsetMs === undefined ? undefined : { wallOffsetMs };
    },
  } as Peers;
  const others = offsets.map((_, at) => at + 2);
  const wall = new AgreedWall(clock, peers, others, (line) => void lines.push(line));
  return { clock, wall, lines };
}

Deno.test("AgreedWall.nowMs() is the wall clock when a majority agrees with it", () => {
  for (const offsets of [[0, -1_000], [1_000, 5_000], [undefined, 3]]) {
    const { clock, wall, lines } = given(...offsets);
    assert.equal(wall.nowMs(), clock.wallMs());
    assert.deepEqual(lines, []);
  }
});

Deno.test("AgreedWall.nowMs() is what the others say when they agree, and not with this node", () => {
  const { clock, wall, lines } = given(-60_000, -60_900);
  assert.equal(wall.nowMs(), clock.wallMs() - 60_900);
  assert.equal(lines.length, 1);
  const five = given(9_000, 5_300, 5_000, 4_700);
  assert.equal(five.wall.nowMs(), five.clock.wallMs() + 4_700);
});

Deno.test("AgreedWall.nowMs() is undefined, and says so once a minute, when no majority agrees", async () => {
  const { clock, wall, lines } = given(1_001, -5_000);
  for (let n = 0; n < 3; n++) assert.equal(wall.nowMs(), undefined);
  assert.equal(lines.length, 1);
  await clock.run(60_000);
  assert.equal(wall.nowMs(), undefined);
  assert.equal(lines.length, 2);
});

Deno.test("AgreedWall.nowMs() is undefined without a word when too few are connected", () => {
  const { wall, lines } = given(undefined, undefined);
  assert.equal(wall.nowMs(), undefined);
  assert.deepEqual(lines, []);
});
