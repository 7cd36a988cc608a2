/**
 * Everything that clients asked for and were told, path by path and bucket by bucket, and what must
 * hold between them: no stream without its bucket, no fork without its source.
 *
 * @module
 */

import type { Answer, ReadAnswer, ReadRequest } from "../../../group/mod.ts";
import type { MissingBucket } from "../../../node/streams.ts";
import type { StreamFacts } from "../../../stream/mod.ts";
import { Violation } from "../violation.ts";
import {
  type BucketAction,
  type BucketCall,
  BucketModel,
  type BucketWindow,
} from "./bucket_model.ts";
import { PathModel, type PathWindow, show } from "./path_model.ts";
import type { StreamAnswer, StreamCall } from "./stream_model.ts";

/** Group time as the node under test has it, in ms. */
export interface GroupTimes {
  readonly min: number;
  readonly max: number;
}

/** A request about one path that is under way. */
export interface PathRequest {
  readonly path: PathModel;
  readonly number: number;
  readonly call: StreamCall;
  readonly bucket: BucketModel;
  readonly window: BucketWindow;
  readonly makes: BucketCall | undefined;
  readonly source: { readonly path: PathModel; readonly window: PathWindow } | undefined;
}

/** A request about a bucket that is under way. */
export interface BucketRequest {
  readonly bucket: BucketModel;
  readonly call: BucketCall;
  readonly streams: readonly { readonly path: PathModel; readonly window: PathWindow }[];
}

/** What a run tells of its nodes. */
export interface NamespaceWorld {
  /** Group time now, of the group of that path; while no node runs, as it was last. */
  times(key: string): GroupTimes;
  /**
   * Calls `decided` once a request that will not be answered has taken effect or never will;
   * undefined where that is so at once.
   *
   * @param over resolves once no process works on it any more
   */
  readonly undecided: ((over: Promise<unknown>, decided: () => void) => void) | undefined;
}

const OVER = Promise.resolve();

/** All paths and buckets of a run. */
export class Namespace {
  readonly #world: NamespaceWorld;
  readonly #paths = new Map<string, PathModel>();
  readonly #buckets = new Map<string, BucketModel>();
  #calls = 0;

  /** @param world where requests are sent */
  constructor(world: NamespaceWorld) {
    this.#world = world;
  }

  /** All paths that somebody asked for. */
  get paths(): Iterable<PathModel> {
    return this.#paths.values();
  }

  /** All buckets that somebody asked for. */
  get buckets(): Iterable<BucketModel> {
    return this.#buckets.values();
  }

  /** What is known of a path. */
  path(key: string): PathModel {
    let path = this.#paths.get(key);
    if (path === undefined) {
      const isAlone = this.#world.undecided === undefined;
      path = new PathModel(key, () => this.#world.times(key).max, isAlone);
      this.#paths.set(key, path);
    }
    return path;
  }

  /** What is known of a bucket. */
  bucket(id: string): BucketModel {
    let bucket = this.#buckets.get(id);
    if (bucket === undefined) this.#buckets.set(id, bucket = new BucketModel(id));
    return bucket;
  }

  /** A request about a path begins. */
  begin(
    command: StreamCall["command"],
    key: string,
    missingBucket: MissingBucket = "refuse",
  ): PathRequest {
    const path = this.path(key);
    const bucket = this.bucket(bucketOf(key));
    const fork = command.type === "create" ? command.fork : undefined;
    // Known before the time is asked for: a fork follows that of its source's group.
    path.wasForkPath ||= fork !== undefined;
    const call: StreamCall = {
      id: ++this.#calls,
      command,
      groupMs: this.#world.times(key).min,
      life: path.life,
    };
    const makes = missingBucket === "make" ? bucket.begin("make") : undefined;
    let source: PathRequest["source"];
    if (fork !== undefined) {
      const from = this.path(fork.source);
      from.mayHaveForks();
      source = { path: from, window: from.watch() };
    }
    return {
      path,
      number: path.call(call),
      call,
      bucket,
      window: bucket.watch(),
      makes,
      source,
    };
  }

  /** @throws Violation when nothing that may have happened explains the answer */
  end(request: PathRequest, answer: Answer | ReadAnswer | StreamAnswer): void {
    if ("unavailable" in answer) {
      if (answer.unavailable === "outcome_unknown") return this.lost(request);
      request.path.void(request.number);
      // The bucket may have been begun in some groups before one had no leader.
      if (this.#world.undecided === undefined) this.#endMaking(request, "nothing");
      else if (request.makes !== undefined) request.bucket.lost(request.makes);
      return this.#close(request);
    }
    this.#endMaking(request, isAbout(answer) ? "made" : "nothing");
    request.path.answer(request.number, request.call, answer);
    this.#close(request);
    this.#checkBucket(request, answer);
    if ("refused" in answer) this.#checkRefusal(request, answer.refused);
  }

  /**
   * The request will never be answered.
   *
   * @param over resolves once no process works on it any more
   */
  lost(request: PathRequest, over: Promise<unknown> = OVER): void {
    const { path, number, call } = request;
    const { undecided } = this.#world;
    if (undecided === undefined || !WRITES.has(call.command.type)) {
      path.lost([number]);
    } else {
      path.abandon(number);
      undecided(over, () => path.lost([number]));
    }
    if (request.makes !== undefined) request.bucket.lost(request.makes);
    this.#close(request);
  }

  /** A create or delete of a bucket begins. */
  beginBucket(id: string, action: BucketAction): BucketRequest {
    const bucket = this.bucket(id);
    const streams = [...this.#paths.values()]
      .filter(({ key }) => action === "delete" && bucketOf(key) === id)
      .map((path) => ({ path, window: path.watch() }));
    return { bucket, call: bucket.begin(action), streams };
  }

  /** @throws Violation when nothing that may have happened explains the answer */
  endBucket({ bucket, call, streams }: BucketRequest, answer: string): void {
    for (const { path, window } of streams) path.unwatch(window);
    // Some steps may have been taken before one was refused.
    if (UNAVAILABLE.has(answer)) return bucket.lost(call);
    if (answer === "bucket_busy") return bucket.void(call);
    bucket.end(call, answer);
    if (answer === "deleted") {
      const left = streams.find(({ window }) => !window.has("absent"));
      if (left !== undefined) {
        throw new Violation("buckets", `${bucket.id} was deleted, and ${left.path.key} was in it`);
      }
    }
    if (answer === "bucket_not_empty") {
      const watched = new Set(streams.map(({ path }) => path));
      const some = streams.some(({ path, window }) =>
        window.has("live") || window.has("gone") || path.isForkUnderWay
      );
      const isNew = (path: PathModel) => bucketOf(path.key) === bucket.id && !watched.has(path);
      if (!some && ![...this.#paths.values()].some(isNew)) {
        throw new Violation("buckets", `${bucket.id} was not deleted, and was empty`);
      }
    }
  }

  /** A request about a bucket will never be answered. */
  lostBucket({ bucket, call, streams }: BucketRequest): void {
    for (const { path, window } of streams) path.unwatch(window);
    bucket.lost(call);
  }

  /** A listing of a bucket begins. */
  beginListing(bucket: string): PathRequest[] {
    return [...this.#paths.values()]
      .filter(({ key, isForkUnderWay }) => bucketOf(key) === bucket && !isForkUnderWay)
      .map(({ key }) => this.begin({ type: "list" }, key));
  }

  /**
   * @param listed by key
   * @param covers does the page say of that key whether it is there?
   */
  endListing(
    requests: readonly PathRequest[],
    listed: ReadonlyMap<string, StreamFacts>,
    covers: (key: string) => boolean,
  ): void {
    for (const request of requests) {
      const { key } = request.path;
      if (covers(key)) this.end(request, { listed: listed.get(key) });
      else this.lost(request);
    }
    for (const key of listed.keys()) {
      if (!this.#paths.has(key)) throw new Violation("listings", `${key}: nobody made it`);
    }
  }

  /** The node is about to start again. */
  restarting(): void {
    for (const path of this.#paths.values()) path.forgetTouches();
  }

  /** Errands have been run: what was cut short is done or was given up. */
  settle(): void {
    for (const path of this.#paths.values()) path.settle();
    for (const bucket of this.#buckets.values()) bucket.settle();
  }

  #endMaking({ bucket, makes }: PathRequest, answer: "made" | "nothing"): void {
    if (makes !== undefined) bucket.end(makes, answer);
  }

  #close({ bucket, window, source }: PathRequest): void {
    bucket.unwatch(window);
    source?.path.unwatch(source.window);
  }

  #checkBucket({ path, bucket, window }: PathRequest, answer: StreamAnswer): void {
    if (isAbout(answer) && !window.open) {
      throw new Violation("buckets", `${path.key} is there, and its bucket ${bucket.id} is not`);
    }
    if ("refused" in answer && answer.refused === "bucket_not_found" && !window.absent) {
      throw new Violation("buckets", `${bucket.id} was there, and ${path.key} was refused for it`);
    }
  }

  #checkRefusal({ path, call, source }: PathRequest, refused: string): void {
    const { key } = path;
    const is = source?.window;
    const isWrong = (refused === "fork_source_not_found" && is?.has("absent") === false) ||
      (refused === "fork_source_gone" && is?.has("gone") === false) ||
      ((refused === "path_reserved" || refused === "fork_too_late") && !path.wasForkPath);
    if (isWrong) {
      throw new Violation("paths", `${key}: ${show(call.command)} was refused: ${refused}`);
    }
  }
}

const UNAVAILABLE: ReadonlySet<string> = new Set([
  "outcome_unknown",
  "overloaded",
  "stopping",
  "no_leader",
  "not_leader",
]);

const WRITES: ReadonlySet<string> = new Set(["create", "append", "delete"]);

/** Does the answer say that a stream is, or was, there? */
function isAbout(answer: StreamAnswer): boolean {
  return "plan" in answer || ("ok" in answer && answer.ok !== "moved") ||
    ("listed" in answer && answer.listed !== undefined);
}

/** The bucket of a path. */
export function bucketOf(key: string): string {
  return key.slice(0, key.indexOf("/"));
}

/** A read as a call. */
export function readCall(request: ReadRequest): StreamCall["command"] {
  return { type: "read", request };
}
