/** Programs that run at the same time ask for ports: none is given twice, though nobody listens. */

import assert from "node:assert/strict";
import { freePorts } from "./ports.ts";

const COUNT = 200;
const OTHERS = 4;

Deno.test("freePorts() gives no port to two programs that run at the same time", async () => {
  const module = new URL("./ports.ts", import.meta.url).href;
  // The end of its input is the end of one: until then it has its ports.
  const ask = `const { freePorts } = await import(${JSON.stringify(module)});` +
    `console.log(freePorts(${COUNT}).join()); await Array.fromAsync(Deno.stdin.readable);`;
  const others = Array.from({ length: OTHERS }, () =>
    new Deno.Command(Deno.execPath(), {
      args: ["eval", ask],
      stdin: "piped",
      stdout: "piped",
    }).spawn());
  const given = freePorts(COUNT);
  for (const other of others) {
    const reader = other.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let line = "";
    while (!line.endsWith("\n")) line += (await reader.read()).value ?? assert.fail(line);
    given.push(...line.trim().split(",").map(Number));
    await other.stdin.close();
    assert.equal((await reader.read()).done, true);
    await other.status;
  }
  assert.equal(new Set(given).size, (1 + OTHERS) * COUNT);
});
