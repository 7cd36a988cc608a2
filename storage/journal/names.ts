/** Digits of a segment's number in its file name, so that names sort like numbers. */
const SEQUENCE_DIGITS = 10;

/** File name of a segment. */
export function segmentName(journal: number, sequence: number): string {
  return `journal-${journal}-${String(sequence).padStart(SEQUENCE_DIGITS, "0")}.segment`;
}

/** Number of the segment that has this name in that journal; undefined for any other file. */
export function sequenceOf(journal: number, name: string): number | undefined {
  const found = /^journal-(\d+)-(\d{10,})\.segment$/.exec(name);
  return found && Number(found[1]) === journal ? Number(found[2]) : undefined;
}

/** File name of a segment that is being made. */
export function spareName(journal: number, count: number): string {
  return `journal-${journal}.spare-${count}`;
}

/** Does this file hold a segment that never came into use? */
export function isSpare(journal: number, name: string): boolean {
  return name.startsWith(`journal-${journal}.spare-`);
}
