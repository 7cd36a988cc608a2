import type { ReadFrom } from "../../stream/mod.ts";
import type { Write } from "./check/writes.ts";
import { LiveReader } from "./live_reader.ts";
import { oneOf } from "./plan.ts";
import { SimRandom } from "./random.ts";
import * as requests from "./requests.ts";
import type { SimNode } from "./sim_node.ts";
import { Violation } from "./violation.ts";
import { pause, type World } from "./world.ts";

const CONTENT_TYPES = ["application/octet-stream", "text/plain", "application/json"];
const TTL_SECONDS_MAX = 4;
const LIVE_MS_MAX = 3_000;
/** With more under way on a path, what may have happened there becomes too much to think through. */
const OPEN_CALLS_MAX = 3;

/** How often a client does what, in parts of the whole. */
const HABITS = {
  append: 36,
  read: 16,
  create: 14,
  head: 5,
  close: 2,
  remove: 4,
  fork: 8,
  live: 5,
  list: 3,
  createBucket: 3,
  deleteBucket: 2,
  describeBucket: 2,
} as const;

type Habit = keyof typeof HABITS;
const SHARES = Object.entries(HABITS) as [Habit, number][];
const SHARES_SUM = SHARES.reduce((sum, [, share]) => sum + share, 0);

/** What a client's producer has sent to one stream. */
interface Producer {
  epoch: number;
  seq: number;
  /** Sent with this epoch and seq, and never answered. */
  unknown: Write | undefined;
  last: Write | undefined;
}

/** A client that sends one request after the other, drawn from its own random source. */
export class SimClient {
  readonly #world: World;
  readonly #random: SimRandom;
  readonly #name: string;
  readonly #keys: readonly string[];
  readonly #producers = new Map<string, Producer>();
  /** Live reads under way. */
  readonly #live = new Set<Promise<void>>();
  #failure: unknown;
  #streamSeq = 0;

  constructor(world: World, id: number, random: SimRandom) {
    this.#world = world;
    this.#random = random;
    this.#name = `client ${id}`;
    const { buckets, ownStreams, sharedStreams } = world.plan;
    const streams = [
      ...Array.from({ length: ownStreams }, (_, at) => `own-${id}-${at}`),
      ...Array.from({ length: sharedStreams }, (_, at) => `all-${at}`),
    ];
    this.#keys = buckets.flatMap((bucket) => streams.map((stream) => `${bucket}/${stream}`));
  }

  /** Sends requests until the world drains. */
  async run(): Promise<void> {
    const { plan } = this.#world;
    while (!this.#world.draining) {
      await pause(this.#world, this.#random.next() * plan.thinkMsMax);
      const node = await this.#node();
      if (this.#world.draining) break;
      await this.#do(this.#draw(), node);
      if (this.#failure !== undefined) throw this.#failure;
    }
    await Promise.all(this.#live);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Any node that is up, or the first to be. */
  async #node(): Promise<SimNode> {
    const nodes = this.#world.serving;
    const up = nodes.filter(({ runtime }) => runtime !== undefined);
    if (up.length > 0) return oneOf(this.#random, up);
    return await Promise.race(nodes.map((node) => node.up().then(() => node)));
  }

  #draw(): Habit {
    let left = this.#random.below(SHARES_SUM);
    return SHARES.find(([, share]) => (left -= share) < 0)?.[0] ?? "append";
  }

  async #do(habit: Habit, node: SimNode): Promise<void> {
    const random = this.#random;
    const key = oneOf(random, this.#keys);
    const bucket = oneOf(random, this.#world.plan.buckets);
    if (this.#world.namespace.path(key).open >= OPEN_CALLS_MAX) return;
    switch (habit) {
      case "append":
        return await this.#append(node, key);
      case "read":
        return await this.#read(node, key);
      case "create":
        return await this.#create(node, key);
      case "head":
        await requests.read(this.#world, node, this.#name, {
          key,
          from: "now",
          maxBytes: 0,
          touch: false,
        });
        return;
      case "close":
        await requests.append(this.#world, node, this.#name, { type: "append", key, closed: true });
        return;
      case "remove":
        await requests.remove(this.#world, node, this.#name, {
          type: "delete",
          key,
          incarnation: this.#incarnation(key, 0.2),
        });
        return;
      case "fork":
        return await this.#fork(node, key);
      case "live":
        return await this.#follow(node, key);
      case "list": {
        const page = {
          prefix: oneOf(random, ["", "", "own-", "all-"]),
          after: random.chance(0.3) ? "all-1" : "",
          limit: oneOf(random, [1, 3, 1000]),
        };
        return await requests.list(this.#world, node, this.#name, bucket, page);
      }
      case "createBucket":
        return await requests.bucket(this.#world, node, this.#name, bucket, "create");
      case "deleteBucket":
        return await requests.bucket(this.#world, node, this.#name, bucket, "delete");
      case "describeBucket":
        return await requests.exists(this.#world, node, this.#name, bucket);
    }
  }

  async #append(node: SimNode, key: string): Promise<void> {
    const random = this.#random;
    const known = this.#world.book.get(key);
    const contentType = known !== undefined && random.chance(0.97)
      ? known.contentType
      : oneOf(random, CONTENT_TYPES);
    if (random.chance(0.5)) return await this.#produce(node, key, contentType);
    await requests.append(
      this.#world,
      node,
      this.#name,
      {
        type: "append",
        key,
        contentType,
        closed: random.chance(0.02),
        ifMatch: random.chance(0.15) ? known?.tail : undefined,
        streamSeq: random.chance(0.1) ? this.#nextStreamSeq() : undefined,
        incarnation: this.#incarnation(key, 0.15),
      },
      this.#draft(key, contentType),
    );
  }

  /** An append of an idempotent producer: what was not answered is sent again until it is. */
  async #produce(node: SimNode, key: string, contentType: string): Promise<void> {
    const random = this.#random;
    let producer = this.#producers.get(key);
    if (producer === undefined) {
      producer = { epoch: 0, seq: 0, unknown: undefined, last: undefined };
      this.#producers.set(key, producer);
    }
    let { epoch, seq } = producer;
    let write = producer.unknown;
    if (write === undefined && producer.last !== undefined && seq > 0 && random.chance(0.1)) {
      write = producer.last;
      seq--;
    } else if (write === undefined && random.chance(0.05)) {
      producer.epoch = ++epoch;
      producer.seq = seq = 0;
    }
    write ??= this.#draft(key, contentType);
    const answer = await requests.append(
      this.#world,
      node,
      this.#name,
      {
        type: "append",
        key,
        contentType: fits(write, contentType),
        closed: false,
        producer: { id: this.#name, epoch, seq },
      },
      write,
    );
    if (requests.isUnknown(answer)) {
      if (seq === producer.seq) producer.unknown = write;
      return;
    }
    if (seq === producer.seq) producer.unknown = undefined;
    if ("unavailable" in answer) return;
    if ("ok" in answer) {
      producer.last = write;
      producer.seq = seq + 1;
      return;
    }
    if (answer.refused === "producer_epoch_stale") producer.epoch = (answer.producerEpoch ?? 0) + 1;
    if (answer.refused.startsWith("producer_")) producer.seq = answer.expectedSeq ?? 0;
  }

  async #create(node: SimNode, key: string): Promise<void> {
    const random = this.#random;
    const contentType = random.chance(0.1) ? undefined : oneOf(random, CONTENT_TYPES);
    await requests.create(
      this.#world,
      node,
      this.#name,
      {
        type: "create",
        key,
        contentType,
        ...this.#lifetime(),
        closed: random.chance(0.03),
      },
      random.chance(0.5) ? "make" : "refuse",
      random.chance(0.3) ? this.#draft(key, contentType ?? "") : undefined,
    );
  }

  async #fork(node: SimNode, key: string): Promise<void> {
    const random = this.#random;
    const source = oneOf(random, this.#keys);
    if (source === key) return;
    const known = this.#world.book.get(source);
    const named = known !== undefined && random.chance(0.5);
    const offset = named ? oneOf(random, known.boundaries) : undefined;
    const subOffset = named && random.chance(0.4) ? random.below(6) : 0;
    const contentType = known !== undefined && random.chance(0.3) ? known.contentType : undefined;
    await requests.create(
      this.#world,
      node,
      this.#name,
      {
        type: "create",
        key,
        contentType,
        ...(random.chance(0.7) ? {} : this.#lifetime()),
        closed: false,
        fork: { source, offset, subOffset },
      },
      random.chance(0.3) ? "make" : "refuse",
      contentType !== undefined && random.chance(0.3) ? this.#draft(key, contentType) : undefined,
    );
  }

  async #read(node: SimNode, key: string): Promise<void> {
    const random = this.#random;
    await requests.read(this.#world, node, this.#name, {
      key,
      from: this.#from(key),
      maxBytes: oneOf(random, [1, 64, 1000, 100_000, 100_000]),
      incarnation: this.#incarnation(key, 0.3),
      touch: true,
    });
  }

  async #follow(node: SimNode, key: string): Promise<void> {
    const request = { key, from: this.#from(key), maxBytes: 1_000, touch: true };
    const answer = await requests.read(this.#world, node, this.#name, request);
    if (!("plan" in answer)) return;
    const { facts, next } = answer.plan;
    const start = { key, incarnation: facts.incarnation, offset: next };
    const durationMs = this.#random.next() * LIVE_MS_MAX;
    const life = LiveReader.follow(this.#world, node, this.#name, start, durationMs)
      .catch((error) => void (this.#failure ??= error))
      .finally(() => this.#live.delete(life));
    this.#live.add(life);
  }

  #from(key: string): ReadFrom {
    const random = this.#random;
    const known = this.#world.book.get(key);
    if (known === undefined || random.chance(0.5)) return "start";
    if (random.chance(0.1)) return "now";
    if (random.chance(0.1)) return known.tail + random.below(200);
    if (!known.json && random.chance(0.3)) return random.below(known.tail + 1);
    return oneOf(random, known.boundaries);
  }

  #incarnation(key: string, probability: number): string | undefined {
    return this.#random.chance(probability) ? this.#world.book.get(key)?.incarnation : undefined;
  }

  #lifetime(): { ttlSeconds?: number; expiresAtMs?: number } {
    const random = this.#random;
    if (random.chance(0.2)) return { ttlSeconds: 1 + random.below(TTL_SECONDS_MAX) };
    if (!random.chance(0.1)) return {};
    return { expiresAtMs: this.#world.groupNowMs() + random.below(4_000) };
  }

  #nextStreamSeq(): string {
    return String(++this.#streamSeq * 10 + this.#random.below(10)).padStart(8, "0");
  }

  #draft(key: string, contentType: string): Write {
    const { writes, plan } = this.#world;
    const isJson = contentType === "application/json";
    return writes.draw(key, isJson, plan.bodyBytesMax, this.#random);
  }
}

/** A body that is sent again keeps its form, whatever the stream has become. */
function fits(write: Write, contentType: string): string {
  if (write.json) return "application/json";
  return contentType === "application/json" ? "application/octet-stream" : contentType;
}

/** How long a healed cluster may take until it works again. */
const HEALED_MS = 10_000;
const HEALED_LOOK_MS = 50;

/** Makes certain that the node takes work: a stream of a new name, one append, and it is read. */
export async function proveProgress(world: World, node: SimNode, name: string): Promise<void> {
  const isSimple = world.nodes.length === 1 && world.plan.cold === undefined;
  const untilMs = world.clock.monotonicMs() + (isSimple ? 0 : HEALED_MS);
  for (let attempt = 0;; attempt++) {
    const answer = await tryProgress(world, node, `progress/${name}.${attempt}`);
    if (answer === undefined) return;
    if (world.clock.monotonicMs() < untilMs) {
      await pause(world, HEALED_LOOK_MS);
      continue;
    }
    throw new Violation("progress", `an append was answered ${JSON.stringify(answer)}`);
  }
}

async function tryProgress(world: World, node: SimNode, key: string) {
  const who = "probe";
  const write = world.writes.draw(key, false, 0, new SimRandom(0));
  const stream = { key, contentType: CONTENT_TYPES[0], closed: false };
  await requests.create(world, node, who, { type: "create", ...stream }, "make");
  const appended = await requests.append(world, node, who, { type: "append", ...stream }, write);
  const request = { key, from: "start", maxBytes: 1_000, touch: true } as const;
  const answer = await requests.read(world, node, who, request);
  if ("ok" in appended && "plan" in answer && answer.plan.next === write.bytes.length) return;
  return appended;
}
