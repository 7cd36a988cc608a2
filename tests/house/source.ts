/**
 * The project's source files, as the style tests see them.
 *
 * @module
 */

/** One file. */
export interface SourceFile {
  /** Relative to the project's root, with `/`. */
  readonly path: string;
  /** All of it. */
  readonly text: string;
  /** The text with comments blanked out, line breaks kept. */
  readonly code: string;
}

const ROOT = new URL("../../", import.meta.url);
const SKIPPED = new Set(["node_modules", "ursula-data", "coverage", "dist", "npm"]);

/** A file made up for a test of the tests. */
export function sourceFile(path: string, text: string): SourceFile {
  return { path, text, code: blankComments(text) };
}

/** Every TypeScript file of the project, in order of path. */
export async function sourceFiles(): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (const path of await paths(".ts")) {
    files.push(sourceFile(path, await readProjectFile(path)));
  }
  return files;
}

/** Text of a file of the project. */
export function readProjectFile(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, ROOT));
}

/** Paths of the project's files that end in `suffix`, sorted. */
export async function paths(suffix: string): Promise<string[]> {
  const found: string[] = [];
  const folders = [""];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for await (const entry of Deno.readDir(new URL(`./${folder}`, ROOT))) {
      if (entry.name.startsWith(".") || SKIPPED.has(entry.name)) continue;
      if (entry.isDirectory) folders.push(`${folder}${entry.name}/`);
      else if (entry.name.endsWith(suffix)) found.push(folder + entry.name);
    }
  }
  return found.sort();
}

/** First folder of a path; `""` for files in the root. */
export function roomOf(path: string): string {
  const slash = path.indexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

/** Is this file there for tests alone? */
export function isTestFile(path: string): boolean {
  const room = roomOf(path);
  return path.endsWith("_test.ts") || room === "tests" || room === "bench";
}

/** Line of a position in a text, from 1. */
export function lineAt(text: string, position: number): number {
  return text.slice(0, position).split("\n").length;
}

/**
 * A string, a template without nested templates, a regular expression where one may stand, or a
 * comment. Matched in one alternation so that none is looked for inside another.
 */
const LITERAL_OR_COMMENT =
  /"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*'|`(?:[^`\\]|\\[^])*`|(?<=(?:^|[(,=:[!&|?{};+]|return|=>)\s*)\/(?![/*])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/|\/\/[^\n]*|\/\*[^]*?\*\//g;

/** Blanks out comments, keeping every other character where it stands. */
export function blankComments(text: string): string {
  return text.replace(
    LITERAL_OR_COMMENT,
    (match) =>
      match.startsWith("//") || match.startsWith("/*") ? match.replace(/[^\n]/g, " ") : match,
  );
}
