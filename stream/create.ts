/**
 * Applying a PUT: plain streams and forks (P§4.2, P§5.1).
 *
 * @module
 */

import {
  advance,
  endBehind,
  isBoundary,
  type KnownEnds,
  noneKnown,
  type Unknown,
} from "./boundaries.ts";
import type { Bucket } from "./buckets.ts";
import { DEFAULT_CONTENT_TYPE, sameMediaType } from "./content_type.ts";
import { deadlineOf } from "./deadlines.ts";
import { messageEnds, StreamLog } from "./log.ts";
import { earliestOf, factsOf, type ForkOrigin, rareOf, type Stream } from "./stream.ts";
import { refuse, type Tables } from "./tables.ts";
import { ownText } from "./text.ts";
import type { ForkProof } from "./cold_types.ts";
import type { CreateStream, Outcome, Refusal, StreamFacts } from "./types.ts";

/** What of a source a fork takes over: all bytes before `end`. */
interface Cut {
  readonly source: Stream;
  readonly anchor: number;
  readonly end: number;
}

/** Why it can't. */
export interface CutRefusal {
  readonly refused: Refusal;
  readonly facts?: StreamFacts;
}

/** Decides a PUT: an existing stream first, then the path, the bucket, and a fork's source. */
export function applyCreate(
  tables: Tables,
  command: CreateStream,
  index: number,
  stampMs: number,
): Outcome {
  const { key, reservation } = command;
  const existing = tables.streams.get(key);
  if (existing !== undefined) return onExisting(existing, command);
  const path = tables.paths.get(key);
  if (path !== undefined) return path.linked ? tables.absent(key) : { refused: "path_reserved" };
  if (
    reservation !== undefined &&
    (reservation.deadlineMs < stampMs || tables.paths.hasErrand(key, reservation.token))
  ) {
    return { refused: "fork_too_late" };
  }
  const bucket = tables.buckets.of(key);
  if (bucket?.phase !== "open") return { refused: "bucket_not_found" };
  let cut: Cut | undefined;
  if (command.fork !== undefined) {
    const found = cutSource(tables, command, command.fork);
    if ("refused" in found) return found;
    if ("unknown" in found) return { ok: "unproven" };
    cut = found;
  }
  const stream = make(tables, bucket, command, cut, index, stampMs);
  return { ok: "created", facts: factsOf(stream) };
}

/** "Create or ensure that it exists": the same configuration, or a conflict. */
function onExisting(stream: Stream, command: CreateStream): Outcome {
  if (stream.softDeleted) return { refused: "stream_exists" };
  const { reservation } = command;
  const otherLife = reservation !== undefined && stream.rare?.link?.token !== reservation.token;
  if (otherLife || !matches(stream, command)) return refuse("stream_exists", stream);
  return { ok: "existed", facts: factsOf(stream) };
}

function matches(stream: Stream, command: CreateStream): boolean {
  const origin = stream.rare?.fork;
  const inherits = command.contentType === undefined && command.fork !== undefined;
  return command.closed === stream.closed &&
    (inherits || sameMediaType(stream.type, command.contentType ?? DEFAULT_CONTENT_TYPE)) &&
    originMatches(origin, command.fork) &&
    lifetimeMatches(stream, command);
}

/** An offset left out matches one left out: both mean the tail of the moment. */
function originMatches(origin: ForkOrigin | undefined, fork: CreateStream["fork"]): boolean {
  if (origin === undefined || fork === undefined) return origin === fork;
  return origin.source.key === fork.source && origin.subOffset === fork.subOffset &&
    (fork.offset === undefined ? !origin.anchorAsked : origin.anchor === fork.offset);
}

/** A fork that took its source's lifetime over matches a request that asks for none. */
function lifetimeMatches(stream: Stream, command: CreateStream): boolean {
  const { ttlSeconds, expiresAtMs } = command;
  if (ttlSeconds === undefined && expiresAtMs === undefined && stream.rare?.fork !== undefined) {
    return stream.rare.fork.lifetimeInherited;
  }
  return ttlSeconds === stream.rare?.ttlSeconds && expiresAtMs === stream.rare?.expiresAtMs;
}

/** Where a fork leaves its source. A body that names no content type is bytes, never JSON. */
function cutSource(
  tables: Tables,
  command: CreateStream,
  fork: NonNullable<CreateStream["fork"]>,
): Cut | CutRefusal | Unknown {
  const source = tables.streams.get(fork.source);
  if (source === undefined) return { refused: "fork_source_not_found" };
  if (source.softDeleted) return { refused: "fork_source_gone" };
  const { json } = source.type;
  const typeFits = command.contentType === undefined
    ? !json || command.body === undefined
    : sameMediaType(source.type, command.contentType);
  if (!typeFits) return { refused: "content_type_mismatch" };
  return cutAt(source, fork, noneKnown);
}

/** The same for a source that may be forked. A proof stands for what lies in objects. */
function cutAt(
  source: Stream,
  fork: NonNullable<CreateStream["fork"]>,
  known: KnownEnds,
): Cut | CutRefusal | Unknown {
  const anchor = fork.offset ?? source.tail;
  if (anchor < earliestOf(source)) {
    return { refused: "offset_trimmed", facts: factsOf(source) };
  }
  if (anchor > source.tail) return { refused: "fork_offset_beyond_tail" };
  const { proof } = fork;
  if (proof !== undefined && proof.incarnation === source.incarnation && proof.anchor === anchor) {
    return { source, anchor, end: proof.end };
  }
  const log = source.log ?? new StreamLog();
  const whole = !source.type.json || anchor === earliestOf(source) ||
    isBoundary(log, anchor, known);
  if (typeof whole === "object") return whole;
  if (!whole) return { refused: "offset_not_boundary" };
  const end = subOffsetEnd(log, source.type.json, anchor, fork.subOffset, known);
  if (typeof end === "object") return end;
  return end === undefined ? { refused: "fork_sub_offset_invalid" } : { source, anchor, end };
}

/** Bytes reach to the end of the message behind the anchor at most, JSON messages to the tail. */
function subOffsetEnd(
  log: StreamLog,
  json: boolean,
  anchor: number,
  subOffset: number,
  known: KnownEnds,
): number | undefined | Unknown {
  if (subOffset === 0) return anchor;
  if (json) return advance(log, anchor, subOffset, known);
  const boundary = endBehind(log, anchor, known);
  if (typeof boundary === "object") return boundary;
  return boundary !== undefined && anchor + subOffset <= boundary ? anchor + subOffset : undefined;
}

/** See `GroupState.proveFork`. */
export function proveCut(
  source: Stream | undefined,
  fork: NonNullable<CreateStream["fork"]>,
  known: KnownEnds,
): ForkProof | CutRefusal | Unknown | undefined {
  if (source === undefined || source.softDeleted) return undefined;
  const hot = cutAt(source, { ...fork, proof: undefined }, noneKnown);
  if (!("unknown" in hot)) return undefined;
  const found = cutAt(source, { ...fork, proof: undefined }, known);
  if ("refused" in found || "unknown" in found) return found;
  return { incarnation: source.incarnation, anchor: found.anchor, end: found.end };
}

function make(
  tables: Tables,
  bucket: Bucket,
  command: CreateStream,
  cut: Cut | undefined,
  index: number,
  stampMs: number,
): Stream {
  const contentType = command.contentType ?? cut?.source.type.text ?? DEFAULT_CONTENT_TYPE;
  const stream = tables.addStream(ownText(command.key), bucket, index, contentType, stampMs);
  if (cut !== undefined) inherit(tables, stream, command, cut);
  setLifetime(stream, command, cut?.source, stampMs);
  if (command.reservation !== undefined) {
    const { home, token } = command.reservation;
    rareOf(stream).link = { home, token };
  }
  if (command.body !== undefined && command.body.data.end > command.body.data.start) {
    tables.addBytes(stream, command.body, messageEnds(command.body.lengths));
  }
  stream.closed = command.closed;
  if (deadlineOf(stream.rare) < Infinity) tables.deadlines.add(stream);
  return stream;
}

/** Shares the source's bytes before the cut, and the snapshot that it begins with; copies none. */
function inherit(
  tables: Tables,
  stream: Stream,
  command: CreateStream,
  cut: Cut,
): void {
  rareOf(cut.source).forks++;
  rareOf(stream).fork = {
    source: cut.source,
    anchor: cut.anchor,
    anchorAsked: command.fork?.offset !== undefined,
    subOffset: command.fork?.subOffset ?? 0,
    lifetimeInherited: command.ttlSeconds === undefined && command.expiresAtMs === undefined,
    inheritedBytes: cut.end,
  };
  rareOf(stream).earliest = earliestOf(cut.source);
  tables.setSnapshot(stream, cut.source.rare?.snapshot);
  if (cut.end === 0 || cut.source.log === undefined) return;
  stream.log = StreamLog.inheriting(cut.source.log, cut.end);
  stream.tail = cut.end;
}

/** P§4.2's table: what the request asks for, else what the source has. */
function setLifetime(
  stream: Stream,
  command: CreateStream,
  source: Stream | undefined,
  stampMs: number,
): void {
  const asked = command.ttlSeconds !== undefined || command.expiresAtMs !== undefined;
  const from = asked ? command : source?.rare;
  if (from?.ttlSeconds === undefined && from?.expiresAtMs === undefined) return;
  const rare = rareOf(stream);
  rare.ttlSeconds = from.ttlSeconds;
  rare.expiresAtMs = from.expiresAtMs;
  rare.touchedMs = stampMs;
}
