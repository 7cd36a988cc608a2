/**
 * Random commands for the property tests.
 *
 * @module
 */

import fc from "fast-check";
import { sliceOf } from "../slab.ts";
import type { Body, Command } from "../types.ts";

const number = fc.oneof(
  fc.nat(30),
  fc.nat(0xffff),
  fc.nat(2 ** 33),
  fc.constantFrom(23, 24, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1),
);

const text = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.string({ unit: "grapheme", maxLength: 100 }),
  fc.constantFrom(
    "x".repeat(23),
    "x".repeat(24),
    "x".repeat(255),
    "x".repeat(256),
    "é".repeat(127),
  ),
  fc.string({ minLength: 60, maxLength: 300 }),
);

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const body: fc.Arbitrary<Body> = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => ({ data: sliceOf(bytes) })),
  fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 }).map((lengths) => ({
    data: sliceOf(new Uint8Array(lengths.reduce((a, b) => a + b, 0))),
    lengths,
  })),
);

const range = { key: text, incarnation: text, from: number, to: number, at: number };
const object = fc.record({ number, term: number, length: number });

const coldCommand: fc.Arbitrary<Command> = fc.oneof<fc.Arbitrary<Command>[]>(
  fc.record({
    type: fc.constant("flush"),
    object,
    ranges: fc.array(fc.record(range), { maxLength: 5 }),
  }),
  fc.record({
    type: fc.constant("repack"),
    object,
    sources: fc.array(number, { maxLength: 5 }),
    ranges: fc.array(fc.record({ ...range, rowBytes: number }), { maxLength: 5 }),
  }),
  fc.record({ type: fc.constant("condemn"), below: number, numbers: fc.array(number) }),
  fc.record({ type: fc.constant("forget"), numbers: fc.array(number) }),
  fc.record({
    type: fc.constant("stage"),
    object,
    at: number,
    body: fc.uint8Array({ maxLength: 40 }).map((bytes) => ({ data: sliceOf(bytes) })),
  }),
  fc.record({
    type: fc.constant("publish"),
    key: text,
    incarnation: maybe(text),
    offset: number,
    contentType: text,
    object,
    digest: text,
    provenIn: maybe(text),
  }),
);

/** Any command, each kind as likely as any other. */
export function anyCommand(): fc.Arbitrary<Command> {
  return fc.oneof<fc.Arbitrary<Command>[]>(
    coldCommand,
    fc.record({
      type: fc.constant("create"),
      key: text,
      contentType: maybe(text),
      ttlSeconds: maybe(number),
      expiresAtMs: maybe(number),
      closed: fc.boolean(),
      body: maybe(body),
      fork: maybe(fc.record({
        source: text,
        offset: maybe(number),
        subOffset: number,
        proof: maybe(fc.record({ incarnation: text, anchor: number, end: number })),
      })),
      reservation: maybe(fc.record({ home: number, token: number, deadlineMs: number })),
    }),
    fc.record({
      type: fc.constant("append"),
      key: text,
      contentType: maybe(text),
      body: maybe(body),
      closed: fc.boolean(),
      producer: maybe(fc.record({ id: text, epoch: number, seq: number })),
      streamSeq: maybe(text),
      ifMatch: maybe(number),
      incarnation: maybe(text),
    }),
    fc.record({ type: fc.constant("delete"), key: text, incarnation: maybe(text) }),
    fc.record({ type: fc.constantFrom("touch", "expire"), keys: fc.array(text, { maxLength: 4 }) }),
    fc.record({
      type: fc.constant("intend_bucket"),
      bucket: text,
      action: fc.constantFrom("create", "delete"),
    }),
    fc.record({
      type: fc.constantFrom("set_bucket", "settle_bucket"),
      bucket: text,
      phase: fc.constantFrom("open", "closed"),
      version: number,
    }),
    fc.record({ type: fc.constant("reserve"), key: text, target: number, deadlineMs: number }),
    fc.record({
      type: fc.constantFrom("link", "unlink", "forget_unlink"),
      key: text,
      token: number,
    }),
  );
}
