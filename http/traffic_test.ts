import assert from "node:assert/strict";
import { ERROR_CODES, ERRORS } from "../protocol/mod.ts";
import { durationFactsOf } from "../shard/mod.ts";
import { OPERATION } from "./operations.ts";
import { responsesOf, STATUSES, Traffic } from "./traffic.ts";

Deno.test("Traffic.record() counts by operation and status, and times by operation", () => {
  const traffic = new Traffic();
  traffic.record(OPERATION.append, 204, 1);
  traffic.record(OPERATION.append, 204, 2);
  traffic.record(OPERATION.append, 503, 4);
  traffic.record(OPERATION.read, 200, 8);
  const count = (operation: number, status: number) => responsesOf([traffic], operation, status);
  assert.deepEqual(
    [count(OPERATION.append, 204), count(OPERATION.append, 503), count(OPERATION.read, 200)],
    [2, 1, 1],
  );
  assert.equal(count(OPERATION.read, 204), 0);
  const { sumMs, count: timed } = durationFactsOf([traffic.durations], OPERATION.append);
  assert.deepEqual([sumMs, timed], [7, 3]);
});

Deno.test("Traffic.record() counts a status that it does not know as 0", () => {
  const traffic = new Traffic();
  traffic.record(OPERATION.other, 418, 0);
  traffic.record(OPERATION.other, 999, 0);
  assert.equal(responsesOf([traffic], OPERATION.other, 0), 2);
});

Deno.test("STATUSES has that of every error", () => {
  assert.ok(ERROR_CODES.every((code) => STATUSES.includes(ERRORS[code].status)));
});
