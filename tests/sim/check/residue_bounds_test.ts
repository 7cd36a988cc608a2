import assert from "node:assert/strict";
import type { Group } from "../../../group/mod.ts";
import { type Command, GroupState } from "../../../stream/mod.ts";
import { SimClock } from "../clock.ts";
import { SimDisk } from "../disk.ts";
import { drawPlan } from "../plan.ts";
import { SimRandom } from "../random.ts";
import { checkDiskUsage, TimeChecker } from "./bounds.ts";
import { checkResidue } from "./residue.ts";

/** As much of a group as the checkers look at. */
function groupOf(id: number, ...commands: Command[]): Group {
  const state = new GroupState({ group: id, formation: "f" });
  commands.forEach((command, at) => state.apply(command, at + 1, at));
  return { id, state, nowMs: 0 } as unknown as Group;
}

const OPEN: Command = { type: "set_bucket", bucket: "alpha", phase: "open", version: 2 };

Deno.test("checkResidue() takes groups that agree", () => {
  checkResidue([groupOf(0, OPEN), groupOf(1, OPEN)]);
});

Deno.test("checkResidue() throws when an intent is left", () => {
  const group = groupOf(0, { type: "intend_bucket", bucket: "alpha", action: "create" });
  assert.throws(() => checkResidue([group]), /errands left/);
});

Deno.test("checkResidue() throws when a reservation is left", () => {
  const reserve: Command = { type: "reserve", key: "alpha/one", target: 1, deadlineMs: 10 };
  assert.throws(() => checkResidue([groupOf(0, OPEN, reserve)]), /errands left/);
});

Deno.test("checkResidue() throws when groups have different buckets", () => {
  assert.throws(() => checkResidue([groupOf(0, OPEN), groupOf(1)]), /has buckets/);
});

Deno.test("checkResidue() throws when a stream has no bucket", () => {
  const create: Command = { type: "create", key: "alpha/one", closed: false };
  const close: Command = { ...OPEN, phase: "closed", version: 4 };
  assert.throws(() => checkResidue([groupOf(0, OPEN, create, close)]), /in open buckets/);
});

Deno.test("checkDiskUsage() throws when more lies on the disk than the data explain", async () => {
  const clock = new SimClock();
  const disk = new SimDisk({ random: new SimRandom(1), clock });
  const plan = drawPlan(new SimRandom(1));
  const groups = [groupOf(0)];
  checkDiskUsage(disk, plan, groups);
  const file = await clock.until(disk.open("/leak", { create: true }));
  await clock.until(file.truncate(64 << 20));
  assert.throws(() => checkDiskUsage(disk, plan, groups), /on disk/);
});

Deno.test("TimeChecker throws when group time follows the wall", () => {
  const checker = new TimeChecker();
  const group = groupOf(0) as { nowMs: number } & Group;
  checker.check([group], 0);
  assert.throws(() => {
    Object.assign(group, { nowMs: 5_000 });
    checker.check([group], 10);
  }, /went ahead/);
});
