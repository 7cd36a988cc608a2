import assert from "node:assert/strict";
import fc from "fast-check";
import type { Answer } from "../group/mod.ts";
import type { Survey, SurveyAnswers } from "../shard/mod.ts";
import { type Command, copySlices, sliceOf, type StreamFacts } from "../stream/mod.ts";
import { factsOf } from "../tests/given/cluster.ts";
import { appendOf, bodyOf, createOf } from "../tests/given/commands.ts";
import { joined } from "../tests/given/bytes.ts";
import {
  decodeAnswer,
  decodeSubmit,
  decodeSurvey,
  decodeSurveyAnswer,
  encodeAnswer,
  encodeSubmit,
  encodeSurvey,
  encodeSurveyAnswer,
  MalformedCall,
} from "./call_codec.ts";

const GROUPS = 1_024;
const NUMBER_MAX = Number.MAX_SAFE_INTEGER;
const LONG = "ü".repeat(500);

const OBJECT = { number: 7, term: 3, length: 300 };
const RANGE = { key: "demo/a", incarnation: "f.0.1", from: 0, to: 256, at: 0 };

const COMMANDS: Command[] = [
  appendOf("demo/a", "hello"),
  appendOf(`demo/${LONG}`, "x", {
    producer: { id: LONG, epoch: NUMBER_MAX, seq: 2 ** 33 },
    streamSeq: LONG,
    ifMatch: 2 ** 40,
    incarnation: "f.0.1",
    closed: true,
  }),
  { ...appendOf("demo/a", "1,22,"), body: { ...bodyOf("1,22,"), lengths: [2, 3] } },
  { type: "append", key: "demo/a", closed: true },
  createOf("demo/a", { body: bodyOf("first"), ttlSeconds: 5 }),
  createOf("demo/a", {
    contentType: undefined,
    expiresAtMs: -5,
    fork: { source: "demo/b", offset: 0, subOffset: 3 },
    reservation: { home: 3, token: 9, deadlineMs: 1e12 },
  }),
  { type: "delete", key: "demo/a", incarnation: "f.0.1" },
  { type: "touch", keys: ["demo/a", "demo/b"] },
  { type: "expire", keys: [] },
  { type: "intend_bucket", bucket: "demo", action: "delete" },
  { type: "set_bucket", bucket: "demo", phase: "open", version: 2 ** 35 },
  { type: "settle_bucket", bucket: "demo", phase: "closed", version: 8 },
  { type: "reserve", key: "demo/a", target: 3, deadlineMs: 1e12 },
  { type: "link", key: "demo/a", token: 3 },
  { type: "unlink", key: "demo/a", token: 3 },
  { type: "forget_unlink", key: "demo/a", token: 3 },
  {
    type: "create",
    key: "demo/a",
    closed: false,
    fork: {
      source: "demo/b",
      subOffset: 1,
      proof: { incarnation: "f.0.1", anchor: 3, end: 5 },
    },
  },
  { type: "flush", object: OBJECT, ranges: [RANGE] },
  { type: "repack", object: OBJECT, sources: [1, 2], ranges: [{ ...RANGE, rowBytes: 3 }] },
  { type: "condemn", below: 3, numbers: [5] },
  { type: "forget", numbers: [5] },
  { type: "stage", object: OBJECT, at: 4, body: { data: sliceOf(new Uint8Array([1, 2])) } },
  {
    type: "publish",
    key: "demo/a",
    offset: 5,
    contentType: "text/plain",
    object: OBJECT,
    digest: "d",
    provenIn: "f.0.1",
  },
];

const FACTS: StreamFacts[] = [
  factsOf(7),
  { ...factsOf(NUMBER_MAX), json: true, closed: true, ttlSeconds: 9, expiresAtMs: 1e12 },
  { ...factsOf(2 ** 32), contentType: `text/plain; a="${LONG}"`, earliest: 24 },
  { ...factsOf(3), contentType: `text/plain; a="${LONG}${LONG}${LONG}"` },
  { ...factsOf(3), expiresAtMs: -1 },
];

const ANSWERS: Answer[] = [
  ...FACTS.flatMap((facts): Answer[] => [
    { ok: "appended", facts },
    { ok: "repeated", facts, producer: { epoch: 0, seq: NUMBER_MAX } },
    { ok: "created", facts },
    { refused: "stream_closed", facts },
  ]),
  { ok: "deleted", incarnation: "f.0.1" },
  { ok: "done" },
  { ok: "bucket", phase: "closed", version: 26, existed: true, streams: 0 },
  { ok: "reserved", token: 4 },
  { ok: "moved", target: 3, token: 4, linked: true },
  { ok: "stored", applied: [0, 2], bytes: 9 },
  { ok: "published", facts: FACTS[0] as StreamFacts, repeated: false },
  { ok: "condemned" },
  { ok: "unproven" },
  { refused: "producer_gap", producerEpoch: 1, expectedSeq: 2, lastStreamSeq: LONG },
  { unavailable: "not_leader", leader: "2.store" },
  { unavailable: "overloaded" },
  { unavailable: "cold_unavailable" },
  { unavailable: "cold_damaged", object: "f/0/000000000001-1.object" },
];

const VIEW = {
  bucket: "demo",
  phase: "open",
  version: 2,
  streams: 3,
  listed: 2,
  intent: { action: "create", version: 4 },
} as const;

const SURVEYS: { [A in Survey["about"]]: [Extract<Survey, { about: A }>, SurveyAnswers[A]] } = {
  streams: [
    { about: "streams", bucket: "demo", page: { prefix: "", after: LONG, limit: 1_001 } },
    FACTS.map((facts, at) => ({ streamId: `${at}`, facts })),
  ],
  buckets: [
    { about: "buckets", page: { prefix: "d", after: "", limit: 2 } },
    [VIEW, { ...VIEW, intent: undefined }],
  ],
  bucket: [{ about: "bucket", bucket: "demo" }, { view: VIEW }],
  errands: [{ about: "errands" }, {
    intents: [VIEW],
    reservations: [{ key: "demo/a", target: 1, token: 2, deadlineMs: 3, linked: false }],
    unlinks: [{ key: "demo/a", home: 1, token: 2 }],
  }],
  link: [{ about: "link", key: "demo/a" }, { link: { home: 1, token: 2 } }],
  time: [{ about: "time" }, { nowMs: 1e12 }],
  object: [{ about: "object" }, { number: 7, term: 3 }],
};

Deno.test("decodeSubmit() reads what encodeSubmit() wrote, bodies as views", () => {
  for (const command of COMMANDS) {
    const bytes = joined(encodeSubmit(1_023, command));
    const decoded = decodeSubmit(bytes, GROUPS);
    assert.equal(decoded.group, 1_023);
    assert.deepEqual(plain(decoded.command), plain(command));
    if ("body" in decoded.command && decoded.command.body !== undefined) {
      assert.equal(decoded.command.body.data.slab.bytes, bytes);
    }
  }
});

Deno.test("decodeAnswer() reads what encodeAnswer() wrote", () => {
  for (const answer of ANSWERS) assert.deepEqual(decodeAnswer(encodeAnswer(answer)), answer);
});

Deno.test("encodeAnswer() takes few bytes for an append", () => {
  const length = encodeAnswer({ ok: "appended", facts: FACTS[0] as StreamFacts }).length;
  assert.ok(length < 50, `${length}`);
});

Deno.test("decodeSurvey() and decodeSurveyAnswer() read what was written", () => {
  for (const [about, [survey, answer]] of Object.entries(SURVEYS)) {
    assert.deepEqual(decodeSurvey(joined(encodeSurvey(0, survey)), GROUPS), { group: 0, survey });
    const kind = about as Survey["about"];
    assert.deepEqual(decodeSurveyAnswer(kind, encodeSurveyAnswer(answer)), answer);
    const refusal = { unavailable: "not_leader", leader: "2.x" } as const;
    assert.deepEqual(decodeSurveyAnswer(kind, encodeSurveyAnswer(refusal)), refusal);
  }
  for (const nothing of [{ view: undefined }, { link: undefined }] as const) {
    const about = "view" in nothing ? "bucket" : "link";
    assert.deepEqual(decodeSurveyAnswer(about, encodeSurveyAnswer(nothing)), nothing);
  }
});

Deno.test("decodeSubmit() throws when there is no such group", () => {
  const bytes = joined(encodeSubmit(GROUPS, appendOf("demo/a", "x")));
  assert.throws(() => decodeSubmit(bytes, GROUPS), MalformedCall);
});

Deno.test("decoding throws when a field is of another kind than it must be", () => {
  const commands = [
    { type: "delete", key: "no slash" },
    { type: "delete", key: `demo/${"x".repeat(2_000)}` },
    { type: "touch", keys: Array(61).fill("demo/a") },
    { type: "link", key: "demo/a", token: -1 },
    { type: "link", key: "demo/a", token: 0.5 },
    { type: "set_bucket", bucket: "demo", phase: "ajar", version: 2 },
    { type: "intend_bucket", bucket: "a/b", action: "create" },
    { type: "create", key: "demo/a", closed: false, ttlSeconds: "5" },
    { type: "append", key: "demo", closed: false },
  ];
  for (const command of commands) {
    const bytes = joined(encodeSubmit(0, command as unknown as Command));
    assert.throws(() => decodeSubmit(bytes, GROUPS), MalformedCall, JSON.stringify(command));
  }
  const answers = [{}, { ok: "fine" }, { ok: "appended" }, { refused: 1 }, { unavailable: "x" }];
  for (const answer of answers) {
    const bytes = encodeSurveyAnswer(answer as never);
    assert.throws(() => decodeAnswer(bytes), MalformedCall, JSON.stringify(answer));
  }
});

Deno.test("decoding allocates nothing for what is announced and does not come", () => {
  const hostile = [
    [0x9a, 0x05, 0xff, 0xff, 0xff],
    [0xba, 0x05, 0xff, 0xff, 0xff],
    [0x81, 0x9a, 0x01, 0xff, 0xff, 0xff],
    [0x9f, 0xff],
    [0xbf, 0xff],
    [0x7b, 0, 0, 0, 1, 0, 0, 0, 0],
    [0xc1, 0x01],
    [0xd8, 0x40, 0x41, 0x00],
    Array(64).fill(0x81),
  ];
  for (const tail of hostile) {
    const bytes = new Uint8Array(tail);
    assert.throws(() => decodeAnswer(bytes), MalformedCall);
    assert.throws(() => decodeSurveyAnswer("streams", bytes), MalformedCall);
    assert.throws(() => decodeSurvey(new Uint8Array([0, 0, 0, 0, ...tail]), GROUPS), MalformedCall);
    const submit = new Uint8Array([0, 0, 0, 0, 0, tail.length, ...tail]);
    assert.throws(() => decodeSubmit(submit, GROUPS), MalformedCall);
  }
});

type Decoder = (bytes: Uint8Array) => unknown;
const DECODERS: [Decoder, Uint8Array[]][] = [
  [
    (bytes) => decodeSubmit(bytes, GROUPS),
    COMMANDS.map((command) => joined(encodeSubmit(5, command))),
  ],
  [decodeAnswer, ANSWERS.map((answer) => encodeAnswer(answer).slice())],
  [
    (bytes) => decodeSurvey(bytes, GROUPS),
    Object.values(SURVEYS).map(([survey]) => joined(encodeSurvey(5, survey))),
  ],
  ...Object.entries(SURVEYS).map(([about, [, answer]]): [Decoder, Uint8Array[]] => [
    (bytes) => decodeSurveyAnswer(about as Survey["about"], bytes),
    [encodeSurveyAnswer(answer).slice()],
  ]),
];

/** Decodes; what comes out, if anything, must be fit to be encoded again. */
function survives(decode: Decoder, bytes: Uint8Array): void {
  let value: unknown;
  try {
    value = decode(bytes);
  } catch (reason) {
    assert.ok(reason instanceof MalformedCall, String(reason));
    return;
  }
  if (decode === DECODERS[0]?.[0]) {
    const { group, command } = value as { group: number; command: Command };
    const again = decodeSubmit(joined(encodeSubmit(group, command)), GROUPS);
    assert.deepEqual(plain(again.command), plain(command));
  } else if (decode === decodeAnswer) {
    // Fields that nobody knows are let through, and may go when the answer is passed on.
    const again = decodeAnswer(encodeAnswer(value as Answer));
    assert.deepEqual(decodeAnswer(encodeAnswer(again)), again);
  }
}

Deno.test("decoding survives any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      for (const [decode] of DECODERS) survives(decode, bytes);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("decoding survives messages that were changed, cut or lengthened", () => {
  const change = fc.record({
    at: fc.nat(2_000),
    byte: fc.nat(255),
    cut: fc.option(fc.nat(2_000), { freq: 4 }),
    more: fc.uint8Array({ maxLength: 4 }),
  });
  fc.assert(
    fc.property(
      fc.array(change, { minLength: 1, maxLength: 3 }),
      fc.nat(1_000),
      (changes, pick) => {
        for (const [decode, samples] of DECODERS) {
          let bytes = (samples[pick % samples.length] as Uint8Array).slice();
          for (const { at, byte, cut, more } of changes) {
            bytes[at % bytes.length] = byte;
            if (cut !== null) bytes = new Uint8Array([...bytes.subarray(0, 1 + cut), ...more]);
          }
          survives(decode, bytes);
        }
      },
    ),
    { numRuns: 400 },
  );
});

/** A command with its body as plain values, and nothing that is undefined. */
function plain(command: Command): unknown {
  const { body, ...rest } = command as Command & { body?: ReturnType<typeof bodyOf> };
  const lengths = body?.lengths === undefined ? undefined : [...body.lengths];
  const bytes = body === undefined ? undefined : [...copySlices([body.data])];
  return JSON.parse(JSON.stringify({ ...rest, bytes, lengths }));
}
