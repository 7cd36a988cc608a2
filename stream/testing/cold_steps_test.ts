/**
 * Random things that a flusher and a sweeper do, at any point of a history.
 *
 * @module
 */

import fc from "fast-check";
import type { FlushedRange } from "../cold_types.ts";
import { publishOf, repackOf } from "./cold_words_test.ts";
import type { Script } from "./script_test.ts";

/** One of them. */
export type ColdStep =
  | { readonly does: "flush"; readonly maxBytes: number; readonly rangeBytes: number }
  | { readonly does: "flush stale"; readonly maxBytes: number; readonly number: number }
  | { readonly does: "repack"; readonly liveBytes: number; readonly joins: number }
  | { readonly does: "condemn"; readonly behind: number; readonly names: number }
  | { readonly does: "forget" }
  | { readonly does: "publish"; readonly key: string; readonly offset: number }
  | { readonly does: "unpin" }
  | { readonly does: "pins"; readonly on: boolean }
  | { readonly does: "nothing" };

/** Any of them, the ordinary ones more often. */
export function coldStep(): fc.Arbitrary<ColdStep> {
  const maxBytes = fc.constantFrom(1, 5, 20, 1000);
  const rangeBytes = fc.constantFrom(1, 3, 8, 1000);
  return fc.oneof<fc.MaybeWeightedArbitrary<ColdStep>[]>(
    { weight: 4, arbitrary: fc.constant({ does: "nothing" }) },
    { weight: 6, arbitrary: fc.record({ does: fc.constant("flush"), maxBytes, rangeBytes }) },
    fc.record({ does: fc.constant("flush stale"), maxBytes, number: fc.nat(12) }),
    {
      weight: 3,
      arbitrary: fc.record({
        does: fc.constant("repack"),
        liveBytes: fc.nat(40),
        joins: fc.integer({ min: 1, max: 4 }),
      }),
    },
    fc.record({ does: fc.constant("condemn"), behind: fc.nat(6), names: fc.nat(3) }),
    { weight: 2, arbitrary: fc.constant({ does: "forget" }) },
    {
      weight: 2,
      arbitrary: fc.record({
        does: fc.constant("publish"),
        key: fc.constantFrom("demo/a", "demo/b", "work/c", "demo/j", "work/k"),
        offset: fc.nat(30),
      }),
    },
    fc.constant({ does: "unpin" }),
    fc.record({ does: fc.constant("pins"), on: fc.boolean() }),
  );
}

/** Does it, between the indices of the history. */
export function takeColdStep(script: Script, step: ColdStep): void {
  const { cold } = script.state;
  switch (step.does) {
    case "flush":
      script.flush(step.maxBytes, step.rangeBytes);
      return;
    case "flush stale": {
      const { ranges, length } = cold.planFlush({ maxBytes: step.maxBytes, rangeBytes: 4 });
      const object = { number: step.number, term: 1, length };
      // As if everything had moved on meanwhile: its first range is gone.
      const stale = ranges.map((range, i) => i === 0 ? { ...range, incarnation: "f.3.0" } : range);
      script.commit({ type: "flush", object, ranges: stale }, script.between());
      return;
    }
    case "repack":
      return repack(script, step.liveBytes, step.joins);
    case "condemn": {
      const numbers = cold.unreferenced(script.stampMs).slice(0, step.names)
        .map(({ number }) => number);
      const below = Math.max(0, cold.nextNumber - step.behind);
      script.commit({ type: "condemn", below, numbers }, script.between());
      return;
    }
    case "forget": {
      const numbers = cold.unreferenced(script.stampMs).map(({ number }) => number);
      script.commit({ type: "forget", numbers }, script.between());
      return;
    }
    case "publish": {
      const object = { number: cold.nextNumber, term: 1, length: 9 };
      const { key, offset } = step;
      const outcome = script.commit(
        publishOf(script, {
          type: "publish",
          key,
          offset,
          contentType: "text/plain",
          object,
          digest: "d",
        }),
        script.between(),
      );
      if ("ok" in outcome && outcome.ok === "published" && !outcome.repeated) {
        script.store.payloads.set(object.number, new Uint8Array(9));
      }
      return;
    }
    case "unpin":
      for (const number of cold.pinnedObjects().slice(0, 2)) cold.unpin(number);
      return;
    case "pins":
      script.pins = step.on;
      return;
    case "nothing":
      return;
  }
}

/** Merges small objects, joining up to so many ranges of a stream that follow one another. */
function repack(script: Script, liveBytes: number, joins: number): void {
  const { cold } = script.state;
  const sources = cold.sparse(liveBytes, 0.5, 5).map(({ number }) => number);
  const ranges: FlushedRange[] = [];
  let length = 0, joined = 0;
  for (const { key, incarnation, piece } of [...cold.ranges(new Set(sources))].flat()) {
    const last = ranges.at(-1);
    const follows = last?.key === key && last.to === piece.from && joined < joins;
    if (last !== undefined && follows) {
      ranges[ranges.length - 1] = { ...last, to: piece.to };
      joined++;
    } else {
      ranges.push({ key, incarnation, from: piece.from, to: piece.to, at: length });
      joined = 1;
    }
    // Room for what joining adds to the rows.
    length += piece.length + 5;
  }
  const object = { number: cold.nextNumber, term: 2, length };
  script.commit(repackOf(script, object, sources, ranges), script.between());
}
