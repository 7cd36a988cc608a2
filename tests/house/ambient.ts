/**
 * Where the world outside may be touched: `Deno.` in few files, and in pure rooms no clock, no
 * randomness, no timer and no network either.
 *
 * @module
 */

import { PURE_ROOMS } from "./imports.ts";
import { isTestFile, lineAt, roomOf, type SourceFile } from "./source.ts";

/** Files outside tests that may say `Deno.`: the real machine, the HTTP entry, the programs. */
const DENO_FILES: ReadonlySet<string> = new Set([
  "io/deno.ts",
  "http/main.ts",
  "http/serve.ts",
  "ctl/mod.ts",
  "ctl/deno.ts",
]);

const DENO = /\bDeno\b/g;
const AMBIENT =
  /\bDate\.now\b|\bnew Date\(\)|\bperformance\.|\bMath\.random\b|\bcrypto\.|\bset(?:Timeout|Interval)\b|\bqueueMicrotask\b|\bfetch\(|\bprocess\.|\bnavigator\.|\bconsole\.|\bnew Worker\b/g;

/** Complaints about files that touch what they must not. */
export function wrongAmbients(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    if (isTestFile(file.path)) return [];
    const complaints: string[] = [];
    if (!DENO_FILES.has(file.path)) complaints.push(...finds(file, DENO, "belongs in io/deno.ts"));
    if (PURE_ROOMS.has(roomOf(file.path))) {
      complaints.push(...finds(file, AMBIENT, "is no business of a pure room"));
    }
    return complaints;
  });
}

function finds(file: SourceFile, pattern: RegExp, why: string): string[] {
  return Array.from(
    file.code.matchAll(pattern),
    (match) => `${file.path}:${lineAt(file.code, match.index)}: ${match[0]} ${why}`,
  );
}
