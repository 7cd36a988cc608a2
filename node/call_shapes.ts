import type { Answer } from "../group/mod.ts";
import { STREAM_KEY_BYTES_MAX } from "../protocol/mod.ts";
import type { Survey } from "../shard/mod.ts";
import { type AppendStream, type Command, KEYS_PER_COMMAND_MAX } from "../stream/mod.ts";

/**
 * What a message between nodes must look like once it is decoded. Peers are believed, but a bug or
 * a damaged message shall end at the door and not inside a state machine.
 */
type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === "string";
const flag: Check = (value) => typeof value === "boolean";
const integer: Check = (value) => Number.isSafeInteger(value);
/** Offsets, versions, stamps: whole and not below 0. */
const whole: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const key: Check = (value) =>
  typeof value === "string" && value.length <= STREAM_KEY_BYTES_MAX && value.includes("/");
const bucket: Check = (value) => typeof value === "string" && value !== "" && !value.includes("/");
const phase = among("open", "closed");
const action = among("create", "delete");

function among(...values: readonly string[]): Check {
  return (value) => values.includes(value as string);
}

function optional(check: Check): Check {
  return (value) => value === undefined || check(value);
}

function list(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check);
}

/** An object with these fields; others are a later version's business. */
function record(fields: Readonly<Record<string, Check>>): Check {
  const entries = Object.entries(fields);
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
    const object = value as Record<string, unknown>;
    return entries.every(([name, check]) => check(object[name]));
  };
}

/** One of several records, told apart by the text in `field`. */
function variant(field: string, variants: Readonly<Record<string, Check>>): Check {
  const all = new Map(Object.entries(variants));
  return (value) => {
    if (typeof value !== "object" || value === null) return false;
    return all.get((value as Record<string, unknown>)[field] as string)?.(value) === true;
  };
}

const keys: Check = (value) => list(key)(value) && (value as []).length <= KEYS_PER_COMMAND_MAX;
const bucketPhase = record({ bucket, phase, version: whole });
const token = record({ key, token: whole });
const object = record({ number: whole, term: whole, length: whole });
const range = { key, incarnation: text, from: whole, to: whole, at: whole };

const command = variant("type", {
  create: record({
    key,
    contentType: optional(text),
    ttlSeconds: optional(whole),
    expiresAtMs: optional(integer),
    closed: flag,
    fork: optional(record({
      source: key,
      offset: optional(whole),
      subOffset: whole,
      proof: optional(record({ incarnation: text, anchor: whole, end: whole })),
    })),
    reservation: optional(record({ home: whole, token: whole, deadlineMs: integer })),
  }),
  append: record({
    key,
    contentType: optional(text),
    closed: flag,
    producer: optional(record({ id: text, epoch: whole, seq: whole })),
    streamSeq: optional(text),
    ifMatch: optional(whole),
    incarnation: optional(text),
  }),
  delete: record({ key, incarnation: optional(text) }),
  touch: record({ keys }),
  expire: record({ keys }),
  intend_bucket: record({ bucket, action }),
  set_bucket: bucketPhase,
  settle_bucket: bucketPhase,
  reserve: record({ key, target: whole, deadlineMs: integer }),
  link: token,
  unlink: token,
  forget_unlink: token,
  flush: record({ object, ranges: list(record(range)) }),
  repack: record({
    object,
    sources: list(whole),
    ranges: list(record({ ...range, rowBytes: whole })),
  }),
  condemn: record({ below: whole, numbers: list(whole) }),
  forget: record({ numbers: list(whole) }),
  stage: record({ object, at: whole }),
  publish: record({
    key,
    incarnation: optional(text),
    offset: whole,
    contentType: text,
    object,
    digest: text,
    provenIn: optional(text),
  }),
});

const facts = record({
  incarnation: text,
  contentType: text,
  json: flag,
  tail: whole,
  earliest: whole,
  closed: flag,
  ttlSeconds: optional(whole),
  expiresAtMs: optional(integer),
  createdAtMs: whole,
  lastWriteAtMs: whole,
});

const withFacts = record({ facts });
const producer = optional(record({ epoch: whole, seq: whole }));
const appended = record({ facts, producer });

const outcome = variant("ok", {
  created: withFacts,
  existed: withFacts,
  appended,
  repeated: appended,
  deleted: record({ incarnation: text }),
  done: record({}),
  bucket: record({ phase, version: whole, existed: flag, streams: whole }),
  reserved: record({ token: whole }),
  moved: record({ target: whole, token: whole, linked: flag }),
  stored: record({ applied: list(whole), bytes: whole }),
  published: record({ facts, repeated: flag }),
  condemned: record({}),
  unproven: record({}),
});

const refusal = record({
  refused: text,
  facts: optional(facts),
  producerEpoch: optional(whole),
  expectedSeq: optional(whole),
  lastStreamSeq: optional(text),
});

const unavailable = record({
  unavailable: among(
    "not_leader",
    "no_leader",
    "overloaded",
    "stopping",
    "cold_unavailable",
    "cold_damaged",
    "outcome_unknown",
  ),
  leader: optional(text),
  object: optional(text),
});

const page = record({ prefix: text, after: text, limit: whole });

const survey = variant("about", {
  streams: record({ bucket, page }),
  buckets: record({ page }),
  bucket: record({ bucket }),
  errands: record({}),
  link: record({ key }),
  time: record({}),
  object: record({}),
});

const view = record({
  bucket,
  phase,
  version: whole,
  streams: whole,
  listed: whole,
  intent: optional(record({ action, version: whole })),
});

const surveyAnswers: Readonly<Record<Survey["about"], Check>> = {
  streams: list(record({ streamId: text, facts })),
  buckets: list(view),
  bucket: record({ view: optional(view) }),
  errands: record({
    intents: list(view),
    reservations: list(
      record({ key, target: whole, token: whole, deadlineMs: integer, linked: flag }),
    ),
    unlinks: list(record({ key, home: whole, token: whole })),
  }),
  link: record({ link: optional(record({ home: whole, token: whole })) }),
  time: record({ nowMs: whole }),
  object: record({ number: whole, term: whole }),
};

/** Is this an append that the log's codec may have written? Its texts and numbers are such already. */
export function isAppend({ key: id, producer: by, ifMatch }: AppendStream): boolean {
  return key(id) && (ifMatch === undefined || whole(ifMatch)) &&
    (by === undefined || whole(by.epoch) && whole(by.seq));
}

/** Is this a command, its body left aside? */
export function isCommand(value: unknown): value is Command {
  return command(value);
}

/** Is this what comes back for a command? */
export function isAnswer(value: unknown): value is Answer {
  return outcome(value) || refusal(value) || unavailable(value);
}

/** Is this a question about a group? */
export function isSurvey(value: unknown): value is Survey {
  return survey(value);
}

/** Is this an answer to a question of that kind? */
export function isSurveyAnswer(about: Survey["about"], value: unknown): boolean {
  return surveyAnswers[about](value) || unavailable(value);
}
