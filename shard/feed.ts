import { joinSlices, type LiveEvent } from "../group/mod.ts";
import type { StreamFacts, StreamKey } from "../stream/mod.ts";
import type { GroupAccess } from "./access.ts";
import { Roster, type Seat } from "./roster.ts";

/** New bytes of a stream as every live reader on this shard gets them: rendered once, for all. */
export class FeedBatch {
  readonly from: number;
  readonly to: number;
  /** Stored form of `from` to `to`; undefined when there was too much to send along. */
  readonly bytes: Uint8Array | undefined;
  readonly closed: boolean;
  /** How many were there when it came. */
  readonly readers: number;
  readonly #renderings = new Map<string | number, unknown>();
  #lastName: string | number | undefined;
  #last: unknown;

  constructor(event: LiveEvent, readers: number) {
    this.readers = readers;
    this.from = event.from;
    this.to = event.to;
    this.bytes = event.slices && joinSlices(event.slices);
    this.closed = event.closed;
  }

  /** What `render` made of the batch the first time it was asked for under this name. */
  rendering<T>(name: string | number, render: () => T): T {
    // Most readers ask for what the one before them has asked for.
    if (name === this.#lastName) return this.#last as T;
    let rendered = this.#renderings.get(name) as T | undefined;
    if (rendered === undefined) this.#renderings.set(name, rendered = render());
    this.#lastName = name;
    this.#last = rendered;
    return rendered;
  }
}

/** A live read, as its feed sees it. */
export interface FeedReader {
  /** New bytes, or the news that the stream is closed. */
  onBatch(batch: FeedBatch): void;
  /** The incarnation is over, or this replica can no longer tell: end the read. */
  onEnd(): void;
}

/** What one shard knows of one stream that clients of that shard read live. */
export class Feed {
  readonly facts: StreamFacts;
  readonly #readers = new Roster<FeedReader>();
  readonly #onIdle: () => void;
  /** Who has asked for the feed and has yet to come: a watch is not given up before. */
  #expected = 0;
  #position: number;
  #closed: boolean;
  #ended = false;
  #lost = false;

  constructor(facts: StreamFacts, onIdle: () => void) {
    this.facts = facts;
    this.#position = facts.tail;
    this.#closed = facts.closed;
    this.#onIdle = onIdle;
  }

  /** Up to where readers have been told. */
  get position(): number {
    return this.#position;
  }

  /** The stream is closed: nothing follows after `position`. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Nothing will ever come. */
  get ended(): boolean {
    return this.#ended;
  }

  /** It has ended because the replica can no longer tell: the stream may well live on. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Says that a reader is on its way, who must {@linkcode Feed.add} itself, or {@linkcode Feed.forsake}. */
  expect(): this {
    this.#expected++;
    return this;
  }

  /** Begins to tell a reader. */
  add(reader: FeedReader): Seat<FeedReader> {
    if (this.#expected > 0) this.#expected--;
    return this.#readers.add(reader);
  }

  /** Stops telling a reader. */
  remove(seat: Seat<FeedReader>): void {
    if (!this.#readers.remove(seat) || this.#ended) return;
    if (this.#readers.size === 0 && this.#expected === 0) this.#onIdle();
  }

  /** Who was on its way does not come. */
  forsake(): void {
    if (this.#expected > 0) this.#expected--;
    if (this.#readers.size === 0 && this.#expected === 0 && !this.#ended) this.#onIdle();
  }

  /** Passes an event of the owner on. */
  deliver(event: LiveEvent): void {
    if (event.ended) {
      this.#ended = true;
      this.#lost = event.lost === true;
      this.#readers.forEach((reader) => reader.onEnd());
      return;
    }
    this.#position = event.to;
    this.#closed = event.closed;
    const batch = new FeedBatch(event, this.#readers.size);
    this.#readers.forEach((reader) => reader.onBatch(batch));
  }
}

/** The feeds of one shard: one per stream and incarnation, however many readers it has. */
export class Feeds {
  readonly #access: GroupAccess;
  readonly #feeds = new Map<string, Promise<Feed | undefined> | Feed>();

  constructor(access: GroupAccess) {
    this.#access = access;
  }

  /** How many streams are watched from here. */
  get size(): number {
    return this.#feeds.size;
  }

  /**
   * The feed of a stream; undefined where that incarnation is not there (any more). Whoever asks
   * must add a reader to it: until then the stream is watched.
   */
  open(
    group: number,
    key: StreamKey,
    incarnation: string,
  ): Promise<Feed | undefined> | Feed | undefined {
    const name = `${incarnation} ${key}`;
    const known = this.#feeds.get(name);
    if (known !== undefined) return expected(known);
    let feed: Feed | undefined;
    const early: LiveEvent[] = [];
    const watcher = (event: LiveEvent) => {
      if (feed === undefined) return void early.push(event);
      if (event.ended) this.#feeds.delete(name);
      feed.deliver(event);
    };
    const begin = (facts: StreamFacts | undefined): Feed | undefined => {
      this.#feeds.delete(name);
      if (facts === undefined) return undefined;
      feed = new Feed(facts, () => {
        this.#feeds.delete(name);
        this.#access.unwatch(group, key, watcher);
      });
      this.#feeds.set(name, feed);
      for (const event of early) watcher(event);
      return feed;
    };
    const watched = this.#access.watch(group, key, incarnation, watcher);
    if (!(watched instanceof Promise)) return begin(watched)?.expect();
    const opening = watched.then(begin);
    this.#feeds.set(name, opening);
    return expected(opening);
  }
}

/** All who wait for one feed are expected before the first of them can leave it. */
function expected(
  feed: Promise<Feed | undefined> | Feed,
): Promise<Feed | undefined> | Feed {
  return feed instanceof Promise ? feed.then((opened) => opened?.expect()) : feed.expect();
}
