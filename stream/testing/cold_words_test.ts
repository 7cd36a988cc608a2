/**
 * The table language's words for objects:
 *
 * ```
 * flush 5 demo/a:0-5 demo/b:0-3@40   -> stored 0,1 bytes=8
 * repack 6 from=4,5 demo/a:0-5       -> stored 0 bytes=5
 * condemn below=5 7                  -> done
 * discard 5                          -> done
 * ```
 *
 * A range's incarnation is the stream's, unless `~` and another one follow the key. It begins at
 * 100 times its place in the row, unless `@` says otherwise; an object has 1,000 bytes, unless `len`
 * does. A repacked range begins where the one before ended.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { FlushedRange, PublishSnapshot } from "../cold_types.ts";
import { mergePacked } from "../packed.ts";
import { sliceOf } from "../slab.ts";
import type { GroupState } from "../state.ts";
import type { Command } from "../types.ts";
import type { Script, Words } from "./script_test.ts";

/** The command of a row; undefined where it is none of these. */
export function coldCommandOf(script: Script, verb: string, words: Words): Command | undefined {
  const numbers = words.plain.map(Number);
  const object = {
    number: numbers[0] ?? 0,
    term: words.number("term") ?? 1,
    length: words.number("len") ?? 1000,
  };
  switch (verb) {
    case "flush":
      return {
        type: "flush",
        object,
        ranges: words.plain.slice(1).map((word, i) => rangeOf(script.state, word, i * 100)),
      };
    case "repack": {
      const sources = (words.text("from") ?? "").split(",").map(Number);
      const ranges = words.plain.slice(1).map((word, i) => rangeOf(script.state, word, i * 100));
      return repackOf(script, object, sources, ranges);
    }
    case "condemn":
      return { type: "condemn", below: words.number("below") ?? 0, numbers };
    case "stage": {
      const body = { data: sliceOf(new TextEncoder().encode(words.text("body") ?? "")) };
      return { type: "stage", object, at: words.number("at") ?? 0, body };
    }
    case "publish": {
      const [key = "", offset] = words.at(1).split(":");
      return publishOf(script, {
        type: "publish",
        key,
        offset: Number(offset),
        contentType: "text/plain",
        object,
        digest: words.text("digest") ?? "d",
        incarnation: words.text("inc"),
      });
    }
    case "discard":
      return { type: "forget", numbers };
    default:
      return undefined;
  }
}

/** Proves that the snapshot's offset is an end of a message, where that has to be looked up. */
export function publishOf(script: Script, command: PublishSnapshot): PublishSnapshot {
  const known = new Map<number, Uint32Array>();
  while (true) {
    const found = script.state.cold.proveBoundary(
      command.key,
      command.offset,
      ({ from }) => known.get(from),
    );
    if (found === undefined || "refused" in found) return command;
    if ("incarnation" in found) return { ...command, provenIn: found.incarnation };
    known.set(found.wanted.rangeFrom, script.store.ends(found.wanted));
  }
}

function rangeOf(state: GroupState, word: string, usualAt: number): FlushedRange {
  const match = /^([^:~]+)(?:~([^:]+))?:(\d+)-(\d+)(?:@(\d+))?$/.exec(word);
  assert.ok(match !== null, `a range is key:from-to@at: ${word}`);
  const [, key = "", named, from, to, at] = match;
  const facts = state.find(key);
  const incarnation = named ?? ("incarnation" in facts ? facts.incarnation : "none");
  return {
    key,
    incarnation,
    from: Number(from),
    to: Number(to),
    at: at === undefined ? usualAt : Number(at),
  };
}

/** Makes the object, as whoever proposes would, and the command that refers to it. */
export function repackOf(
  script: Script,
  object: { number: number; term: number; length: number },
  sources: readonly number[],
  ranges: readonly FlushedRange[],
): Command {
  const held = [...script.state.cold.ranges(new Set(sources))].flat();
  const payload = new Uint8Array(object.length);
  const repacked = ranges.map((range) => {
    const parts = held.filter(({ key, piece }) =>
      key === range.key && piece.from >= range.from && piece.to <= range.to
    ).map(({ piece }) => ({
      packed: script.store.bytes(piece, piece.at, piece.length),
      rowBytes: piece.rowBytes,
    }));
    const merged = mergePacked(parts);
    assert.ok(merged !== undefined, "a packed range is damaged");
    let at = range.at;
    for (const part of merged.parts) {
      if (at + part.length <= payload.length) payload.set(part, at);
      at += part.length;
    }
    return { ...range, rowBytes: merged.rowBytes };
  });
  if (script.state.cold.objects.isFree(object.number)) {
    script.store.payloads.set(object.number, payload);
  }
  return { type: "repack", object, sources, ranges: repacked };
}

/** All objects, and which number is next. */
export function objectsText(state: GroupState): string {
  const objects = Array.from(state.cold.objects.all(), (object) => {
    const { number, liveBytes, references, unreferencedMs } = object;
    const since = unreferencedMs === undefined ? "" : ` since ${unreferencedMs}`;
    return `${number}: ${liveBytes} in ${references}${since}`;
  });
  return [...objects, `next ${state.cold.nextNumber}`].join(", ");
}

/** What a read is made of. */
export function piecesText(state: GroupState, words: Words): string {
  const plan = state.read(words.at(0), Number(words.at(1)), words.number("max") ?? 1 << 22);
  if (!("slices" in plan)) return "none";
  const { cold } = plan;
  if (cold === undefined) return `${plan.from}..${plan.next} hot`;
  const pieces = cold.pieces.map((piece) =>
    "slab" in piece
      ? `hot ${piece.end - piece.start}`
      : `${piece.number}@${piece.at}+${piece.rowBytes} ${piece.from}..${piece.to}`
  );
  const open = (cold.startsIn === undefined ? "" : " starts?") +
    (cold.endsIn === undefined ? "" : " ends?");
  return `${plan.from}..${plan.next} ${pieces.join(", ")}${open}`;
}
