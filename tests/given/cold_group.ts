/**
 * A group with a cold store, flushed by hand, and what its streams are to read like.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Answer, Group } from "../../group/mod.ts";
import { ColdCounters } from "../../shard/cold/counters.ts";
import type { ColdJob } from "../../shard/cold/job.ts";
import { ObjectNumbers } from "../../shard/cold/numbers.ts";
import { ColdTier } from "../../shard/cold/tier.ts";
import type { ColdParts } from "../../shard/cold/work.ts";
import type { ColdSetup } from "../../shard/setup.ts";
import { objectKey, putObject } from "../../storage/cold/mod.ts";
import {
  type ColdPiece,
  type Command,
  copySlices,
  decodeRow,
  GroupState,
  type Slice,
  type StreamKey,
} from "../../stream/mod.ts";
import { SimClock } from "../sim/clock.ts";
import { SimDisk } from "../sim/disk.ts";
import { HotBytes } from "../../shard/hot_bytes.ts";
import { SimRandom } from "../sim/random.ts";
import { joined } from "./bytes.ts";
import { GivenStore } from "./cold_store.ts";
import { type GivenGroup, givenGroup } from "./group.ts";
import { COLD_FORMATION, coldSetupOf } from "./shard.ts";

/** What a stream holds, as the test knows. */
export interface Expected {
  /** All bytes that were ever appended or inherited, trimmed ones included. */
  text: string;
  /** Ends of messages. */
  ends: number[];
}

/** See the module's text. */
export class ColdGroup {
  readonly numbers = new ObjectNumbers();
  readonly parts: ColdParts;
  readonly lines: string[] = [];
  readonly #hot = new HotBytes(Infinity, (line) => this.lines.push(line));
  readonly expected = new Map<StreamKey, Expected>();

  private constructor(
    readonly given: GivenGroup,
    readonly store: GivenStore,
    readonly tier: ColdTier,
  ) {
    this.parts = {
      tier,
      groups: [given.group],
      clock: given.clock,
      random: new SimRandom(2),
      counters: new ColdCounters(),
      log: (line) => this.lines.push(line),
    };
  }

  /** A group that leads itself, unless told otherwise, with one bucket. */
  static async open(options: {
    readonly isShared: boolean;
    readonly setup?: Partial<ColdSetup>;
    readonly given?: GivenGroup;
    readonly store?: GivenStore;
  }): Promise<ColdGroup> {
    const { isShared, store = new GivenStore(isShared) } = options;
    const clock = options.given?.clock ?? new SimClock();
    const given = options.given ?? givenGroup({ clock, state: coldStateOf(isShared) });
    const random = new SimRandom(1);
    const tier = await ColdTier.open(coldSetupOf(options.setup), {
      clock,
      random,
      disk: new SimDisk({ random, clock }),
      openCold: () => Promise.resolve(store),
    });
    const all = new ColdGroup(given, store, tier);
    if (options.given !== undefined) return all;
    await all.run({ type: "set_bucket", bucket: "demo", phase: "open", version: 2 });
    return all;
  }

  get group(): Group {
    return this.given.group;
  }

  get clock(): SimClock {
    return this.given.clock;
  }

  /** Takes turns, and runs events, until there are none. */
  async settle(): Promise<void> {
    do {
      while (this.group.dirty) this.given.turn();
    } while (await this.clock.step() || this.group.dirty);
  }

  /** Proposes a command; answers its outcome. */
  async run(command: Command): Promise<Answer> {
    const answers = this.given.propose(command);
    await this.settle();
    const [answer] = answers;
    assert.ok(answer !== undefined);
    return answer;
  }

  /** Lets so much time pass, in which nothing happens but what is on its way. */
  async wait(ms: number): Promise<void> {
    await this.clock.run(ms);
    this.group.tick();
    await this.settle();
  }

  /** Has jobs look, and waits for what that begins. */
  async look(...jobs: ColdJob[]): Promise<void> {
    for (const job of jobs) {
      job.look(this.clock.monotonicMs(), this.#hot);
      await this.settle();
    }
  }

  /** Has jobs look every so often. */
  async lookFor(ms: number, everyMs: number, ...jobs: ColdJob[]): Promise<void> {
    for (let left = ms; left > 0; left -= everyMs) {
      await this.wait(Math.min(left, everyMs));
      await this.look(...jobs);
    }
  }

  /** Appends messages to a stream, which is made where there is none. */
  async append(key: StreamKey, ...messages: string[]): Promise<void> {
    let expected = this.expected.get(key);
    if (expected === undefined) {
      expected = { text: "", ends: [] };
      this.expected.set(key, expected);
      await this.run({ type: "create", key, contentType: "text/plain", closed: false });
    }
    for (const message of messages) {
      const data = copied(message);
      await this.run({
        type: "append",
        key,
        contentType: "text/plain",
        closed: false,
        body: { data },
      });
      expected.text += message;
      expected.ends.push(expected.text.length);
    }
  }

  /** Forks a whole stream. */
  async fork(key: StreamKey, source: StreamKey): Promise<void> {
    const { text = "", ends = [] } = this.expected.get(source) ?? {};
    await this.run({ type: "create", key, closed: false, fork: { source, subOffset: 0 } });
    this.expected.set(key, { text, ends: [...ends] });
  }

  /** Deletes a stream. */
  async delete(key: StreamKey): Promise<void> {
    await this.run({ type: "delete", key });
    this.expected.delete(key);
  }

  /** Flushes what is hot into one object, with its copy; answers its number and what came of it. */
  async flush(maxBytes: number = 1 << 20, rangeBytes?: number): Promise<[number, Answer]> {
    const { cold } = this.group.state;
    const plan = cold.planFlush({ maxBytes, rangeBytes });
    const object = { ...this.numbers.take(this.group), length: plan.length };
    const { isShared } = this.store;
    const payload = [copySlices(plan.slices)];
    const copy = this.tier.object(0, object);
    if (isShared) await putObject(this.store, copy, payload);
    const answer = await this.run({ type: "flush", object, ranges: plan.ranges });
    if (!isShared && "ok" in answer && answer.ok === "stored") {
      await putObject(this.store, copy, payload);
      cold.unpin(object.number);
    }
    return [object.number, answer];
  }

  /** Reads every stream to its end, and holds it against what was appended. */
  async checkStreams(): Promise<void> {
    for (const key of this.expected.keys()) await this.checkStream(key);
  }

  /** The same for one stream. */
  async checkStream(key: StreamKey): Promise<void> {
    const { state } = this.group;
    const expected = this.expected.get(key);
    const facts = state.find(key);
    assert.ok(expected !== undefined && "earliest" in facts, `${key} is there`);
    assert.equal(facts.tail, expected.text.length);
    const plan = state.read(key, facts.earliest, 1 << 30);
    assert.ok("from" in plan);
    const parts: Uint8Array[] = [];
    for (const piece of plan.cold?.pieces ?? plan.slices) {
      parts.push(...await this.#bytesOf(piece, expected));
    }
    const text = new TextDecoder().decode(joined(parts));
    assert.equal(text, expected.text.slice(facts.earliest), `the bytes of ${key}`);
  }

  async #bytesOf(piece: Slice | ColdPiece, { ends }: Expected): Promise<Uint8Array[]> {
    if ("slab" in piece) return [copySlices([piece])];
    const { at, rowBytes, rangeFrom, rangeTo } = piece;
    const bytes = joined(await this.#read(piece, 0, piece.length));
    const row = decodeRow(bytes.subarray(0, rowBytes), rangeTo - rangeFrom);
    // A fork inherits less than the range that its source goes on with.
    assert.deepEqual(
      [...row ?? []].map((end) => rangeFrom + end).filter((end) => end <= piece.to),
      ends.filter((end) => end > rangeFrom && end <= piece.to),
      `ends of messages in the range at ${at} of object ${piece.number}`,
    );
    return [
      bytes.subarray(rowBytes + piece.from - rangeFrom, rowBytes + piece.to - rangeFrom),
    ];
  }

  async #read(piece: ColdPiece, from: number, length: number): Promise<Uint8Array[]> {
    const { number, term, objectBytes } = piece;
    const object = this.tier.object(0, { number, term, length: objectBytes });
    const parts: Uint8Array[] = [];
    for await (const part of this.tier.reader.read(object, piece.at + from, length)) {
      parts.push(part);
    }
    return parts;
  }

  /** Every object in the store is one that something refers to, and the other way round. */
  async checkObjects(): Promise<void> {
    const { objects } = this.group.state.cold;
    const known = [...objects.all()].map(({ number, term, references }) => {
      assert.ok(references > 0, `object ${number} is referred to`);
      return objectKey({ formation: COLD_FORMATION, group: 0, number, term });
    });
    assert.deepEqual(await this.store.keys(), known.sort());
  }
}

/** A state for a store that all nodes share, or for one of a node's own. */
export function coldStateOf(isShared: boolean): GroupState {
  return new GroupState({ group: 0, formation: COLD_FORMATION, pinsFlushed: !isShared });
}

function copied(text: string): Slice {
  const bytes = new TextEncoder().encode(text);
  return { slab: { bytes, live: 0 }, start: 0, end: bytes.length };
}
