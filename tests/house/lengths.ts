/**
 * File length: one file, one subject.
 *
 * @module
 */

import { isTestFile, type SourceFile } from "./source.ts";

/** No file of the product is longer. */
export const LINES_MAX = 500;
/** No test is longer. */
export const TEST_LINES_MAX = 800;
/** Half of the product's files are shorter. */
export const LINES_MEDIAN_BELOW = 150;
/** Nine in ten of the product's files are shorter. */
export const LINES_P90_BELOW = 400;

/** Complaints about files that are too long, one by one and all in all. */
export function wrongLengths(files: readonly SourceFile[]): string[] {
  const complaints: string[] = [];
  const lengths: number[] = [];
  for (const file of files) {
    const lines = file.text.split("\n").length - 1;
    const most = isTestFile(file.path) ? TEST_LINES_MAX : LINES_MAX;
    if (!isTestFile(file.path)) lengths.push(lines);
    if (lines > most) complaints.push(`${file.path}: ${lines} lines, at most ${most}: split it`);
  }
  lengths.sort((a, b) => a - b);
  const at = (share: number) => lengths[Math.floor(lengths.length * share)] ?? 0;
  if (at(0.5) >= LINES_MEDIAN_BELOW) complaints.push(`the median file has ${at(0.5)} lines`);
  if (at(0.9) >= LINES_P90_BELOW) complaints.push(`one file in ten has ${at(0.9)} lines or more`);
  return complaints;
}
