import type {
  Answer,
  BootstrapRequest,
  ReadAnswer,
  ReadRequest,
  Unavailable,
} from "../group/mod.ts";
import type { Clock } from "../io/mod.ts";
import { bucketOf } from "../protocol/mod.ts";
import { type Eventually, type Feed, Feeds, type GroupAccess, groupOf } from "../shard/mod.ts";
import type { AppendStream, CreateStream, DeleteStream, StreamKey } from "../stream/mod.ts";
import { Bootstrap, type BootstrapRefusal } from "./bootstrap.ts";
import type { Buckets } from "./buckets.ts";
import type { Forks } from "./forks.ts";
import { isMoved, type Moved } from "./moved.ts";
import { insist } from "./patience.ts";

/** Leaders may change while a watch begins, but hardly so often. */
const WATCH_TRIES_MAX = 3;

/** How a create treats a bucket that is not there. */
export type MissingBucket = "refuse" | "make";

/**
 * Streams by path: finds the group that holds each and follows a fork to where it lives. This is the
 * one place that decides which group serves a request.
 */
export class Streams {
  readonly #access: GroupAccess;
  readonly #clock: Clock;
  readonly #buckets: Buckets;
  readonly #forks: Forks;
  readonly #feeds: Feeds;

  constructor(access: GroupAccess, clock: Clock, buckets: Buckets, forks: Forks) {
    this.#access = access;
    this.#clock = clock;
    this.#buckets = buckets;
    this.#forks = forks;
    this.#feeds = new Feeds(access);
  }

  /** Group of a path, unless the path is a fork that lives elsewhere. */
  homeOf(key: StreamKey): number {
    return groupOf(key, this.#access.groupCount);
  }

  /** The group that holds a stream; undefined where there is no such stream. */
  whereabouts(key: StreamKey): Promise<number | undefined | Unavailable> {
    return this.#forks.whereabouts(key);
  }

  /** PUT (P§5.1). */
  async create(command: CreateStream, missingBucket: MissingBucket): Promise<Answer> {
    const create = () =>
      command.fork === undefined ? this.#createPlain(command) : this.#forks.create(command);
    if (missingBucket === "refuse") return await create();
    const found = await insist(this.#clock, async () => {
      const answer = await create();
      if (!isBucketMissing(answer)) return answer;
      const made = await this.#buckets.create(bucketOf(command.key));
      // The stream is not there, whatever became of the bucket.
      if ("unavailable" in made) return isUnknown(made) ? NO_LEADER : made;
      return await create();
    }, isBucketMissing);
    // Its making drags on, or others delete it as fast: that says nothing about the stream.
    return isBucketMissing(found) ? NO_LEADER : found;
  }

  /** POST (P§5.2). */
  append(command: AppendStream): Promise<Answer> {
    return new Promise((resolve) => {
      this.#access.propose(this.homeOf(command.key), command, (answer) => {
        resolve(isMoved(answer) ? this.#forks.submit(answer, command) : answer);
      });
    });
  }

  /** DELETE (P§5.4). */
  async delete(command: DeleteStream): Promise<Answer> {
    const answer = await this.#access.submit(this.homeOf(command.key), command);
    return isMoved(answer) ? await this.#forks.delete(answer, command) : answer;
  }

  /** GET and HEAD. */
  read(request: ReadRequest): Eventually<Exclude<ReadAnswer, Moved>> {
    const answer = this.#access.read(this.homeOf(request.key), request);
    if (answer instanceof Promise) return answer.then((value) => this.#followRead(value, request));
    return this.#followRead(answer, request);
  }

  /** Begins a bootstrap, which is to be ended. */
  bootstrap(request: BootstrapRequest): Promise<Bootstrap | BootstrapRefusal> {
    return Bootstrap.begin(this.#access, this.homeOf(request.key), request);
  }

  /**
   * The feed of a stream for a live read; undefined where that incarnation is over, or nobody could
   * tell in time.
   */
  watch(key: StreamKey, incarnation: string): Eventually<Feed | undefined> {
    const feed = this.#feeds.open(this.homeOf(key), key, incarnation);
    return feed instanceof Promise || feed === undefined
      ? this.#watch(key, incarnation, feed)
      : feed;
  }

  async #watch(
    key: StreamKey,
    incarnation: string,
    first: Eventually<Feed | undefined>,
  ): Promise<Feed | undefined> {
    const home = this.homeOf(key);
    let opening = first;
    for (let tries = 1;; tries++) {
      const feed = await opening ?? await this.#watchFork(key, incarnation, home);
      if (feed !== undefined || tries === WATCH_TRIES_MAX) return feed;
      // A watch does not wait for a leader, and one may have gone just now; a read waits.
      const request = { key, from: "now", maxBytes: 0, incarnation, touch: false } as const;
      if (!("plan" in await this.read(request))) return undefined;
      opening = this.#feeds.open(home, key, incarnation);
    }
  }

  /** The feed of a fork that lives in another group than its path says. */
  async #watchFork(
    key: StreamKey,
    incarnation: string,
    home: number,
  ): Promise<Feed | undefined> {
    const group = await this.#forks.whereabouts(key);
    return typeof group === "number" && group !== home
      ? await this.#feeds.open(group, key, incarnation)
      : undefined;
  }

  async #createPlain(command: CreateStream): Promise<Answer> {
    return await insist(this.#clock, async () => {
      const answer = await this.#access.submit(this.homeOf(command.key), command);
      if (!isMoved(answer)) return answer;
      if (!answer.linked) return PATH_RESERVED;
      return await this.#forks.createOver(answer, command);
    }, (answer) => "refused" in answer && answer.refused === "path_reserved");
  }

  #followRead(
    answer: ReadAnswer,
    request: ReadRequest,
  ): Eventually<Exclude<ReadAnswer, Moved>> {
    if (!("ok" in answer)) return answer;
    return this.#forks.read(answer, request);
  }
}

const NO_LEADER: Answer = { unavailable: "no_leader" };
const PATH_RESERVED: Answer = { refused: "path_reserved" };

function isUnknown(answer: Unavailable): boolean {
  return answer.unavailable === "outcome_unknown";
}

function isBucketMissing(answer: Answer): boolean {
  return "refused" in answer && answer.refused === "bucket_not_found";
}
