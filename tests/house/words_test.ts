import assert from "node:assert/strict";
import { sourceFile, sourceFiles } from "./source.ts";
import { missingModuleDocs, wrongWords } from "./words.ts";

Deno.test("banned words and names appear nowhere", async () => {
  assert.deepEqual(wrongWords(await sourceFiles()), []);
});

Deno.test("every mod.ts says what its room is", async () => {
  assert.deepEqual(missingModuleDocs(await sourceFiles()), []);
});

Deno.test("wrongWords() complains about each banned word", () => {
  const wrong = [
    "// TODO later",
    "/* FIXME */",
    "class LinkManager {}",
    'import a from "jsr:@std/cli";',
    'import a from "https://deno.land/x/a.ts";',
    "// @ts-ignore: because",
    "// deno-lint-ignore-file",
  ];
  for (const text of wrong) {
    assert.equal(wrongWords([sourceFile("node/a.ts", text)]).length, 1, text);
  }
  assert.deepEqual(wrongWords([sourceFile("node/a.ts", "// the Manager of a shop")]), []);
});

Deno.test("wrongWords() complains about names that say nothing", () => {
  const paths = ["node/utils.ts", "http/helpers/a.ts", "raft/util.ts", "io/common_test.ts"];
  for (const path of paths) assert.equal(wrongWords([sourceFile(path, "")]).length, 1, path);
});

Deno.test("missingModuleDocs() complains when the comment is missing or comes late", () => {
  const wrong = ["", "export {};", "/** About. */\nexport {};", "let a;\n/** @module */"];
  for (const text of wrong) {
    assert.equal(missingModuleDocs([sourceFile("raft/mod.ts", text)]).length, 1, text);
  }
  const right = sourceFile("raft/mod.ts", "/**\n * About.\n *\n * @module\n */\nexport {};");
  assert.deepEqual(missingModuleDocs([right]), []);
});
