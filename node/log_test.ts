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

Deno.test("createLog() puts fields behind the message, or under a key of their own", () => {
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  const fields = { path: "/a b", status: 204, odd: 'x="1"', empty: "" };
  createLog({ level: "info", format: "text" }, write, now)("info", "request", fields);
  createLog({ level: "info", format: "json" }, write, now)("info", "request", { status: 204 });
  assert.deepEqual(lines, [
    '2026-01-02T03:04:05.006Z info  request path="/a b" status=204 odd="x=\\"1\\"" empty=""\n',
    '{"time":"2026-01-02T03:04:05.006Z","level":"info","message":"request",' +
    '"fields":{"status":204}}\n',
  ]);
});

Deno.test("createLog() lets nothing through that breaks a line or commands a terminal", () => {
  for (const format of ["text", "json"] as const) {
    const lines: string[] = [];
    const log = createLog({ level: "info", format }, (line) => lines.push(line), now);
    log("info", "a\r\x1b[31m\u0085\u2028b", { path: "c\nd\x7f" });
    const [line = ""] = lines;
    // What JSON may hold as it is are no ends of lines to whoever reads JSON.
    assert.equal(line.split("\n").length, 2, format);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(line.slice(0, -1), /[\x00-\x1f]/, format);
  }
});
