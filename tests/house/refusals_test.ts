import assert from "node:assert/strict";
import { ERROR_CODES, type ErrorCode, ERRORS } from "../../protocol/errors.ts";
import type { Refusal } from "../../stream/types.ts";
import { readProjectFile } from "./source.ts";

// The two pure rooms may not import each other: here the compiler sees both lists.
const _everyRefusalIsACode: readonly ErrorCode[] = [] as readonly Refusal[];

Deno.test("ERRORS has an entry for every refusal of the state machine", async () => {
  const types = await readProjectFile("stream/types.ts");
  const union = /export type Refusal =([^;]+);/.exec(types)?.[1] ?? "";
  const refusals = Array.from(union.matchAll(/"([a-z_]+)"/g), (match) => match[1] ?? "");
  assert.ok(refusals.length > 10);
  const codes: readonly string[] = ERROR_CODES;
  assert.deepEqual(refusals.filter((name) => !codes.includes(name)), []);
});

Deno.test("ERRORS answers no refusal of the state machine with internal's status", () => {
  for (const code of ERROR_CODES) {
    if (code === "internal" || code === "cold_damaged") continue;
    assert.notEqual(ERRORS[code].status, 500, code);
  }
});
