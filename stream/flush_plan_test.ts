import assert from "node:assert/strict";
import { MESSAGES_PER_FLUSH_MAX } from "./flush_plan.ts";
import { rowBytesOf } from "./packed.ts";
import { sliceOf } from "./slab.ts";
import { GroupState } from "./state.ts";

const NOW_MS = Date.UTC(2026, 0, 1);

/** A state with a stream for each row, whose appends have so many messages of one byte. */
function given(rows: readonly (readonly number[])[]): GroupState {
  const state = new GroupState({ group: 0, formation: "f0000000" });
  let index = 0;
  const apply = (command: Parameters<GroupState["apply"]>[0]) =>
    assert.ok("ok" in state.apply(command, ++index, NOW_MS));
  apply({ type: "set_bucket", bucket: "demo", phase: "open", version: 2 });
  for (const [row, counts] of rows.entries()) {
    const stream = { key: `demo/${row}`, contentType: "application/json", closed: false };
    apply({ type: "create", ...stream });
    for (const count of counts) {
      const body = {
        data: sliceOf(new Uint8Array(count)),
        lengths: new Uint32Array(count).fill(1),
      };
      apply({ type: "append", ...stream, body });
    }
  }
  return state;
}

function planned(state: GroupState): [string, number, number][] {
  const { ranges } = state.cold.planFlush({ maxBytes: 8 << 20 });
  return ranges.map(({ key, from, to }) => [key, from, to]);
}

Deno.test("planFlush() takes no more messages than may be applied at once, and the rest later", () => {
  const most = MESSAGES_PER_FLUSH_MAX;
  const state = given([[most - 10], [11], [2 * most + 5, 5]]);
  const expected: [string, number, number][][] = [
    [["demo/0", 0, most - 10]],
    [["demo/1", 0, 11]],
    [["demo/2", 0, most]],
    [["demo/2", most, 2 * most]],
    [["demo/2", 2 * most, 2 * most + 10]],
  ];
  for (const [i, ranges] of expected.entries()) {
    const plan = state.cold.planFlush({ maxBytes: 8 << 20 });
    assert.deepEqual(planned(state), ranges);
    const [range] = plan.ranges;
    assert.ok(range !== undefined);
    const count = range.to - range.from;
    assert.equal(plan.length, rowBytesOf(new Uint32Array(count).fill(1)) + count);
    const object = { number: i + 1, term: 1, length: plan.length };
    const outcome = state.apply({ type: "flush", object, ranges: plan.ranges }, 100 + i, NOW_MS);
    assert.ok("ok" in outcome && outcome.ok === "stored" && outcome.bytes === count);
  }
  assert.equal(state.hotBytes, 0);
});
