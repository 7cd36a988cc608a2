import assert from "node:assert/strict";
import { ClusterTime } from "./cluster_time.ts";

Deno.test("ClusterTime.leads() takes time that goes on, and time that lags", () => {
  let rightMs = 10_000;
  const time = new ClusterTime(() => rightMs);
  time.leads(0, 10_200);
  rightMs = 20_000;
  time.leads(0, 20_300);
  rightMs = 30_000;
  time.leads(0, 20_400);
  time.leads(0, 31_000);
  assert.equal(time.latest(0), 31_000);
  assert.equal(time.latest(1), 0);
});

Deno.test("ClusterTime.leads() throws when a group follows a wall clock that is wrong", () => {
  const time = new ClusterTime(() => 10_000);
  time.leads(0, 10_000);
  assert.throws(() => time.leads(0, 610_000), /was 0 ms ahead, and is 600000/);
});

Deno.test("ClusterTime.leads() throws when a group begins ahead of all clocks", () => {
  const time = new ClusterTime(() => 10_000);
  assert.throws(() => time.leads(0, 20_000), /is 10000/);
});

Deno.test("ClusterTime.leads() throws when a group leaps to the time, after streams were made", () => {
  const time = new ClusterTime(() => 1_000_000);
  time.leads(0, 5);
  assert.throws(() => time.leads(0, 1_000_000), /was -999995 ms ahead, and is 0/);
});

Deno.test("ClusterTime.leads() takes a leap over a time without a leader", () => {
  const time = new ClusterTime(() => 1_000_000);
  time.leads(0, 990_001);
  time.leads(0, 1_001_500);
  assert.throws(() => time.leads(0, 1_001_501), /was -9999 ms ahead, and is 1501/);
});

Deno.test("ClusterTime.applied() takes a stamp that was made long before it was applied", () => {
  let rightMs = 1_000_000;
  const time = new ClusterTime(() => rightMs);
  rightMs += 60_000;
  time.applied(0, 1_000_300);
  time.leads(0, 1_060_100);
  assert.throws(() => time.applied(0, 1_070_000), /was 0 ms ahead, and is 10000/);
});

Deno.test("ClusterTime.applied() throws at the leap after a stamp from before the beginning", () => {
  const time = new ClusterTime(() => 1_000_000);
  time.applied(0, 5);
  assert.throws(() => time.leads(0, 1_000_000), /was -999995 ms ahead, and is 0/);
});
