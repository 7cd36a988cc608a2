/**
 * Many lives of one journal on a simulated disk, each ended by a power cut, a killed process or a
 * clean stop. Whatever the seed: what is found at start is what some prefix of the records sealed
 * says, and no shorter prefix than the last flush that resolved. What is read back meanwhile is what
 * the log holds, all that is durable of it, and nothing that a power cut could still take away.
 */

import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { SimClock } from "../../tests/sim/clock.ts";
import { SimDisk } from "../../tests/sim/disk.ts";
import { SimRandom } from "../../tests/sim/random.ts";
import type { StoredEntry, StoredEntryKind, StoredGroup } from "../types.ts";
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
    readonly replacesLog: boolean;
  };

/** One group as Raft has it. */
class ModelGroup {
  term = 0;
  votedFor: string | undefined = undefined;
  snapshotIndex = 0;
  snapshotTerm = 0;
  entries: ModelEntry[] = [];
  /** Everything that was ever an entry: two of one index and term are the same (paper §5.3). */
  seen = new Map<string, ModelEntry>();
  /** How often entries were replaced or discarded. */
  cuts = 0;

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
        const { index, term } = operation.entry;
        if (index <= this.last) this.cuts++;
        this.seen.set(`${index}:${term}`, operation.entry);
        this.entries = this.entries.filter((entry) => entry.index < index);
        this.entries.push(operation.entry);
        return;
      }
      case "mark": {
        const { index, term, replacesLog } = operation;
        const agrees = !replacesLog &&
          this.entries.some((entry) => entry.index === index && entry.term === term);
        this.entries = agrees ? this.entries.filter((entry) => entry.index > index) : [];
        if (!agrees) this.cuts++;
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
      stored.entries.every((one, at) => {
        const entry = this.entries[at];
        return entry !== undefined && isSame(entry, one);
      });
  }
}

function isSame(entry: ModelEntry, { index, term, kind, payload }: StoredEntry): boolean {
  const { slab: { bytes }, start, end } = payload;
  return entry.index === index && entry.term === term && entry.kind === kind &&
    Buffer.compare(bytes.subarray(start, end), entry.payload) === 0;
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
  /** Entries that were read back, and reads that answered undefined. */
  readBack = 0;
  readNothing = 0;
  /** What a read got wrong. */
  readonly wrong: unknown[] = [];
  #closed: Journal | undefined = undefined;
  #nonce = 0;

  constructor(seed: number, readonly sync = true) {
    this.random = new SimRandom(seed);
    this.disk = new SimDisk({ random: this.random.fork(), clock: this.clock });
  }

  async open(): Promise<Journal> {
    if (this.wrong.length > 0) throw this.wrong[0];
    if (this.random.chance(0.5)) this.#slowSyncs();
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
      this.ahead.of(id).seen = new Map(group.seen);
    }
    return journal;
  }

  /** Syncs take longer than reads: time to read what is written and not yet durable. */
  #slowSyncs(): void {
    const { clock, disk, random } = this;
    const opened = disk.open.bind(disk);
    disk.open = async (path, options) => {
      const file = await opened(path, options);
      const sync = file.sync.bind(file);
      file.sync = async () => {
        await new Promise<void>((resolve) => clock.setTimer(random.next() * 8, resolve));
        await sync();
      };
      return file;
    };
  }

  /** A clean stop. */
  async close(journal: Journal): Promise<void> {
    this.#closed = journal;
    await this.clock.until(journal.close());
    this.model.durable = this.model.pending.length;
  }

  /** Reads something back; what comes is checked when it comes. */
  read(journal: Journal, group: number): Promise<void> {
    const { random, ahead, model } = this;
    const { pending } = model;
    const state = ahead.of(group);
    const from = state.snapshotIndex + random.below(state.entries.length + 2);
    const through = from + random.below(random.chance(0.5) ? 4 : 100);
    const bytesMax = random.below(30_000);
    const durable = new Set(pending.slice(model.durable).flatMap(entryOf));
    const expected: ModelEntry[] = [];
    let bytes = 0;
    for (const entry of state.entries) {
      if (entry.index < from || entry.index > through) continue;
      bytes += entry.payload.length;
      if (durable.has(entry) || (expected.length > 0 && bytes > bytesMax)) break;
      expected.push(entry);
    }
    if (from <= state.snapshotIndex) expected.length = 0;
    const { cuts, snapshotIndex } = state;
    const reading = journal.readEntries(group, from, through, bytesMax).then((found = []) => {
      // Another life: the journal of this one is dead.
      if (this.ahead !== ahead || model.pending !== pending) return;
      const untouched = state.cuts === cuts && state.snapshotIndex === snapshotIndex &&
        this.#closed !== journal;
      if (untouched) assert.ok(found.length >= expected.length, "a durable entry was not found");
      this.#check(state, from, found);
      assert.ok((found.at(-1)?.index ?? 0) <= through, "more than was asked for");
      const length = found.reduce((sum, { payload }) => sum + payload.end - payload.start, 0);
      assert.ok(found.length <= 1 || length <= bytesMax, `${length} bytes`);
      if (found.length === 0) this.readNothing++;
      this.readBack += found.length;
    });
    return reading.catch((error) => void this.wrong.push(error));
  }

  /** What was read back is the log's, and a promise from now on. */
  #check(state: ModelGroup, from: number, found: readonly StoredEntry[]): void {
    const { model } = this;
    for (const [at, one] of found.entries()) {
      assert.equal(one.index, from + at);
      // A mark may have covered it just now.
      const isCovered = one.index <= state.snapshotIndex;
      const entry = isCovered
        ? state.seen.get(`${one.index}:${one.term}`)
        : state.entries.find(({ index }) => index === one.index);
      assert.ok(entry !== undefined && isSame(entry, one), `${one.index} is not in the log`);
      const count = 1 + model.pending.findLastIndex((operation) => {
        return operation.type === "entry" && operation.entry === entry;
      });
      model.durable = Math.max(model.durable, count);
    }
  }

  /** Everything that is durable can be read back; call it where all of it is. */
  async readAll(journal: Journal): Promise<void> {
    for (const [group, { entries }] of this.ahead.groups) {
      for (let next = 0; next < entries.length;) {
        const first = entries[next]?.index ?? 0;
        const found = await journal.readEntries(group, first, Infinity, 50_000) ?? [];
        assert.ok(found.length > 0, `entry ${first} of group ${group} can't be read back`);
        for (const one of found) {
          const entry = entries[next++];
          assert.ok(entry !== undefined && isSame(entry, one), `${one.index} is another one`);
        }
        this.readBack += found.length;
      }
    }
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
    const known = this.ahead.of(group).seen.get(`${index}:${term}`);
    const payload = known?.payload ??
      new Uint8Array(length ?? random.below(bound + 1)).fill(++this.#nonce);
    const kind = known?.kind ?? this.#kindOf(payload);
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
    const replacesLog = random.chance(0.2);
    const isInstalled = behind === undefined || random.chance(0.1);
    const index = isInstalled ? state.last + 1 + random.below(5) - random.below(3) : behind.index;
    const term = isInstalled ? state.lastTerm + 1 : behind.term;
    if (index <= state.snapshotIndex) return;
    journal.putSnapshotMark(group, index, term, replacesLog);
    this.note({ type: "mark", group, index, term, replacesLog });
  }

  #kindOf(payload: Uint8Array): StoredEntryKind {
    if (payload.length === 0) return "noop";
    return this.random.chance(0.9) ? "command" : "membership";
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

function entryOf(operation: Operation): ModelEntry[] {
  return operation.type === "entry" ? [operation.entry] : [];
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
  if (random.chance(0.5)) await clock.until(world.readAll(journal));
  for (let turn = random.below(turns); turn >= 0; turn--) {
    const flushed = world.turn(journal, groups);
    if (random.chance(0.4)) world.read(journal, random.below(groups));
    if (flushed && random.chance(0.3)) await clock.until(flushed);
    else if (random.chance(0.7)) await clock.run(random.next() * 3);
  }
  // What the last moments gave back is not lost either.
  for (let group = 0; group < groups; group++) {
    world.turn(journal, groups);
    await clock.run(random.next());
    world.read(journal, group);
  }
  await clock.run(random.next() * 4);
  return journal;
}

simulated("Journal keeps what it flushed when power fails or the process dies", async (seed) => {
  const world = new World(seed);
  for (let lives = 0; lives < 8; lives++) {
    const journal = await live(world, 60, 4);
    const end = world.random.next();
    if (end < 0.6) world.disk = world.disk.crash();
    else if (end < 0.8) world.disk = world.disk.kill();
    else await world.close(journal);
  }
  assert.ok(world.readBack > 50 && world.readNothing > 5, "both happen");
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
  await world.close(await live(world, 60, 4));
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
    if (random.chance(0.2) || state.entries.length > 160) {
      journal.putSnapshotMark(group, state.last, state.lastTerm);
      const { last: index, lastTerm: term } = state;
      world.note({ type: "mark", group, index, term, replacesLog: false });
    }
    const count = world.model.pending.length;
    if (random.chance(0.3)) world.read(journal, 9);
    await clock.until(journal.flush() ?? Promise.resolve());
    world.model.durable = count;
    if (random.chance(0.3)) world.read(journal, 9);
    await clock.run(5);
    most = Math.max(most, journal.usage().diskBytes);
    if (turn === 200 && random.chance(0.5)) break;
  }
  // Until nothing goes on in the background.
  await clock.run(200);
  const usage = journal.usage();
  assert.ok(usage.bytesCopiedForward > 0, "the lagging group was copied");
  assert.ok(usage.segmentsRemoved > 5, `${usage.segmentsRemoved} removed`);
  assert.ok(most <= 16 * SEGMENT_BYTES, `${most} bytes at most`);
  const sizes = world.segments().map((path) => world.disk.content(path).length);
  assert.equal(usage.diskBytes, sizes.reduce((sum, size) => sum + size, 0));
  const before = world.readBack;
  await clock.until(world.readAll(journal));
  assert.ok(world.readBack - before >= world.ahead.of(9).last, "the copies were read");
  world.disk = world.disk.crash();
  await clock.until((await world.open()).close());
});
