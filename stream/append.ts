/**
 * Applying an append or a close (P§5.2, P§5.3), in SPEC section 3's order of decisions.
 *
 * @module
 */

import { sameMediaType } from "./content_type.ts";
import { messageEnds } from "./log.ts";
import { acceptProducer, judgeProducer } from "./producers.ts";
import { factsOf, rareOf, type Stream } from "./stream.ts";
import { refuse, type Tables } from "./tables.ts";
import { compareUtf8, ownText } from "./text.ts";
import type { AppendStream, Body, Outcome, ProducerStamp } from "./types.ts";

/** Decides an append, and changes the stream only where nothing speaks against it. */
export function applyAppend(tables: Tables, command: AppendStream, stampMs: number): Outcome {
  const stream = tables.streams.get(command.key);
  if (stream === undefined) return tables.absent(command.key);
  if (stream.softDeleted) return { refused: "stream_gone" };
  if (command.incarnation !== undefined && command.incarnation !== stream.incarnation) {
    return refuse("incarnation_mismatch", stream);
  }
  const body = bodyOf(command.body);
  if (stream.closed) return onClosed(stream, command, body);
  const producer = command.producer;
  if (producer !== undefined) {
    const answer = producerAnswer(stream, producer, stampMs);
    if (answer !== undefined) return answer;
  }
  if (body !== undefined && !sameMediaType(stream.type, command.contentType ?? "")) {
    return refuse("content_type_mismatch", stream);
  }
  if (command.ifMatch !== undefined && command.ifMatch !== stream.tail) {
    return refuse("offset_mismatch", stream);
  }
  const last = stream.rare?.lastStreamSeq;
  if (
    command.streamSeq !== undefined && last !== undefined &&
    compareUtf8(command.streamSeq, last) <= 0
  ) {
    return { refused: "stream_seq_conflict", facts: factsOf(stream), lastStreamSeq: last };
  }
  commit(tables, stream, command, body, stampMs);
  if (producer === undefined) return { ok: "appended", facts: factsOf(stream) };
  return {
    ok: "appended",
    facts: factsOf(stream),
    producer: { epoch: producer.epoch, seq: producer.seq },
  };
}

/** An empty body is none. */
function bodyOf(body: Body | undefined): Body | undefined {
  return body === undefined || body.data.end === body.data.start ? undefined : body;
}

/**
 * A closed stream takes nothing more; the request that closed it may come again, and whoever only
 * wants it closed is content (P§5.2.1, P§5.3).
 */
function onClosed(stream: Stream, command: AppendStream, body: Body | undefined): Outcome {
  const { producer } = command;
  if (producer === undefined) {
    const closeOnly = command.closed && body === undefined;
    if (!closeOnly) return refuse("stream_closed", stream);
    return { ok: "repeated", facts: factsOf(stream) };
  }
  const by = stream.rare?.closedBy;
  const same = by !== undefined && by.id === producer.id && by.epoch === producer.epoch &&
    by.seq === producer.seq;
  if (!same) return refuse("stream_closed", stream);
  return {
    ok: "repeated",
    facts: factsOf(stream),
    producer: { epoch: by.epoch, seq: by.seq },
  };
}

/** The answer that the producer headers lead to; undefined where the request is to be accepted. */
function producerAnswer(
  stream: Stream,
  producer: ProducerStamp,
  stampMs: number,
): Outcome | undefined {
  const producers = stream.rare?.producers;
  const verdict = judgeProducer(producers, producer, stampMs);
  if (verdict === "accept") return undefined;
  const facts = factsOf(stream);
  const state = producers?.get(producer.id);
  if (verdict === "duplicate") {
    const highest = { epoch: producer.epoch, seq: state?.seq ?? producer.seq };
    return { ok: "repeated", facts, producer: highest };
  }
  const expectedSeq = verdict === "producer_gap" ? (state?.seq ?? -1) + 1 : undefined;
  return { refused: verdict, facts, producerEpoch: state?.epoch, expectedSeq };
}

function commit(
  tables: Tables,
  stream: Stream,
  command: AppendStream,
  body: Body | undefined,
  stampMs: number,
): void {
  tables.beforeChange(stream);
  const change = tables.changes.of(stream);
  if (command.producer !== undefined) {
    const rare = rareOf(stream);
    acceptProducer(rare.producers ??= new Map(), command.producer, stampMs);
    if (command.closed) rare.closedBy = { ...command.producer };
  }
  if (command.streamSeq !== undefined) rareOf(stream).lastStreamSeq = ownText(command.streamSeq);
  if (body !== undefined) {
    tables.addBytes(stream, body, messageEnds(body.lengths));
    change.tail = stream.tail;
  }
  if (command.closed) {
    stream.closed = true;
    change.closed = true;
  }
  stream.lastWriteAtMs = stampMs;
  if (stream.rare?.ttlSeconds !== undefined) stream.rare.touchedMs = stampMs;
}
