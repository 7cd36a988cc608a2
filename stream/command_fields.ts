/**
 * The order of fields in the headers of commands. Part of the format: append only.
 *
 * @module
 */

import { type ColdCommand, coldCommandFrom, coldFieldsOf } from "./cold_fields.ts";
import type { ForkProof } from "./cold_types.ts";
import type { Body, BucketPhase, Command, CreateStream } from "./types.ts";

/** Numbers of the kinds of commands; part of the format, never reused. */
export const KIND_NUMBERS: Readonly<Record<Command["type"], number>> = {
  create: 1,
  append: 2,
  delete: 3,
  touch: 4,
  expire: 5,
  intend_bucket: 6,
  set_bucket: 7,
  settle_bucket: 8,
  reserve: 9,
  link: 10,
  unlink: 11,
  forget_unlink: 12,
  flush: 13,
  repack: 14,
  condemn: 15,
  forget: 16,
  stage: 17,
  publish: 18,
};

/** Fields behind version, kind and stamp. Trust in their types rests on the journal's checksums. */
export type Fields = unknown[];

const CLOSED = 1;

/** The fields of a command; `extra` is how many bytes its message lengths take. */
export function fieldsOf(command: Command, extra: number): Fields {
  switch (command.type) {
    case "create":
      return createFields(command, extra);
    case "append": {
      const { producer } = command;
      return [
        command.key,
        command.contentType ?? null,
        command.closed ? CLOSED : 0,
        extra,
        producer?.id ?? null,
        producer?.epoch ?? 0,
        producer?.seq ?? 0,
        command.streamSeq ?? null,
        command.ifMatch ?? null,
        command.incarnation ?? null,
      ];
    }
    case "delete":
      return [command.key, command.incarnation ?? null];
    case "touch":
    case "expire":
      return [command.keys];
    case "intend_bucket":
      return [command.bucket, command.action];
    case "set_bucket":
    case "settle_bucket":
      return [command.bucket, command.phase, command.version];
    case "reserve":
      return [command.key, command.target, command.deadlineMs];
    case "link":
    case "unlink":
    case "forget_unlink":
      return [command.key, command.token];
    case "flush":
    case "repack":
    case "condemn":
    case "forget":
      return coldFieldsOf(command);
    case "stage": {
      const { number, term, length } = command.object;
      return [number, term, length, command.at];
    }
    case "publish": {
      const { number, term, length } = command.object;
      return [
        command.key,
        command.offset,
        command.contentType,
        number,
        term,
        length,
        command.digest,
        command.incarnation ?? null,
        command.provenIn ?? null,
      ];
    }
  }
}

function createFields(command: CreateStream, extra: number): Fields {
  const { fork, reservation } = command;
  return [
    command.key,
    command.contentType ?? null,
    command.closed ? CLOSED : 0,
    extra,
    command.ttlSeconds ?? null,
    command.expiresAtMs ?? null,
    fork === undefined ? null : forkFields(fork),
    reservation === undefined
      ? null
      : [reservation.home, reservation.token, reservation.deadlineMs],
  ];
}

function forkFields(
  { source, offset, subOffset, proof }: NonNullable<CreateStream["fork"]>,
): Fields {
  const fields = [source, offset ?? null, subOffset];
  if (proof === undefined) return fields;
  return [...fields, [proof.incarnation, proof.anchor, proof.end]];
}

/** The command of a kind with these fields, appends left out; undefined where it is unknown. */
export function fromFields(
  kind: number,
  fields: Fields,
  body: (extra: number) => Body | undefined,
  rows: () => unknown[],
): Command | undefined {
  const text = (i: number) => fields[i] as string;
  const number = (i: number) => fields[i] as number;
  switch (kind) {
    case KIND_NUMBERS.create:
      return createFrom(fields, body);
    case KIND_NUMBERS.delete:
      return { type: "delete", key: text(0), incarnation: optional(fields[1]) };
    case KIND_NUMBERS.touch:
      return { type: "touch", keys: fields[0] as string[] };
    case KIND_NUMBERS.expire:
      return { type: "expire", keys: fields[0] as string[] };
    case KIND_NUMBERS.intend_bucket:
      return { type: "intend_bucket", bucket: text(0), action: text(1) as "create" | "delete" };
    case KIND_NUMBERS.set_bucket:
    case KIND_NUMBERS.settle_bucket: {
      const phase = text(1) as BucketPhase;
      const type = kind === KIND_NUMBERS.set_bucket ? "set_bucket" : "settle_bucket";
      return { type, bucket: text(0), phase, version: number(2) };
    }
    case KIND_NUMBERS.reserve:
      return { type: "reserve", key: text(0), target: number(1), deadlineMs: number(2) };
    case KIND_NUMBERS.link:
      return { type: "link", key: text(0), token: number(1) };
    case KIND_NUMBERS.unlink:
      return { type: "unlink", key: text(0), token: number(1) };
    case KIND_NUMBERS.forget_unlink:
      return { type: "forget_unlink", key: text(0), token: number(1) };
    case KIND_NUMBERS.stage: {
      const object = { number: number(0), term: number(1), length: number(2) };
      return { type: "stage", object, at: number(3), body: body(0) };
    }
    case KIND_NUMBERS.publish:
      return {
        type: "publish",
        key: text(0),
        offset: number(1),
        contentType: text(2),
        object: { number: number(3), term: number(4), length: number(5) },
        digest: text(6),
        incarnation: optional(fields[7]),
        provenIn: optional(fields[8]),
      };
  }
  const cold = COLD_KINDS.get(kind);
  return cold === undefined ? undefined : coldCommandFrom(cold, fields, rows());
}

const COLD_KINDS: ReadonlyMap<number, ColdCommand["type"]> = new Map(
  (["flush", "repack", "condemn", "forget"] as const).map((type) => [KIND_NUMBERS[type], type]),
);

function createFrom(fields: Fields, body: (extra: number) => Body | undefined): CreateStream {
  const [key, contentType, flags, extra, ttlSeconds, expiresAtMs, fork, reservation] = fields;
  return {
    type: "create",
    key: key as string,
    contentType: optional(contentType),
    ttlSeconds: optional(ttlSeconds),
    expiresAtMs: optional(expiresAtMs),
    closed: ((flags as number) & CLOSED) !== 0,
    body: body(extra as number),
    fork: forkFrom(optional(fork)),
    reservation: reservationFrom(optional(reservation)),
  };
}

function forkFrom(
  fields: [string, number | null, number, [string, number, number]?] | undefined,
): CreateStream["fork"] {
  if (fields === undefined) return undefined;
  const [source, offset, subOffset, proof] = fields;
  return { source, offset: optional(offset), subOffset, proof: proofFrom(proof) };
}

function proofFrom(fields: [string, number, number] | undefined): ForkProof | undefined {
  if (fields === undefined) return undefined;
  const [incarnation, anchor, end] = fields;
  return { incarnation, anchor, end };
}

function reservationFrom(
  fields: [number, number, number] | undefined,
): CreateStream["reservation"] {
  if (fields === undefined) return undefined;
  const [home, token, deadlineMs] = fields;
  return { home, token, deadlineMs };
}

/** Undefined for `null` and for what was left out. */
function optional<T>(field: unknown): T | undefined {
  return field === null || field === undefined ? undefined : field as T;
}
