import assert from "node:assert/strict";
import { countsOf } from "./counts.ts";

Deno.test("countsOf() reads the last line of deno test", () => {
  const rows: [output: string, success: boolean, passed: number, failed: number][] = [
    ["a ... ok\n\nok | 36 passed | 0 failed (5s)\n", true, 36, 0],
    ["ok | 3 passed (12 steps) | 0 failed | 2 ignored (1ms)", true, 3, 0],
    ["FAILED | 3 passed (1 step) | 2 failed (1ms)\nerror: Test failed", false, 3, 2],
    ["\x1b[32mok\x1b[0m | 4 passed | 0 failed \x1b[90m(5s)\x1b[0m", true, 4, 0],
    ["ok | 3 passed | 0 failed (1ms)", false, 3, 1],
    ["error: Type checking failed.", false, 0, 1],
    ["ok | 0 passed | 0 failed (0ms)", true, 0, 1],
    ["", true, 0, 1],
  ];
  for (const [output, success, passed, failed] of rows) {
    assert.deepEqual(countsOf("deno test", output, success), { passed, failed }, output);
  }
});

Deno.test("countsOf() reads a line of counts, the last one", () => {
  assert.deepEqual(countsOf("line", "1 passed, 0 failed\nx\n1328 passed, 2 failed\n", false), {
    passed: 1328,
    failed: 2,
  });
  assert.deepEqual(countsOf("line", "Tests 3 passed, 1 failed of 4", true), {
    passed: 0,
    failed: 1,
  });
});

Deno.test("countsOf() counts a check by its exit", () => {
  assert.deepEqual(countsOf("exit", "", true), { passed: 1, failed: 0 });
  assert.deepEqual(countsOf("exit", "", false), { passed: 0, failed: 1 });
});
