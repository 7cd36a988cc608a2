/**
 * Applying StreamSnapshots: pieces of a blob, and its publication (SPEC section 5).
 *
 * @module
 */

import { isBoundary, noneKnown } from "./boundaries.ts";
import type { PublishSnapshot, StageObject } from "./cold_types.ts";
import { StreamLog } from "./log.ts";
import type { ObjectName, Objects } from "./objects.ts";
import { earliestOf, factsOf, rareOf } from "./stream.ts";
import { refuse, type Tables } from "./tables.ts";
import { ownText } from "./text.ts";
import type { Outcome } from "./types.ts";

/** Takes the next piece of an object; one that came before is taken for granted. */
export function applyStage(tables: Tables, command: StageObject, stampMs: number): Outcome {
  const { object, at, body } = command;
  const { objects } = tables;
  const bytes = body === undefined ? 0 : body.data.end - body.data.start;
  if (at === 0 && objects.isFree(object.number)) {
    objects.add(object, stampMs);
    objects.stage(object.number, 0, stampMs);
  }
  const staged = stagedOf(objects, object);
  if (staged === undefined || at > staged || at + bytes > object.length) return { ok: "condemned" };
  if (body === undefined || at + bytes <= staged) return { ok: "done" };
  if (at < staged) return { ok: "condemned" };
  objects.stage(object.number, at + bytes, stampMs);
  if (tables.pinsFlushed) {
    const log = new StreamLog();
    log.push(body.data.slab, body.data.start, bytes, undefined);
    tables.pin(object.number, at, log);
  }
  return { ok: "done" };
}

/** How much of an object is staged that may yet be published; undefined where none may. */
function stagedOf(objects: Objects, { number, term, length }: ObjectName): number | undefined {
  const record = objects.get(number);
  const fits = record !== undefined && record.term === term && record.length === length &&
    record.references === 0 && !objects.isCondemned(number);
  return fits ? record.staged : undefined;
}

/** Publishes a snapshot in the place of the one before, and trims the stream. */
export function applyPublish(tables: Tables, command: PublishSnapshot, stampMs: number): Outcome {
  const { offset, object, contentType, digest } = command;
  const stream = tables.streams.get(command.key);
  if (stream === undefined) return tables.absent(command.key);
  if (stream.softDeleted) return { refused: "stream_gone" };
  if (command.incarnation !== undefined && command.incarnation !== stream.incarnation) {
    return refuse("incarnation_mismatch", stream);
  }
  if (offset < earliestOf(stream)) return refuse("offset_trimmed", stream);
  if (offset > stream.tail) return refuse("snapshot_beyond_tail", stream);
  const published = stream.rare?.snapshot;
  if (published?.offset === offset) {
    const same = published.digest === digest && published.contentType === contentType;
    if (!same) return refuse("snapshot_conflict", stream);
    return { ok: "published", facts: factsOf(stream), repeated: true };
  }
  if (command.provenIn !== stream.incarnation && stream.log !== undefined) {
    const whole = isBoundary(stream.log, offset, noneKnown);
    if (typeof whole === "object") return { ok: "unproven" };
    if (!whole) return refuse("offset_not_boundary", stream);
  }
  const { number, term, length } = object;
  if (tables.objects.isFree(number)) tables.objects.add(object, stampMs);
  else if (stagedOf(tables.objects, object) !== length) return { ok: "condemned" };
  tables.beforeChange(stream);
  tables.setSnapshot(stream, {
    offset,
    contentType: ownText(contentType),
    number,
    term,
    length,
    digest: ownText(digest),
  });
  const rare = rareOf(stream);
  rare.earliest = offset;
  if (rare.ttlSeconds !== undefined) rare.touchedMs = stampMs;
  tables.trimUpwards(stream);
  return { ok: "published", facts: factsOf(stream), repeated: false };
}
