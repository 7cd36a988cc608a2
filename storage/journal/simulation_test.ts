/**
 * Many lives of one journal on a simulated disk, each ended by a power cut, a killed process or a
 * clean stop. Whatever the seed: what is found at start is what some prefix of the records sealed
 * says, and no shorter prefix than the last flush that resolved.
 */

import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { SimClock } from "../../tests/sim/clock.ts";
import { SimDisk } from "../../tests/sim/disk.ts";
import { SimRandom } from "../../tests/sim/random.ts";
import type { StoredEntryKind, StoredGroup } from "../types.ts";
import { Journal, JournalDamaged } from "./mod.ts";

const DIRECTORY = "/data/journal";
const SEGMENT_BYTES = 32 << 10;
const SEED_VARIABLE = "URSULA_SIM_SEED";
const SEEDS_VARIABLE = "URSULA_SIM_SEEDS";
const SEEDS = 25;

interface ModelEntry {
  readonly index: number;
  readonly term: number;
  readonly kind: StoredEntryKind;
  readonly payload: Uint8Array;
}

type Operation =
  | { readonly type: "entry"; readonly group: number; readonly entry: ModelEntry }
  | { readonly type: "vote"; readonly group: number; readonly term: number; readonly vote?: string }
  | {
    readonly type: "mark";
    readonly group: number;
    readonly index: number;
    readonly term: number;
  };

/** One group as Raft has it. */
class ModelGroup {
  term = 0;
  votedFor: string | undefined = undefined;
  snapshotIndex = 0;
  snapshotTerm = 0;
  entries: ModelEntry[] = [];

  get last(): number {
    return this.entries.at(-1)?.index ?? this.snapshotIndex;
  }

  get lastTerm(): number {
    return this.entries.at(-1)?.term ?? this.snapshotTerm;
  }

  apply(operation: Operation): void {
    switch (operation.type) {
      case "vote":
        this.term = operation.term;
        this.votedFor = operation.vote;
        return;
      case "entry": {
        const { index } = operation.entry;
        this.entries = this.entries.filter((entry) => entry.index < index);
        this.entries.push(operation.entry);
        return;
      }
      case "mark": {
        const { index, term } = operation;
        const agrees = this.entries.some((entry) => entry.index === index && entry.term === term);
        this.entries = agrees ? this.entries.filter((entry) => entry.index > index) : [];
        this.snapshotIndex = index;
        this.snapshotTerm = term;
      }
    }
  }

  equals(found: StoredGroup | undefined): boolean {
    const stored = found ??
      { term: 0, votedFor: undefined, snapshotIndex: 0, snapshotTerm: 0, entries: [] };
    return stored.term === this.term && stored.votedFor === this.votedFor &&
      stored.snapshotIndex === this.snapshotIndex && stored.snapshotTerm === this.snapshotTerm &&
      stored.entries.length === this.entries.length &&
      stored.entries.every(({ index, term, kind, payload }, at) => {
        const entry = this.entries[at];
        const { slab: { bytes }, start, end } = payload;
        return entry !== undefined && entry.index === index && entry.term === term &&
          entry.kind === kind && Buffer.compare(bytes.subarray(start, end), entry.payload) === 0;
      });
  }
}

/** What was asked of a journal, in order, and how much of it is known to be durable. */
class Model {
  groups = new Map<number, ModelGroup>();
  /** Operations since `groups` was as it is. */
  pending: Operation[] = [];
  /** As many of `pending` were in flushes that resolved. */
  durable = 0;

  of(group: number): ModelGroup {
    let found = this.groups.get(group);
    if (!found) this.groups.set(group, found = new ModelGroup());
    return found;
  }

  /** Takes what was found for the truth, once it is shown that it may be. */
  settle(found: Map<number, StoredGroup>): void {
    for (let count = 0; count <= this.pending.length; count++) {
      if (count >= this.durable && this.#equals(found)) {
        this.pending = [];
        this.durable = 0;
        return;
      }
      const operation = this.pending[count];
      if (operation) this.of(operation.group).apply(operation);
    }
    assert.fail(
      `found what no prefix of the records says (${this.durable}/${this.pending.length})`,
    );
  }

  #equals(found: Map<number, StoredGroup>): boolean {
    for (const group of found.keys()) this.of(group);
    return [...this.groups].every(([id, group]) => group.equals(found.get(id)));
  }
}

/** One run from a seed. */
class World {
  readonly random: SimRandom;
  readonly clock = new SimClock();
  readonly model = new Model();
  readonly lines: string[] = [];
  /** The model with all pending operations applied: what the next operation builds upon. */
  ahead = new Model();
  disk: SimDisk;
  #nonce = 0;

  constructor(seed: number, readonly sync = true) {
    this.random = new SimRandom(seed);
    this.disk = new SimDisk({ random: this.random.fork(), clock: this.clock });
  }

  async open(): Promise<Journal> {
    const opening = Journal.open({
      disk: this.disk,
      directory: DIRECTORY,
      number: 0,
      segmentBytes: SEGMENT_BYTES,
      sync: this.sync,
      random: this.random,
      log: (line) => this.lines.push(line),
    });
    const { journal, groups } = await this.clock.until(opening);
    this.model.settle(groups);
    this.ahead = new Model();
    for (const [id, group] of this.model.groups) {
      Object.assign(this.ahead.of(id), group);
      this.ahead.of(id).entries = group.entries.slice();
    }
    return journal;
  }

  /** Random records, then a flush. */
  turn(journal: Journal, groups: number): Promise<void> | undefined {
    for (let left = this.random.below(8); left > 0; left--) {
      this.put(journal, this.random.below(groups));
    }
    const { model } = this;
    const count = model.pending.length;
    const { pending } = model;
    const flushed = journal.flush();
    const resolved = () => {
      if (model.pending === pending) model.durable = Math.max(model.durable, count);
    };
    // A rejection reaches nobody once the process is dead.
    flushed?.then(resolved, () => {});
    if (flushed === undefined) resolved();
    return flushed;
  }

  put(journal: Journal, group: number): void {
    const { random } = this;
    const state = this.ahead.of(group);
    const dice = random.next();
    if (dice < 0.05) {
      const vote = random.chance(0.5) ? `node-${random.below(3)}` : undefined;
      const term = Math.max(state.term, state.lastTerm) + random.below(2);
      journal.putHardState(group, term, vote);
      this.note({ type: "vote", group, term, ...(vote && { vote }) });
    } else if (dice < 0.12) {
      this.putMark(journal, group);
    } else {
      const first = state.snapshotIndex + 1;
      const replaces = state.entries.length > 0 && random.chance(0.05);
      const index = replaces ? first + random.below(state.entries.length) : state.last + 1;
      this.putEntry(
        journal,
        group,
        index,
        state.lastTerm + (replaces || random.chance(0.1) ? 1 : 0),
      );
    }
  }

  putEntry(journal: Journal, group: number, index: number, term: number, length?: number): void {
    const { random } = this;
    const sizes = [0, 7, 300, 2_000, 20_000, 70_000];
    const bound = sizes[Math.floor(random.next() ** 3 * sizes.length)] ?? 0;
    const payload = new Uint8Array(length ?? random.below(bound + 1)).fill(++this.#nonce);
    const kind = payload.length === 0 ? "noop" : random.chance(0.9) ? "command" : "membership";
    // Given up half-way: as if an exception had come in between.
    if (random.chance(0.02)) journal.reserve(random.below(3_000));
    const space = journal.reserve(payload.length);
    space.slab.bytes.set(payload, space.start);
    journal.sealEntry(space, group, index, term, kind);
    this.note({ type: "entry", group, entry: { index, term, kind, payload } });
  }

  putMark(journal: Journal, group: number): void {
    const { random } = this;
    const state = this.ahead.of(group);
    const behind = state.entries[random.below(state.entries.length)];
    const isInstalled = behind === undefined || random.chance(0.1);
    const index = isInstalled ? state.last + 1 + random.below(5) - random.below(3) : behind.index;
    const term = isInstalled ? state.lastTerm + 1 : behind.term;
    if (index <= state.snapshotIndex) return;
    journal.putSnapshotMark(group, index, term);
    this.note({ type: "mark", group, index, term });
  }

  note(operation: Operation): void {
    this.model.pending.push(operation);
    this.ahead.of(operation.group).apply(operation);
  }

  segments(): string[] {
    const names = this.disk.paths();
    return names.filter((path) => path.endsWith(".segment"));
  }
}

/** One seed to replay, or as many as asked for. */
function seedsFrom(): number[] {
  const asked = Deno.env.get(SEED_VARIABLE);
  const count = Number(Deno.env.get(SEEDS_VARIABLE) ?? SEEDS);
  return asked ? [Number(asked)] : Array.from({ length: count }, (_, at) => at + 1);
}

async function withSeeds(name: string, run: (seed: number) => Promise<void>): Promise<void> {
  for (const seed of seedsFrom()) {
    try {
      await run(seed);
    } catch (error) {
      console.error(`replay: ${SEED_VARIABLE}=${seed} deno test -A --filter "${name}"`);
      throw error;
    }
  }
}

function simulated(name: string, run: (seed: number) => Promise<void>): void {
  Deno.test(name, () => withSeeds(name, run));
}

async function live(world: World, turns: number, groups: number): Promise<Journal> {
  const { random, clock } = world;
  const journal = await world.open();
  for (let turn = random.below(turns); turn >= 0; turn--) {
    const flushed = world.turn(journal, groups);
    if (flushed && random.chance(0.3)) await clock.until(flushed);
    else if (random.chance(0.7)) await clock.run(random.next() * 3);
  }
  return journal;
}

simulated("Journal keeps what it flushed when power fails or the process dies", async (seed) => {
  const world = new World(seed);
  for (let lives = 0; lives < 8; lives++) {
    const journal = await live(world, 60, 4);
    const end = world.random.next();
    if (end < 0.6) world.disk = world.disk.crash();
    else if (end < 0.8) world.disk = world.disk.kill();
    else await world.clock.until(journal.close());
    if (end >= 0.8) world.model.durable = world.model.pending.length;
  }
  await world.clock.until((await world.open()).close());
});

simulated("Journal keeps what it wrote without sync when the process dies", async (seed) => {
  const world = new World(seed, false);
  for (let lives = 0; lives < 4; lives++) {
    await live(world, 40, 4);
    world.disk = world.disk.kill();
  }
  await world.clock.until((await world.open()).close());
});

simulated("Journal says where when a bit rots below the synced position", async (seed) => {
  const world = new World(seed);
  const closing = await live(world, 60, 4);
  await world.clock.until(closing.close());
  world.model.durable = world.model.pending.length;
  await world.clock.until((await world.open()).close());
  const paths = world.segments();
  const path = paths[world.random.below(paths.length)] ?? "";
  const written = world.disk.content(path).findLastIndex((byte) => byte !== 0);
  const position = world.random.below(written + 1);
  world.disk.rot(path, position, world.random.below(8));
  try {
    // Where nothing is reported the flipped bit meant nothing: padding, or the zeros after the end.
    await world.clock.until((await world.open()).close());
  } catch (error) {
    assert.ok(error instanceof JournalDamaged, String(error));
    assert.equal(error.path, path);
    assert.ok(error.offset <= position, `${error.offset} > ${position}`);
    assert.match(error.message, new RegExp(`^${path}: damaged at byte ${error.offset}: `));
  }
});

simulated("Journal says where when a batch rots that a later one calls synced", async (seed) => {
  const world = new World(seed);
  const journal = await world.open();
  const payload = 500;
  for (let index = 1; index < 4; index++) {
    world.putEntry(journal, 0, index, 1, payload);
    await world.clock.until(journal.flush() ?? Promise.resolve());
  }
  world.disk = world.random.chance(0.5) ? world.disk.crash() : world.disk.kill();
  const path = world.segments().at(-1) ?? "";
  const content = world.disk.content(path);
  const index = 1 + world.random.below(2);
  const start = content.indexOf(index);
  const position = content.findIndex((_, at) =>
    at >= start && content.subarray(at, at + payload).every((byte) => byte === index)
  );
  world.disk.rot(path, position + world.random.below(payload), 3);
  await assert.rejects(world.open(), (error: unknown) => {
    assert.ok(error instanceof JournalDamaged, String(error));
    assert.equal(error.path, path);
    assert.equal(error.offset, position - 32);
    return true;
  });
});

simulated("Journal reports no damage and one line when a write is torn", async (seed) => {
  const world = new World(seed);
  const journal = await world.open();
  world.putEntry(journal, 0, 1, 1, 100);
  await world.clock.until(journal.flush() ?? Promise.resolve());
  world.model.durable = 1;
  const synced = world.disk.content(world.segments()[0] ?? "").findLastIndex((byte) => byte !== 0);
  world.putEntry(journal, 0, 2, 1, 5_000);
  journal.flush()?.catch(() => {});
  world.disk = world.disk.crash();
  const hasRest = world.disk.content(world.segments()[0] ?? "").findLastIndex((byte) => byte !== 0);
  const reopened = await world.open();
  const isWhole = world.model.of(0).last === 2;
  assert.equal(world.lines.length, isWhole || hasRest <= synced ? 0 : 1, world.lines.join("\n"));
  await world.clock.until(reopened.close());
});

simulated("Journal stays small when snapshots follow and one group lags", async (seed) => {
  const world = new World(seed);
  const journal = await world.open();
  const { clock, random } = world;
  for (let index = 1; index <= 5; index++) world.putEntry(journal, 9, index, 1, 200);
  let most = 0;
  for (let turn = 1; turn <= 300; turn++) {
    const group = random.below(3);
    const state = world.ahead.of(group);
    for (let count = 0; count < 8; count++) {
      world.putEntry(journal, group, state.last + 1, state.lastTerm || 1, 400);
    }
    if (turn % 10 === 0) world.putEntry(journal, 9, world.ahead.of(9).last + 1, 1, 20);
    if (random.chance(0.2)) {
      journal.putSnapshotMark(group, state.last, state.lastTerm);
      world.note({ type: "mark", group, index: state.last, term: state.lastTerm });
    }
    const count = world.model.pending.length;
    await clock.until(journal.flush() ?? Promise.resolve());
    world.model.durable = count;
    await clock.run(5);
    most = Math.max(most, journal.usage().diskBytes);
    if (turn === 200 && random.chance(0.5)) break;
  }
  const usage = journal.usage();
  assert.ok(usage.bytesCopiedForward > 0, "the lagging group was copied");
  assert.ok(usage.segmentsRemoved > 10, `${usage.segmentsRemoved} removed`);
  assert.ok(most <= 16 * SEGMENT_BYTES, `${most} bytes at most`);
  world.disk = world.disk.crash();
  await clock.until((await world.open()).close());
});
