import { joinSlices } from "../../group/mod.ts";
import { Bootstrap } from "../../node/bootstrap.ts";
import { type AppendStream, sliceOf } from "../../stream/mod.ts";
import { type KnownFork, Published } from "./check/published.ts";
import { show } from "./check/path_model.ts";
import { oneOf } from "./plan.ts";
import type { SimRandom } from "./random.ts";
import type { Lost, SimNode } from "./sim_node.ts";
import { Violation } from "./violation.ts";
import { pause, type World } from "./world.ts";

const TYPE = "text/plain";
const READ_BYTES_MAX = 100_000;
const SNAPSHOT_READ_BYTES = 4_000;
const FORKS_MAX = 3;
/** Between two stretches of a bootstrap. */
const BOOTSTRAP_PAUSE_MS_MAX = 300;
/** A healed cluster answers within this. */
const HEALED_MS = 20_000;
const HEALED_LOOK_MS = 100;

/** How often it does what, in parts of the whole. */
const HABITS = { append: 10, publish: 3, snapshot: 3, read: 5, bootstrap: 2, fork: 2, forget: 1 };
type Habit = keyof typeof HABITS;
const DRAWN = Object.entries(HABITS).flatMap(([habit, share]) => Array(share).fill(habit as Habit));

/** The one writer of a stream, who publishes its snapshots; forks and bootstraps come and go. */
export class Publisher {
  readonly #world: World;
  readonly #random: SimRandom;
  readonly #name: string;
  readonly #published: Published;
  readonly #bootstraps = new Set<Promise<void>>();
  #made = false;
  #seq = 0;
  #forks = 0;
  #failure: unknown;

  constructor(world: World, id: number, random: SimRandom) {
    this.#world = world;
    this.#random = random;
    this.#name = `publisher ${id}`;
    this.#published = new Published(`published/p${id}`);
  }

  /** Goes on until the world drains. */
  async run(): Promise<void> {
    while (!this.#world.draining) {
      await pause(this.#world, this.#random.next() * this.#world.plan.thinkMsMax);
      const up = this.#world.serving.filter(({ runtime }) => runtime !== undefined);
      if (up.length === 0) continue;
      await this.#do(this.#made ? oneOf(this.#random, DRAWN) : "append", oneOf(this.#random, up));
      if (this.#failure !== undefined) throw this.#failure;
    }
    await Promise.all(this.#bootstraps);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Finds everything through a node, when all is quiet. */
  async audit(node: SimNode): Promise<void> {
    if (!this.#made) return;
    const published = this.#published;
    await this.#insist("the snapshot", () => this.#readSnapshot(node));
    const from = published.offset;
    await this.#insist("the stream", () => this.#read(node, published.key, from, Infinity));
    for (const fork of published.forks) {
      await this.#insist(fork.key, () => this.#read(node, fork.key, fork.from, fork.to));
    }
    await this.#insist("a bootstrap", () => this.#bootstrap(node, 0));
  }

  async #insist(what: string, work: () => Promise<boolean>): Promise<void> {
    const untilMs = this.#world.clock.monotonicMs() + HEALED_MS;
    while (!await work()) {
      if (this.#world.clock.monotonicMs() >= untilMs) {
        throw new Violation("progress", `${this.#published.key}: ${what} can't be read`);
      }
      await pause(this.#world, HEALED_LOOK_MS);
    }
  }

  async #do(habit: Habit, node: SimNode): Promise<void> {
    const published = this.#published;
    switch (habit) {
      case "append":
        return await (this.#made ? this.#append(node) : this.#make(node));
      case "publish":
        return await this.#publish(node);
      case "snapshot":
        return void await this.#readSnapshot(node);
      case "read": {
        const fork = this.#random.chance(0.4) ? published.forks[0] : undefined;
        if (fork !== undefined) return void await this.#read(node, fork.key, fork.from, fork.to);
        const from = oneOf(this.#random, published.ends);
        return void await this.#read(node, published.key, from, Infinity);
      }
      case "bootstrap": {
        const pauseMs = this.#random.next() * BOOTSTRAP_PAUSE_MS_MAX;
        const life: Promise<void> = this.#bootstrap(node, pauseMs)
          .then(() => {}, (error) => void (this.#failure ??= error))
          .finally(() => this.#bootstraps.delete(life));
        this.#bootstraps.add(life);
        return;
      }
      case "fork":
        return await this.#fork(node);
      case "forget":
        return await this.#forget(node);
    }
  }

  async #make(node: SimNode): Promise<void> {
    const { key } = this.#published;
    const command = { type: "create", key, contentType: TYPE, closed: false } as const;
    const answer = await node.call(
      ({ streams }) => streams.create(command, "make"),
      this.#world.plan.patienceMs,
    );
    this.#say("makes", answer);
    if ("ok" in answer) this.#made = true;
  }

  async #append(node: SimNode): Promise<void> {
    const published = this.#published;
    published.pending ??= this.#draft();
    const { key, pending } = published;
    // Now: a node that stands still is asked when it goes on.
    const command: AppendStream = {
      type: "append",
      key,
      contentType: TYPE,
      closed: false,
      producer: { id: this.#name, epoch: 0, seq: this.#seq },
      body: { data: sliceOf(pending) },
    };
    const answer = await node.call(
      ({ streams }) => streams.append(command),
      this.#world.plan.patienceMs,
    );
    this.#say("appends", answer);
    if ("refused" in answer) throw this.#wrong(show(answer));
    if (!("ok" in answer) || !("facts" in answer)) return;
    this.#seq++;
    published.appended(answer.facts.tail);
  }

  async #publish(node: SimNode): Promise<void> {
    const published = this.#published;
    const { key, boundaries } = published;
    if (boundaries.length === 0) return;
    const offset = oneOf(this.#random, boundaries);
    const bytes = published.snapshotAt(offset);
    published.asked(offset);
    const half = bytes.length >> 1;
    const answer = await node.call(({ snapshots }) =>
      snapshots.publish({
        key,
        incarnation: undefined,
        offset,
        contentType: TYPE,
        pieces: [bytes.subarray(0, half), bytes.subarray(half)],
        length: bytes.length,
        digest: `of ${offset}`,
      }), this.#world.plan.patienceMs);
    this.#say(`publishes ${offset}`, answer);
    if ("refused" in answer) {
      if (answer.refused !== "offset_trimmed") throw this.#wrong(show(answer));
      return published.trimmed(offset);
    }
    if ("ok" in answer) published.published(offset);
  }

  /** Reads the snapshot that there is; says whether it could. */
  async #readSnapshot(node: SimNode): Promise<boolean> {
    const published = this.#published;
    const { key, offset: since } = published;
    const beganMs = this.#world.clock.monotonicMs();
    const found = await node.call(
      ({ snapshots }) => snapshots.find(key, undefined, false),
      this.#world.plan.patienceMs,
    );
    this.#say("finds", found);
    if ("lost" in found || "unavailable" in found) return false;
    if ("refused" in found) throw this.#wrong(show(found));
    const { snapshot } = found;
    published.found(snapshot?.offset, since);
    if (snapshot === undefined) return true;
    for (let at = 0; at < snapshot.length; at += SNAPSHOT_READ_BYTES) {
      const length = Math.min(SNAPSHOT_READ_BYTES, snapshot.length - at);
      const bytes = await node.call(({ snapshots }) => snapshots.read(found, snapshot, at, length));
      if (!(bytes instanceof Uint8Array)) return this.#excuse(node, bytes, beganMs);
      published.readSnapshot(snapshot.offset, at, bytes);
    }
    return true;
  }

  /** Reads from an offset to the tail, or to `to`; says whether it could. */
  async #read(node: SimNode, key: string, from: number, to: number): Promise<boolean> {
    const published = this.#published;
    const since = Math.min(published.tail, to);
    while (true) {
      const beganMs = this.#world.clock.monotonicMs();
      const request = { key, from, maxBytes: READ_BYTES_MAX, touch: false };
      const answer = await node.call(
        ({ streams }) => streams.read(request),
        this.#world.plan.patienceMs,
      );
      this.#say(`reads ${key} from ${from}`, answer);
      if ("refused" in answer) {
        if (answer.refused !== "offset_trimmed") throw this.#wrong(show(answer));
        published.trimmed(from);
        return true;
      }
      if (!("plan" in answer)) return this.#excuse(node, answer, beganMs);
      const { slices, next, upToDate } = answer.plan;
      published.read(from, joinSlices(slices));
      from = next;
      if (!upToDate) continue;
      published.reaches(next, since);
      return true;
    }
  }

  /** Takes a snapshot and the messages since; says whether it could. */
  async #bootstrap(node: SimNode, pauseMs: number): Promise<boolean> {
    const published = this.#published;
    const { key, offset: sinceOffset, tail: sinceTail } = published;
    const beganMs = this.#world.clock.monotonicMs();
    const { lives } = node;
    const begun = await node.call(({ streams }) => streams.bootstrap({ key, touch: false }));
    if (!(begun instanceof Bootstrap)) return false;
    try {
      const { snapshot, facts } = begun;
      this.#say("begins a bootstrap", { facts, snapshot });
      published.found(snapshot?.offset, sinceOffset);
      published.reaches(facts.tail, sinceTail);
      if (snapshot !== undefined && snapshot.object.length > 0) {
        const bytes = await node.call(() => begun.fetch(snapshot, 0, snapshot.object.length));
        if (!(bytes instanceof Uint8Array)) return this.#excuse(node, bytes, beganMs);
        published.readSnapshot(snapshot.offset, 0, bytes);
      }
      let at = facts.earliest;
      const ends: number[] = [];
      while (at < facts.tail) {
        await pause(this.#world, pauseMs);
        // It dies with its process.
        if (node.lives !== lives) return false;
        const stretch = await node.call(() => begun.next());
        if (!("bytes" in stretch)) return this.#excuse(node, stretch, beganMs);
        published.read(at, stretch.bytes);
        for (const end of stretch.ends) ends.push(at + end);
        at += stretch.bytes.length;
        if (stretch.isLast !== at >= facts.tail) throw this.#wrong(`a bootstrap ends at ${at}`);
      }
      published.readEnds(facts.earliest, ends);
      return true;
    } finally {
      begun.end();
    }
  }

  async #fork(node: SimNode): Promise<void> {
    const { forks, key: source, ends } = this.#published;
    if (forks.length >= FORKS_MAX) return;
    const key = `${source}-fork-${this.#forks++}`;
    const offset = oneOf(this.#random, ends);
    const fork = { source, offset, subOffset: 0 };
    const command = { type: "create", key, closed: false, fork } as const;
    const answer = await node.call(
      ({ streams }) => streams.create(command, "refuse"),
      this.#world.plan.patienceMs,
    );
    this.#say(`forks ${key} at ${offset}`, answer);
    if ("refused" in answer) {
      // In a group that has not heard of the bucket yet, or below the snapshot.
      if (answer.refused === "offset_trimmed") this.#published.trimmed(offset);
      return;
    }
    if (!("ok" in answer) || !("facts" in answer)) return;
    forks.push({ key, from: answer.facts.earliest, to: answer.facts.tail });
  }

  async #forget(node: SimNode): Promise<void> {
    const { forks } = this.#published;
    const [fork]: readonly KnownFork[] = forks;
    if (fork === undefined) return;
    forks.shift();
    const answer = await node.call(
      ({ streams }) => streams.delete({ type: "delete", key: fork.key }),
      this.#world.plan.patienceMs,
    );
    this.#say(`deletes ${fork.key}`, answer);
  }

  /** Bytes may be out of reach for now; they are damaged only where something rots. */
  #excuse(node: SimNode, answer: Lost | object, beganMs: number): false {
    this.#say("is refused", answer);
    const isDamaged = "unavailable" in answer && answer.unavailable === "cold_damaged";
    const tookMs = this.#world.clock.monotonicMs() - beganMs;
    if (!isDamaged || node.isRotten || tookMs >= (this.#world.plan.cold?.keepsMs ?? 0)) {
      return false;
    }
    throw new Violation("objects", `node ${node.id} speaks of damage: ${show(answer)}`);
  }

  #draft(): Uint8Array<ArrayBuffer> {
    const length = 1 + this.#random.below(Math.max(40, this.#world.plan.bodyBytesMax));
    return new Uint8Array(length).map((_, at) => 97 + (this.#seq * 7 + at) % 26);
  }

  #say(what: string, answer: object): void {
    this.#world.trace.line(`${this.#name} ${what} -> ${show(answer)}`);
  }

  #wrong(detail: string): Violation {
    return new Violation("snapshots", `${this.#published.key}: ${detail}`);
  }
}
