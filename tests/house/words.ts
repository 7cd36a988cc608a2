/**
 * Words that have no place in the house, each with what to write instead.
 *
 * @module
 */

import { isTestFile, lineAt, type SourceFile } from "./source.ts";

interface BannedWord {
  readonly pattern: RegExp;
  readonly instead: string;
  /** Look into comments too. */
  readonly inComments: boolean;
}

const BANNED_WORDS: readonly BannedWord[] = [
  { pattern: /\b(?:TODO|FIXME|XXX|HACK)\b/g, instead: "do it, or leave it out", inComments: true },
  { pattern: /\b[A-Za-z]*Manager\b/g, instead: "say what it does", inComments: false },
  { pattern: /["']jsr:/g, instead: "use a package of npm", inComments: false },
  { pattern: /\bdeno\.land\b/g, instead: "use a package of npm", inComments: false },
  {
    pattern: /@ts-(?:ignore|nocheck)\b|\bdeno-lint-ignore-file\b/g,
    instead: "repair the type, or excuse one line with its reason",
    inComments: true,
  },
];

const BANNED_PATHS: readonly { readonly pattern: RegExp; readonly instead: string }[] = [
  {
    pattern: /(?:^|\/)(?:utils?|helpers?|common|misc)(?:\.ts$|_test\.ts$|\/)/,
    instead: "name the subject",
  },
];

/** Complaints about words and names. This folder itself names them, and is left out. */
export function wrongWords(files: readonly SourceFile[]): string[] {
  return files.filter(({ path }) => !path.startsWith("tests/house/")).flatMap((file) => [
    ...BANNED_PATHS.filter(({ pattern }) => pattern.test(file.path))
      .map(({ instead }) => `${file.path}: ${instead}`),
    ...BANNED_WORDS.flatMap(({ pattern, instead, inComments }) => {
      const text = inComments ? file.text : file.code;
      return Array.from(
        text.matchAll(pattern),
        (match) => `${file.path}:${lineAt(text, match.index)}: ${match[0]}: ${instead}`,
      );
    }),
  ]);
}

/** Complaints about rooms whose `mod.ts` does not say what the room is. */
export function missingModuleDocs(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => /(?:^|\/)mod\.ts$/.test(path) && !isTestFile(path))
    .filter(({ text }) => !/^(?:#![^\n]*\n)?\/\*\*(?:(?!\*\/)[^])*@module\b/.test(text))
    .map(({ path }) => `${path}: begin with a JSDoc comment that ends in @module`);
}
