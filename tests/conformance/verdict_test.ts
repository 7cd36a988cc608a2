import assert from "node:assert/strict";
import { judge, PASSED, SKIPPED, SKIPPED_GROUP, summary } from "./verdict.ts";
import type { Report, TestResult } from "./vitest.ts";

function report(passed: number, skipped: number, more: Partial<TestResult>[] = []): Report {
  const test = (status: string, group: string): TestResult => ({
    fullName: `${group} test`,
    ancestorTitles: [group],
    status,
    failureMessages: [],
  });
  const assertionResults = [
    ...Array.from({ length: passed }, () => test("passed", "Basics")),
    ...Array.from({ length: skipped }, () => test("skipped", SKIPPED_GROUP)),
    ...more.map((part) => ({ ...test("passed", "Basics"), ...part })),
  ];
  return {
    numTotalTests: assertionResults.length,
    testResults: [{ status: "passed", message: "", assertionResults }],
  };
}

Deno.test("judge() finds nothing wrong when every test but the subscriptions' passed", () => {
  const verdict = judge("run", report(PASSED, SKIPPED));
  assert.deepEqual(verdict.problems, []);
  assert.match(summary(verdict), /^ok {5}run: 332 passed, 0 failed, 6 skipped$/);
});

Deno.test("judge() names a failed test and its message", () => {
  const failed = { status: "failed", fullName: "Basics breaks", failureMessages: ["expected 1"] };
  const verdict = judge("run", report(PASSED - 1, SKIPPED, [failed]));
  assert.deepEqual(verdict.problems, ["Basics breaks\nexpected 1"]);
  assert.match(summary(verdict), /^FAILED run: 331 passed, 1 failed/);
});

Deno.test("judge() fails a run that ran fewer tests, more tests, or none", () => {
  for (const passed of [PASSED - 1, PASSED + 1, 0]) {
    assert.equal(judge("run", report(passed, SKIPPED)).problems.length, 1);
  }
});

Deno.test("judge() fails a run in which another test than a subscription's was skipped", () => {
  const verdict = judge("run", report(PASSED, SKIPPED - 1, [{ status: "skipped" }]));
  assert.deepEqual(verdict.problems, ["did not run (skipped): Basics test"]);
});

Deno.test("judge() reports a file that could not be loaded", () => {
  const verdict = judge("run", {
    numTotalTests: 0,
    testResults: [{ status: "failed", message: "run by node", assertionResults: [] }],
  });
  assert.equal(verdict.problems[0], "run by node");
});
