/** Programs that run at the same time ask for ports: none is given twice, though nobody listens. */

import assert from "node:assert/strict";
import { freePorts } from "./ports.ts";

const COUNT = 200;
const OTHERS = 4;

Deno.test("freePorts() gives no port to two programs that run at the same time", async () => {
  const module = new URL("./ports.ts", import.meta.url).href;
  // The end of its input is the end of one: as long as one asks, all others have their ports.
  const ask = `const { freePorts } = await import(${JSON.stringify(module)});` +
    `console.log(freePorts(${COUNT}).join()); await Array.fromAsync(Deno.stdin.readable);`;
  const others = Array.from({ length: OTHERS }, () =>
    new Deno.Command(Deno.execPath(), {
      args: ["eval", ask],
      stdin: "piped",
      stdout: "piped",
    }).spawn());
  const given = freePorts(COUNT);
  const readers = others.map(({ stdout }) =>
    stdout.pipeThrough(new TextDecoderStream()).getReader()
  );
  for (const reader of readers) {
    let line = "";
    while (!line.endsWith("\n")) line += (await reader.read()).value ?? assert.fail(line);
    given.push(...line.trim().split(",").map(Number));
  }
  assert.equal(new Set(given).size, (1 + OTHERS) * COUNT);
  for (const [at, { stdin, status }] of others.entries()) {
    await stdin.close();
    assert.equal((await readers[at]?.read())?.done, true);
    await status;
  }
});
