import assert from "node:assert/strict";
import { eagerImports, importsOf, wrongImports } from "./imports.ts";
import { sourceFile, sourceFiles } from "./source.ts";

/** Complaints about a file that imports one thing. */
function importing(path: string, specifier: string): string[] {
  return wrongImports([sourceFile(path, `import { a } from "${specifier}";\n`)]);
}

Deno.test("imports go down the house", async () => {
  assert.deepEqual(wrongImports(await sourceFiles()), []);
});

Deno.test("importsOf() finds every way to import", () => {
  const text = `import a from "./a.ts";
import "./b.ts";
import type {
  C,
} from "./c.ts";
export * from "./d.ts";
export { e } from "./e.ts";
const f = await import("./f.ts");
new Worker(new URL("./g.ts", import.meta.url));
const url = new URL("../", import.meta.url);
// import "./comment.ts";
`;
  assert.deepEqual(
    importsOf(sourceFile("x/y.ts", text)).map(({ path }) => path),
    ["x/a.ts", "x/b.ts", "x/c.ts", "x/d.ts", "x/e.ts", "x/f.ts", "x/g.ts"],
  );
});

Deno.test("wrongImports() complains when an import goes up, sideways or out of a pure room", () => {
  const wrong: [path: string, specifier: string][] = [
    ["node/a.ts", "../http/b.ts"],
    ["group/a.ts", "../shard/b.ts"],
    ["peer/a.ts", "../storage/b.ts"],
    ["io/a.ts", "../protocol/b.ts"],
    ["raft/a.ts", "../io/mod.ts"],
    ["raft/log/a.ts", "../../stream/types.ts"],
    ["stream/a.ts", "node:fs"],
    ["stream/a.ts", "fast-check"],
    ["protocol/a_test.ts", "../io/deno.ts"],
    ["ctl/a.ts", "../node/b.ts"],
    ["http/a.ts", "../mod.ts"],
    ["http/a.ts", "../tests/server.ts"],
    ["attic/a.ts", "../io/mod.ts"],
    ["http/a.ts", "../attic/b.ts"],
  ];
  for (const [path, specifier] of wrong) {
    assert.equal(importing(path, specifier).length, 1, `${path} ${specifier}`);
  }
});

Deno.test("wrongImports() is silent when imports go down", () => {
  const right: [path: string, specifier: string][] = [
    ["http/a.ts", "../protocol/mod.ts"],
    ["http/live/a.ts", "../../node/b.ts"],
    ["group/a.ts", "../raft/types.ts"],
    ["storage/a.ts", "../io/mod.ts"],
    ["stream/a.ts", "cbor-x"],
    ["stream/a_test.ts", "fast-check"],
    ["storage/a_test.ts", "../tests/sim/disk.ts"],
    ["ctl/a.ts", "../protocol/mod.ts"],
    ["tests/sim/a.ts", "../../shard/b.ts"],
    ["mod.ts", "./http/mod.ts"],
    ["shard/worker.ts", "../http/serve.ts"],
  ];
  for (const [path, specifier] of right) {
    assert.deepEqual(importing(path, specifier), [], `${path} ${specifier}`);
  }
});

Deno.test("slow packages are loaded when they are asked for", async () => {
  assert.deepEqual(eagerImports(await sourceFiles()), []);
});

Deno.test("eagerImports() complains when a slow package is loaded with the program", () => {
  const complaints = (path: string, text: string) => eagerImports([sourceFile(path, text)]).length;
  const slow = '"@aws-sdk/client-s3"';
  for (const text of [`import { S3 } from ${slow};`, `import ${slow};`, `export * from ${slow};`]) {
    assert.equal(complaints("storage/a.ts", text), 1, text);
    assert.equal(complaints("storage/a_test.ts", text), 0, text);
  }
  for (const text of [`import type { S3 } from ${slow};`, `const a = await import(${slow});`]) {
    assert.equal(complaints("storage/a.ts", text), 0, text);
  }
});
