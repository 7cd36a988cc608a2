import assert from "node:assert/strict";
import { counted, duration, listed, Screen, table } from "./output.ts";
import type { Machine, Output } from "./machine.ts";

function machine(terminal: boolean, env: Record<string, string> = {}) {
  const written = { stdout: "", stderr: "" };
  const output = (name: "stdout" | "stderr"): Output => ({
    isTerminal: terminal,
    columns: 20,
    write(bytes) {
      written[name] += new TextDecoder().decode(bytes);
      return Promise.resolve();
    },
  });
  // Nothing else of a machine is looked at.
  const half = { stdout: output("stdout"), stderr: output("stderr"), env: (n: string) => env[n] };
  return { written, machine: half as unknown as Machine };
}

Deno.test("table() lines columns up, figures to the right", () => {
  assert.deepEqual(table(["NODE", " LAG", "URL"], [["1", "10", "http://a"], ["12", "7", ""]]), [
    "NODE  LAG  URL",
    "1      10  http://a",
    "12      7",
  ]);
});

Deno.test("duration() picks the unit that tells most", () => {
  const rows: [ms: number, text: string][] = [
    [0, "0 ms"],
    [999, "999 ms"],
    [12_340, "12.3 s"],
    [307_000, "5 m 7 s"],
    [12_000_000, "3 h 20 m"],
    [352_800_000, "4 d 2 h"],
  ];
  for (const [ms, text] of rows) assert.equal(duration(ms), text);
});

Deno.test("counted() and listed() read well", () => {
  assert.equal(counted(1, "group"), "1 group");
  assert.equal(counted(2, "group"), "2 groups");
  assert.equal(listed([1, 2, 3], 3), "1, 2, 3");
  assert.equal(listed([1, 2, 3, 4], 2), "1, 2 and 2 more");
});

Deno.test("Screen paints on a terminal alone, and not where NO_COLOR is set", () => {
  const painted = (terminal: boolean, env: Record<string, string>) =>
    new Screen(machine(terminal, env).machine, false).paint("red", "a");
  assert.equal(painted(true, {}), "\x1b[31ma\x1b[0m");
  assert.equal(painted(true, { NO_COLOR: "1" }), "a");
  assert.equal(painted(true, { TERM: "dumb" }), "a");
  assert.equal(painted(false, {}), "a");
});

Deno.test("Screen prints text or JSON, never both", async () => {
  for (const json of [false, true]) {
    const { written, machine: on } = machine(false);
    const screen = new Screen(on, json);
    await screen.line("text");
    await screen.result({ a: 1 });
    assert.equal(written.stdout, json ? '{"a":1}\n' : "text\n");
  }
});

Deno.test("Screen shows progress on a terminal, after a second, in one line", async () => {
  const shown = async (terminal: boolean, waitMs: number) => {
    const { written, machine: on } = machine(terminal);
    const screen = new Screen(on, false);
    screen.progress("at once");
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    screen.progress("a text that is wider than the screen");
    await screen.settle();
    return written.stderr;
  };
  assert.equal(await shown(true, 0), "");
  assert.equal(await shown(true, 1_050), "\r\x1b[Ka text that is wide\r\x1b[K");
  assert.equal(await shown(false, 1_050), "");
});
