import type { Clock, Timer } from "../io/mod.ts";
import type { Answer, Group, ReadAnswer, ReadRequest, Watcher } from "../group/mod.ts";
import type { Command, StreamFacts, StreamKey } from "../stream/mod.ts";
import type { Eventually, GroupAccess, GroupFacts, Survey, SurveyAnswers } from "./access.ts";
import type { Lane } from "./lane.ts";

/** How often deadlines, elections and bounds are looked at. */
const TICK_MS = 50;

/** What a shard may hold. */
export interface ShardBounds {
  /** Bytes of streams in memory; beyond it what would add bytes is `overloaded`. */
  readonly hotBytesMax: number;
}

/** One core: the groups it owns, and the turns of their journals. */
export class Shard implements GroupAccess {
  readonly groupCount: number;
  readonly #clock: Clock;
  readonly #bounds: ShardBounds;
  readonly #lanes: readonly Lane[];
  readonly #groups = new Map<number, Group>();
  #hotBytes = 0;
  #diskLow = false;
  #stopping = false;
  #ticker: Timer | undefined;

  constructor(options: {
    groupCount: number;
    clock: Clock;
    bounds: ShardBounds;
    lanes: readonly Lane[];
  }) {
    this.groupCount = options.groupCount;
    this.#clock = options.clock;
    this.#bounds = options.bounds;
    this.#lanes = options.lanes;
    for (const lane of options.lanes) {
      for (const group of lane.groups) this.#groups.set(group.id, group);
    }
    this.#tick();
  }

  /** Whether the group lives here. */
  owns(group: number): boolean {
    return this.#groups.has(group);
  }

  /** Ids of the groups that live here. */
  get groups(): IterableIterator<number> {
    return this.#groups.keys();
  }

  /** Set while the disk is so full that what would add bytes is refused. */
  set diskLow(low: boolean) {
    this.#diskLow = low;
  }

  propose(group: number, command: Command, done: (answer: Answer) => void): void {
    if (this.#stopping) return done({ unavailable: "stopping" });
    if (this.#overloaded && addsBytes(command)) return done({ unavailable: "overloaded" });
    this.#group(group).propose(command, done);
  }

  submit(group: number, command: Command): Promise<Answer> {
    return new Promise((resolve) => this.propose(group, command, resolve));
  }

  read(group: number, request: ReadRequest): ReadAnswer {
    return this.#group(group).read(request);
  }

  survey<A extends Survey["about"]>(
    group: number,
    survey: Extract<Survey, { about: A }>,
  ): SurveyAnswers[A] {
    return answerSurvey(this.#group(group), survey) as SurveyAnswers[A];
  }

  watch(
    group: number,
    key: StreamKey,
    incarnation: string,
    watcher: Watcher,
  ): Eventually<StreamFacts | undefined> {
    return this.#group(group).watch(key, incarnation, watcher);
  }

  unwatch(group: number, key: StreamKey, watcher: Watcher): void {
    this.#group(group).unwatch(key, watcher);
  }

  /** Has every group elect this node, its only voter; resolves once all have caught up. */
  async lead(): Promise<void> {
    for (const group of this.#groups.values()) group.campaign();
    for (const lane of this.#lanes) await lane.drain();
    const waiting = [...this.#groups.values()].find((group) => !group.ready);
    if (waiting !== undefined) throw new Error(`group ${waiting.id} did not come to lead itself`);
  }

  /** Takes no new commands, finishes those under way and ends live reads. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const group of this.#groups.values()) group.endWatches();
    for (const lane of this.#lanes) await lane.drain();
    this.abandon();
  }

  /** Stops at once: whatever waits gets an unknown outcome. */
  abandon(): void {
    this.#stopping = true;
    this.#ticker?.cancel();
    for (const group of this.#groups.values()) group.close();
  }

  get #overloaded(): boolean {
    return this.#diskLow || this.#hotBytes > this.#bounds.hotBytesMax;
  }

  #tick(): void {
    let hotBytes = 0;
    const nowMs = this.#clock.monotonicMs();
    for (const group of this.#groups.values()) {
      group.tick(nowMs);
      hotBytes += group.state.hotFootprint;
    }
    this.#hotBytes = hotBytes;
    this.#ticker = this.#clock.setTimer(TICK_MS, () => this.#tick());
  }

  #group(id: number): Group {
    const group = this.#groups.get(id);
    if (group === undefined) throw new Error(`group ${id} does not live on this shard`);
    return group;
  }
}

function addsBytes(command: Command): boolean {
  return command.type === "create" || (command.type === "append" && command.body !== undefined);
}

function answerSurvey(group: Group, survey: Survey): SurveyAnswers[Survey["about"]] {
  const { state } = group;
  switch (survey.about) {
    case "streams": {
      const { prefix, after, limit } = survey.page;
      return state.listStreams(survey.bucket, prefix, after || undefined, limit);
    }
    case "buckets": {
      const { prefix, after, limit } = survey.page;
      return state.listBuckets(prefix, after || undefined, limit);
    }
    case "bucket":
      return state.bucket(survey.bucket);
    case "errands":
      return {
        intents: state.pendingIntents(),
        reservations: state.pendingReservations(group.nowMs),
        unlinks: state.pendingUnlinks(),
      };
    case "link":
      return state.linkOf(survey.key);
    case "group":
      return groupFacts(group);
  }
}

function groupFacts(group: Group): GroupFacts {
  const { leader, term, lastIndex, commitIndex, appliedIndex } = group.status();
  const { id, state, ready, nowMs } = group;
  return {
    id,
    leader,
    term,
    lastIndex,
    commitIndex,
    appliedIndex,
    ready,
    hotBytes: state.hotBytes,
    streams: state.streamCount,
    nowMs,
  };
}
