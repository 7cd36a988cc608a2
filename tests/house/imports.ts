/**
 * Import direction: `http → node → shard → group → {raft, stream, peer, storage} → {protocol, io}`.
 *
 * @module
 */

import { isTestFile, lineAt, roomOf, type SourceFile } from "./source.ts";

/** Height of each room; imports go from higher to lower. */
const HEIGHT: Readonly<Record<string, number>> = {
  http: 5,
  node: 4,
  shard: 3,
  group: 2,
  raft: 1,
  stream: 1,
  peer: 1,
  storage: 1,
  protocol: 0,
  io: 0,
};

/** Rooms that import no other room, and of packages only what computes. */
export const PURE_ROOMS: ReadonlySet<string> = new Set(["raft", "stream", "protocol"]);
const PURE_PACKAGES: ReadonlySet<string> = new Set(["cbor-x"]);
const TEST_PACKAGES: ReadonlySet<string> = new Set(["node:assert/strict", "fast-check"]);

/**
 * Packages that take long to load: outside tests they come by `import()`, in the moment that they
 * are asked for.
 */
const LAZY_PACKAGES = ["@aws-sdk/client-s3", "jose"];

/**
 * Files that put the rooms together and so may import any: the program, and the worker, which is a
 * program of its own for one core.
 */
const ENTRIES: ReadonlySet<string> = new Set(["mod.ts", "shard/worker.ts"]);

/** An import as it stands in a file. */
export interface Import {
  /** As written. */
  readonly specifier: string;
  /** Path of the imported file; undefined for packages. */
  readonly path: string | undefined;
  /** Line of the specifier. */
  readonly line: number;
}

const IMPORT =
  /(?:\bimport\s*\(\s*|\b(?:import|export)\s[^"';]*?\bfrom\s*|\bimport\s+|\bnew\s+URL\s*\(\s*)"([^"]+)"/g;

/** Every import of a file: static, dynamic, and `new URL("./worker.ts", …)`. */
export function importsOf(file: SourceFile): Import[] {
  const imports: Import[] = [];
  for (const match of file.code.matchAll(IMPORT)) {
    const specifier = match[1] ?? "";
    const isUrl = match[0].startsWith("new");
    if (isUrl && !/^\..*\.ts$/.test(specifier)) continue;
    const path = specifier.startsWith(".") ? resolvePath(file.path, specifier) : undefined;
    imports.push({ specifier, path, line: lineAt(file.code, match.index) });
  }
  return imports;
}

/** Complaints about imports that go up, sideways, or out of a pure room. */
export function wrongImports(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    importsOf(file).flatMap(({ specifier, path, line }) => {
      const complaint = path === undefined
        ? packageComplaint(file.path, specifier)
        : pathComplaint(file.path, path);
      return complaint === undefined ? [] : [`${file.path}:${line}: ${complaint}`];
    })
  );
}

/** Complaints about imports that load a slow package with the program. */
export function eagerImports(files: readonly SourceFile[]): string[] {
  return files.filter(({ path }) => !isTestFile(path)).flatMap(({ path, code }) =>
    LAZY_PACKAGES.flatMap((name) =>
      Array.from(
        code.matchAll(new RegExp(`\\b(?:import|export)(?! type\\b)\\s[^"';(]*"${name}"`, "g")),
        (match) => `${path}:${lineAt(code, match.index)}: import ${name} by import()`,
      )
    )
  );
}

function pathComplaint(from: string, to: string): string | undefined {
  const fromRoom = roomOf(from);
  const toRoom = roomOf(to);
  if (to === "mod.ts") {
    return fromRoom === "tests" || fromRoom === "bench" || from.endsWith("_test.ts")
      ? undefined
      : "nothing imports mod.ts";
  }
  if (fromRoom === toRoom) return undefined;
  if (isTestFile(from) && (toRoom === "tests" || fromRoom === "tests" || fromRoom === "bench")) {
    return undefined;
  }
  if (toRoom === "tests" || toRoom === "bench") return `only tests import ${toRoom}/`;
  if (fromRoom === "" || ENTRIES.has(from)) return undefined;
  // The package's own manifest, for its version.
  if (to === "deno.json") return undefined;
  if (fromRoom === "ctl") return toRoom === "protocol" ? undefined : "ctl/ imports protocol/ alone";
  if (PURE_ROOMS.has(fromRoom)) return `${fromRoom}/ is pure and imports no other room`;
  const fromHeight = HEIGHT[fromRoom];
  const toHeight = HEIGHT[toRoom];
  if (fromHeight === undefined) return `${fromRoom}/ is no room of the house`;
  if (toHeight === undefined) return `${toRoom || to} is no room of the house`;
  return fromHeight > toHeight ? undefined : `${fromRoom}/ must not import ${toRoom}/`;
}

function packageComplaint(from: string, specifier: string): string | undefined {
  const room = roomOf(from);
  if (!PURE_ROOMS.has(room)) return undefined;
  if (PURE_PACKAGES.has(specifier)) return undefined;
  if (isTestFile(from) && TEST_PACKAGES.has(specifier)) return undefined;
  return `${room}/ is pure and does not import ${specifier}`;
}

function resolvePath(from: string, specifier: string): string {
  const base = new URL(`file:///${from}`);
  return decodeURIComponent(new URL(specifier, base).pathname.slice(1));
}
