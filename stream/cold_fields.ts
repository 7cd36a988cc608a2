/**
 * Fields and rows of the cold tier's commands. Part of the format: append only.
 *
 * A flush may name thousands of ranges, so these stand behind the header, where other commands have
 * their body, as one CBOR array: range after range.
 *
 * @module
 */

import type {
  CondemnObjects,
  FlushedRange,
  FlushStreams,
  ForgetObjects,
  RepackedRange,
  RepackStreams,
} from "./cold_types.ts";
import type { ObjectName } from "./objects.ts";
import type { Command } from "./types.ts";

/** Commands whose rows stand behind the header. */
export type ColdCommand = FlushStreams | RepackStreams | CondemnObjects | ForgetObjects;

/** Is it one of those? */
export function isColdCommand(command: Command): command is ColdCommand {
  const { type } = command;
  return type === "flush" || type === "repack" || type === "condemn" || type === "forget";
}

/** What stands in the header. */
export function coldFieldsOf(command: ColdCommand): unknown[] {
  switch (command.type) {
    case "flush":
    case "repack": {
      const { number, term, length } = command.object;
      return [number, term, length];
    }
    case "condemn":
      return [command.below];
    case "forget":
      return [];
  }
}

/** What stands behind it. */
export function coldRowsOf(command: ColdCommand): unknown[] {
  switch (command.type) {
    case "flush":
      return command.ranges.map(rangeRow);
    case "repack":
      return [command.sources, ...command.ranges.map((r) => [...rangeRow(r), r.rowBytes])];
    case "condemn":
    case "forget":
      return [...command.numbers];
  }
}

/** The command of these fields and rows. */
export function coldCommandFrom(
  type: ColdCommand["type"],
  fields: unknown[],
  rows: unknown[],
): ColdCommand {
  switch (type) {
    case "flush":
      return { type, object: objectFrom(fields), ranges: (rows as Row[]).map(rangeFrom) };
    case "repack": {
      const [sources, ...ranges] = rows as [number[], ...Row[]];
      return { type, object: objectFrom(fields), sources, ranges: ranges.map(repackedFrom) };
    }
    case "condemn":
      return { type, below: fields[0] as number, numbers: rows as number[] };
    case "forget":
      return { type, numbers: rows as number[] };
  }
}

type Row = [string, string, number, number, number, number?];

function rangeRow({ key, incarnation, from, to, at }: FlushedRange): Row {
  return [key, incarnation, from, to, at];
}

function rangeFrom([key, incarnation, from, to, at]: Row): FlushedRange {
  return { key, incarnation, from, to, at };
}

function repackedFrom(row: Row): RepackedRange {
  return { ...rangeFrom(row), rowBytes: row[5] ?? 0 };
}

function objectFrom(fields: unknown[]): ObjectName {
  const [number, term, length] = fields as [number, number, number];
  return { number, term, length };
}
