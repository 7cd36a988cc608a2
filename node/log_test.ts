import assert from "node:assert/strict";
import { createLog, type LogLevel } from "./log.ts";

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];
const now = () => Date.UTC(2026, 0, 2, 3, 4, 5, 6);

Deno.test("createLog() drops what is below its level", () => {
  for (const [at, level] of LEVELS.entries()) {
    const lines: string[] = [];
    const log = createLog({ level, format: "text" }, (line) => lines.push(line), now);
    for (const one of LEVELS) log(one, one);
    assert.equal(lines.length, LEVELS.length - at, level);
    assert.ok(lines[0]?.includes(level));
  }
});

Deno.test("createLog() writes one line per event, as text or JSON", () => {
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  createLog({ level: "info", format: "text" }, write, now)("warn", "first\n  second\n\nthird");
  createLog({ level: "info", format: "json" }, write, now)("info", 'a "quoted"\nline');
  assert.deepEqual(lines, [
    "2026-01-02T03:04:05.006Z warn  first | second | third\n",
    '{"time":"2026-01-02T03:04:05.006Z","level":"info","message":"a \\"quoted\\" | line"}\n',
  ]);
});
