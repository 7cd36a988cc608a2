import type { Answer, Group } from "../../group/mod.ts";
import { pause } from "../../io/mod.ts";
import { unlessAborted } from "../../storage/cold/mod.ts";
import type { FlushOptions, FlushPlan, ObjectName, StreamKey } from "../../stream/mod.ts";
import type { HotBytes } from "../hot_bytes.ts";
import type { ColdJob } from "./job.ts";
import type { ObjectNumbers } from "./numbers.ts";
import { proposed } from "./proposed.ts";
import { putObject } from "./put.ts";
import { pauseMs, type StoreHealth } from "./store_health.ts";
import type { ColdParts } from "./work.ts";

/** Hot bytes that have waited so long are flushed, however few they are (SPEC section 9). */
const FLUSH_AGE_MS = 5 * 60_000;
/** Above this part of the shard's bound memory is short, and whatever can be flushed is. */
const MEMORY_SHORT = 3 / 4;
/** Who asked for a flush waits for the one under way, and looks so often. */
const FLUSH_LOOK_MS = 10;

/** A flush under way. */
interface Flush {
  readonly group: Group;
  /** It goes on as long as this replica leads in this term; known once it does for sure. */
  term: number | undefined;
  readonly aborting: AbortController;
  /** Resolves to the bytes of messages that were flushed. */
  ended: Promise<number>;
}

/** What came of a flush that somebody asked for. */
export interface FlushedNow {
  /** Of messages. */
  readonly bytes: number;
  /** `late`: the store takes too long, or the log. */
  readonly ended: "done" | "not_leader" | "stopped" | "late";
}

/**
 * Puts the oldest hot bytes of the groups led here into objects. To a store that all nodes share it
 * uploads them and then commits the references; where each node has its own, the references alone,
 * and every replica writes its copy afterwards.
 *
 * Appends go on meanwhile. What a flush planned and no longer finds, because the stream is gone,
 * stays a hole in the object. An object that was uploaded and never referred to is swept later.
 */
export class Flusher implements ColdJob {
  readonly #parts: ColdParts;
  readonly #numbers: ObjectNumbers;
  readonly #health: StoreHealth;
  readonly #flushes = new Map<number, Flush>();
  #hot: HotBytes | undefined;
  #stopped = false;

  constructor(parts: ColdParts, numbers: ObjectNumbers, health: StoreHealth) {
    this.#parts = parts;
    this.#numbers = numbers;
    this.#health = health;
  }

  look(_nowMs: number, hot: HotBytes): void {
    this.#hot = hot;
    this.#begin();
  }

  /** Breaks off what a replica uploads that no longer leads. */
  tick(): void {
    for (const { group, term, aborting } of this.#flushes.values()) {
      if (!group.leads || (term !== undefined && group.status().term !== term)) {
        aborting.abort(new Error("this replica leads no more"));
      }
    }
  }

  /**
   * Flushes a stream's hot bytes as they are now, whatever is due, and nothing else of the group.
   * Answers how many those were, and why they are no more.
   */
  async flushNow(group: Group, key: StreamKey, limitMs: number): Promise<FlushedNow> {
    const { clock, tier: { setup } } = this.#parts;
    const untilMs = clock.monotonicMs() + limitMs;
    const options = { maxBytes: setup.flushMaxBytes, skips: (other: StreamKey) => other !== key };
    for (let bytes = 0;;) {
      while (this.#flushes.has(group.id) && !this.#stopped && clock.monotonicMs() < untilMs) {
        await pause(clock, FLUSH_LOOK_MS);
      }
      if (!group.leads) return { bytes, ended: "not_leader" };
      if (this.#stopped) return { bytes, ended: "stopped" };
      const wanted = group.state.cold.planFlush(options).length;
      if (wanted === 0) return { bytes, ended: "done" };
      if (clock.monotonicMs() >= untilMs) return { bytes, ended: "late" };
      const flush = this.#start(group, options);
      const timer = clock.setTimer(
        untilMs - clock.monotonicMs(),
        () => flush.aborting.abort(new Error("it takes too long")),
      );
      const flushed = await flush.ended;
      timer.cancel();
      bytes += flushed;
      // The log has no room, or the leadership is in doubt: not at once again.
      if (flushed === 0) {
        await pause(clock, FLUSH_LOOK_MS);
      }
      // With less than an object's worth, all that there was has gone; appends may go on for ever.
      if (wanted < setup.flushMaxBytes / 2 && flushed > 0) return { bytes, ended: "done" };
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    const flushes = [...this.#flushes.values()];
    for (const { aborting } of flushes) aborting.abort(new Error("the node stops"));
    await Promise.all(flushes.map(({ ended }) => ended));
  }

  /** Begins as many flushes as there may be, of the groups that need it most. */
  #begin(): void {
    const { tier: { setup }, groups } = this.#parts;
    if (this.#stopped || this.#flushes.size >= setup.flushesMax) return;
    const isShort = this.#isMemoryShort();
    const due: { readonly group: Group; readonly urgency: number }[] = [];
    for (const group of groups) {
      if (group.state.hotBytes === 0 || !group.leads) continue;
      if (this.#flushes.has(group.id)) continue;
      const urgency = isShort ? group.state.hotBytes : this.#urgency(group);
      if (isShort || urgency >= 1) due.push({ group, urgency });
    }
    due.sort((a, b) => b.urgency - a.urgency);
    for (const { group } of due.slice(0, setup.flushesMax - this.#flushes.size)) this.#start(group);
  }

  /** From 1 on a flush is due; rises with bytes and with time, so that none is passed over for ever. */
  #urgency({ state, nowMs }: Group): number {
    const bytes = state.hotBytes / Math.max(1, this.#parts.tier.setup.flushMinHotBytes);
    const { oldestHotMs } = state.cold;
    return oldestHotMs === undefined
      ? bytes
      : Math.max(bytes, (nowMs - oldestHotMs) / FLUSH_AGE_MS);
  }

  /** Pinned bytes left out: those are flushed, and more flushes would not let them go sooner. */
  #isMemoryShort(): boolean {
    let bytes = 0;
    for (const { state } of this.#parts.groups) {
      bytes += state.hotFootprint - state.cold.pinnedBytes;
    }
    return this.#hot !== undefined && bytes > this.#hot.bytesMax * MEMORY_SHORT;
  }

  #start(group: Group, options?: FlushOptions): Flush {
    const flush: Flush = {
      group,
      term: undefined,
      aborting: new AbortController(),
      ended: Promise.resolve(0),
    };
    this.#flushes.set(group.id, flush);
    const span = this.#parts.tracer?.begin("flush", { "ursula.group": group.id });
    flush.ended = this.#run(flush, options).catch((reason) => {
      if (!flush.aborting.signal.aborted) {
        this.#parts.log(`flush of group ${group.id}: ${reason}`, "warn");
      }
      return 0;
    }).then((bytes) => {
      this.#flushes.delete(group.id);
      span?.end({ "ursula.bytes": bytes });
      // What left out all that it planned waits for the next look, or it would go on and on.
      if (bytes > 0) this.#begin();
      return bytes;
    });
    return flush;
  }

  /** Answers how many bytes of messages were flushed. */
  async #run(flush: Flush, options?: FlushOptions): Promise<number> {
    const { group, aborting: { signal } } = flush;
    const { store, setup } = this.#parts.tier;
    // A new leader's state may still lack what was flushed before.
    const obstacle = await unlessAborted(Promise.resolve(group.lead()), signal);
    if (obstacle !== undefined) return 0;
    flush.term = group.status().term;
    const plan = group.state.cold.planFlush(options ?? { maxBytes: setup.flushMaxBytes });
    if (plan.ranges.length === 0) return 0;
    if (!store.isShared) return await this.#commit(flush, plan, () => {});
    const held = plan.retained();
    let put = Promise.resolve();
    try {
      return await this.#commit(flush, plan, async (object) => {
        for (let failures = 1;; failures++) {
          put = putObject(this.#parts, group.id, object, held, signal);
          try {
            await unlessAborted(put, signal);
            return this.#health.worked();
          } catch (reason) {
            signal.throwIfAborted();
            this.#health.failed(reason);
          }
          await this.#pause(failures, signal);
        }
      });
    } finally {
      // A put that was broken off may read on for a while.
      put.catch(() => {}).then(() => held.release());
    }
  }

  /** Puts the reference into the log once `upload` is through; anew where the number is taken. */
  async #commit(
    { group, term, aborting: { signal } }: Flush,
    { ranges, length }: FlushPlan,
    upload: (object: ObjectName) => Promise<void> | void,
  ): Promise<number> {
    for (;;) {
      const object = { ...this.#numbers.take(group), length };
      await upload(object);
      let answer: Answer;
      for (let failures = 1;; failures++) {
        if (!group.leads || group.status().term !== term) return 0;
        answer = await proposed(group, { type: "flush", object, ranges }, signal);
        if (!("unavailable" in answer) || answer.unavailable !== "overloaded") break;
        await this.#pause(failures, signal);
      }
      if ("unavailable" in answer) return 0;
      if (!("ok" in answer)) throw new Error(`a flush was refused: ${answer.refused}`);
      if (answer.ok === "condemned") continue;
      if (answer.ok !== "stored") throw new Error(`invariant: a flush is not ${answer.ok}`);
      this.#parts.counters.flushes++;
      this.#parts.counters.flushedBytes += answer.bytes;
      return answer.bytes;
    }
  }

  async #pause(failures: number, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#parts;
    await pause(clock, pauseMs(failures, random), signal);
    signal.throwIfAborted();
  }
}
