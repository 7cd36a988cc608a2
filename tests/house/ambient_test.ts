import assert from "node:assert/strict";
import { wrongAmbients } from "./ambient.ts";
import { sourceFile, sourceFiles } from "./source.ts";

function complaints(path: string, text: string): number {
  return wrongAmbients([sourceFile(path, text)]).length;
}

Deno.test("the world outside is touched where it may be", async () => {
  assert.deepEqual(wrongAmbients(await sourceFiles()), []);
});

Deno.test("wrongAmbients() complains when Deno appears anywhere else", () => {
  assert.equal(complaints("node/a.ts", 'Deno.exit(1); Deno.readFile("x");'), 2);
  assert.equal(complaints("http/mod.ts", "Deno.serve(f);"), 1);
  assert.equal(complaints("http/serve.ts", "Deno.serve(f);"), 0);
  assert.equal(complaints("node/a.ts", "// Deno.exit\n/** Deno.serve */"), 0);
  assert.equal(complaints("node/a_test.ts", 'Deno.test("a", f);'), 0);
  assert.equal(complaints("tests/run.ts", "Deno.exit(1);"), 0);
});

Deno.test("wrongAmbients() complains when a pure room reaches for time or chance", () => {
  const calls = ["Date.now()", "Math.random()", "setTimeout(f)", "crypto.randomUUID()"];
  for (const call of [...calls, "performance.now()", "console.log(1)"]) {
    assert.equal(complaints("raft/a.ts", `const a = ${call};`), 1, call);
    assert.equal(complaints("shard/a.ts", `const a = ${call};`), 0, call);
  }
});
