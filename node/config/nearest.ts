/**
 * The known name that a mistyped one most likely meant.
 *
 * @module
 */

/**
 * The candidate nearest to `name`, or undefined where none is near enough to be worth naming.
 * The first of equally near ones.
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  // Beyond half of the name, a suggestion is a guess.
  let best = Math.max(2, Math.floor(name.length / 2)) + 1;
  let found: string | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(name, candidate);
    if (distance < best) {
      best = distance;
      found = candidate;
    }
  }
  return found;
}

/**
 * Fewest insertions, deletions, replacements and swaps of neighbours that lead from one text to the
 * other (Damerau–Levenshtein, optimal string alignment).
 */
export function editDistance(from: string, to: string): number {
  const width = to.length + 1;
  const cells = new Uint32Array((from.length + 1) * width);
  const cell = (row: number, column: number) => cells[row * width + column] ?? 0;
  for (let column = 0; column < width; column++) cells[column] = column;
  for (let row = 1; row <= from.length; row++) {
    cells[row * width] = row;
    for (let column = 1; column < width; column++) {
      const same = from[row - 1] === to[column - 1];
      let least = Math.min(
        cell(row - 1, column) + 1,
        cell(row, column - 1) + 1,
        cell(row - 1, column - 1) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] &&
        from[row - 2] === to[column - 1];
      if (swapped) least = Math.min(least, cell(row - 2, column - 2) + 1);
      cells[row * width + column] = least;
    }
  }
  return cell(from.length, to.length);
}
