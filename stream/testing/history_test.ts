/**
 * Random histories of one small group: few keys, so that commands meet.
 *
 * @module
 */

import fc from "fast-check";
import { sliceOf } from "../slab.ts";
import type { Body, Command } from "../types.ts";

/** One step: let time pass, then apply. */
export interface Step {
  readonly waitMs: number;
  readonly command: Command;
}

const TEXT_KEYS = ["demo/a", "demo/b", "work/c"];
const JSON_KEYS = ["demo/j", "work/k"];

/** Present once in `oneIn` times. */
const maybe = <T>(arbitrary: fc.Arbitrary<T>, oneIn: number) =>
  fc.oneof({ weight: oneIn - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

/** Absent once in `oneIn` times. */
const mostly = <T>(arbitrary: fc.Arbitrary<T>, oneIn: number) =>
  fc.oneof({ weight: 1, arbitrary: fc.constant(undefined) }, { weight: oneIn - 1, arbitrary });

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 })
  .map((text) => new TextEncoder().encode(text));

/** A plain append, or the items of a batch. */
const textBody: fc.Arbitrary<Body> = fc.oneof(
  { weight: 3, arbitrary: text.map((bytes) => ({ data: sliceOf(bytes) })) },
  {
    weight: 1,
    arbitrary: fc.array(text, { minLength: 2, maxLength: 4 }).map((items) => ({
      data: sliceOf(Uint8Array.from(items.flatMap((item) => [...item]))),
      lengths: items.map((item) => item.length),
    })),
  },
);

const jsonBody: fc.Arbitrary<Body> = fc.array(fc.nat(9999), { minLength: 1, maxLength: 5 })
  .map((values) => {
    const messages = values.map((value) => `${value},`);
    const data = sliceOf(new TextEncoder().encode(messages.join("")));
    return { data, lengths: messages.map((message) => message.length) };
  });

/** Keys and bodies of one kind go together most of the time. */
const kinds = [
  { keys: TEXT_KEYS, body: textBody, contentType: "text/plain" },
  { keys: JSON_KEYS, body: jsonBody, contentType: "application/json" },
];

const writes = kinds.flatMap(({ keys, body, contentType }) => {
  const key = fc.constantFrom(...keys);
  const create = fc.record({
    type: fc.constant("create" as const),
    key,
    contentType: fc.constant(contentType),
    ttlSeconds: maybe(fc.nat(2), 3),
    expiresAtMs: fc.constant(undefined),
    closed: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, fc.boolean()),
    body: mostly(body, 3),
    fork: fc.constant(undefined),
    reservation: fc.constant(undefined),
  });
  const fork = fc.record({
    type: fc.constant("create" as const),
    key,
    contentType: mostly(fc.constant(contentType), 3),
    ttlSeconds: maybe(fc.nat(2), 3),
    expiresAtMs: maybe(fc.nat(9000), 4),
    closed: fc.constant(false),
    body: maybe(body, 3),
    fork: fc.record({
      source: key,
      offset: maybe(fc.nat(9), 2),
      subOffset: fc.oneof(fc.constant(0), fc.constant(0), fc.nat(3)),
    }),
    reservation: maybe(
      fc.record({ home: fc.nat(3), token: fc.nat(3), deadlineMs: fc.nat(40_000) }),
      4,
    ),
  });
  const append = fc.record({
    type: fc.constant("append" as const),
    key,
    contentType: fc.constant(contentType),
    body: mostly(body, 8),
    closed: fc.oneof({ weight: 8, arbitrary: fc.constant(false) }, fc.boolean()),
    producer: maybe(
      fc.record({ id: fc.constantFrom("p", "q"), epoch: fc.nat(1), seq: fc.nat(2) }),
      3,
    ),
    streamSeq: maybe(fc.constantFrom("a", "b", "c", "d"), 5),
    ifMatch: maybe(fc.nat(12), 10),
    incarnation: fc.constant(undefined),
  });
  return [
    { weight: 3, arbitrary: create as fc.Arbitrary<Command> },
    { weight: 3, arbitrary: fork as fc.Arbitrary<Command> },
    { weight: 12, arbitrary: append as fc.Arbitrary<Command> },
  ];
});

const anyKey = fc.constantFrom(...TEXT_KEYS, ...JSON_KEYS);
const bucket = fc.constantFrom("demo", "work", "else");
const phase = fc.constantFrom("open" as const, "open" as const, "closed" as const);
const token = fc.nat(20);

const command: fc.Arbitrary<Command> = fc.oneof(
  ...writes,
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("delete" as const),
      key: anyKey,
      incarnation: fc.constant(undefined),
    }) as fc.Arbitrary<Command>,
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom("touch" as const, "expire" as const),
      keys: fc.uniqueArray(anyKey, { maxLength: 7 }),
    }) as fc.Arbitrary<Command>,
  },
  fc.record({
    type: fc.constant("intend_bucket" as const),
    bucket,
    action: fc.constantFrom("create" as const, "delete" as const),
  }),
  fc.record({ type: fc.constant("set_bucket" as const), bucket, phase, version: fc.nat(120) }),
  fc.record({ type: fc.constant("settle_bucket" as const), bucket, phase, version: fc.nat(120) }),
  fc.record({
    type: fc.constant("reserve" as const),
    key: anyKey,
    target: fc.nat(5),
    deadlineMs: fc.nat(9000),
  }),
  fc.record({
    type: fc.constantFrom("link" as const, "unlink" as const, "forget_unlink" as const),
    key: anyKey,
    token,
  }),
);

/** A history that begins with two open buckets and a stream of each kind. */
export function history(): fc.Arbitrary<Step[]> {
  const open: Step[] = ["demo", "work"].map((id) => ({
    waitMs: 0,
    command: { type: "set_bucket", bucket: id, phase: "open", version: 1 },
  }));
  for (const [i, key] of [TEXT_KEYS[0], JSON_KEYS[0]].entries()) {
    const contentType = kinds[i]?.contentType;
    open.push({
      waitMs: 0,
      command: { type: "create", key: key ?? "", contentType, closed: false },
    });
  }
  const step = fc.record({
    waitMs: fc.oneof(fc.constant(0), fc.constant(0), fc.nat(900)),
    command,
  });
  return fc.array(step, { minLength: 1, maxLength: 60, size: "max" })
    .map((steps) => [...open, ...steps]);
}
