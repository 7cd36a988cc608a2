import { InvalidArgumentError } from "commander";

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `30s`, `500ms`, `5m`, or seconds without a unit; in ms. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  if (match === null) throw new InvalidArgumentError("Expected a duration such as 30s or 5m.");
  return Number(match[1]) * (UNITS[match[2] ?? "s"] ?? 0);
}

/** A node's id. */
export function parseNodeId(text: string): number {
  const id = parseCount(text);
  if (id === 0) throw new InvalidArgumentError("Node ids begin at 1.");
  return id;
}

/** A whole number, 0 or more. */
export function parseCount(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("Expected a whole number.");
  return Number(text);
}

/** Node ids with commas between them; given again, they add up. */
export function parseNodeIds(text: string, before: readonly number[] = []): readonly number[] {
  return [...before, ...text.split(",").map(parseNodeId)];
}

/** Numbers of groups with commas between them; given again, they add up. */
export function parseGroups(text: string, before: readonly number[] = []): readonly number[] {
  return [...before, ...text.split(",").map(parseCount)];
}

/** Given again, they add up. */
export function parseTexts(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(",")];
}
