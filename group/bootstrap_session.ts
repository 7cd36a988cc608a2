import {
  type GroupState,
  type HotMessages,
  type MessagePlan,
  release,
  retain,
  type StreamFacts,
  type StreamKey,
} from "../stream/mod.ts";
import type { Keeper, KeptBytes } from "./kept_bytes.ts";

/** Bytes of messages that a bootstrap asks for at a time. */
export const STRETCH_BYTES = 256 * 1024;
/** Memory that a slice takes beside its bytes. */
const SLICE_OVERHEAD_BYTES = 64;

/**
 * One bootstrap: what of a stream it still has to hand out. It looks bytes up by their offset, so
 * that flushing them does not matter; what is trimmed meanwhile it keeps.
 */
export class BootstrapSession implements Keeper {
  readonly key: StreamKey;
  /** Whatever is appended behind is not its business. */
  readonly end: number;
  keptBytes = 0;
  /** When it was last heard of. */
  usedMs: number;
  /** Why there is nothing more to come. */
  broken: string | undefined;
  #position: number;
  readonly #incarnation: string;
  /** What was trimmed since and is yet to be handed out, in order. */
  #kept: MessagePlan[] = [];
  readonly #all: KeptBytes;

  constructor(
    facts: StreamFacts,
    key: StreamKey,
    /** When it began. */
    readonly begunMs: number,
    all: KeptBytes,
  ) {
    this.key = key;
    this.end = facts.tail;
    this.usedMs = begunMs;
    this.#position = facts.earliest;
    this.#incarnation = facts.incarnation;
    this.#all = all;
  }

  /**
   * The next stretch; undefined where the session is broken off. Valid until the next `apply`. One
   * that is not admitted is not taken: it comes again.
   */
  take(state: GroupState, admits: (plan: MessagePlan) => boolean): MessagePlan | undefined {
    if (this.broken !== undefined) return undefined;
    const kept = this.#kept[0];
    const plan = kept ?? this.#plan(state, this.#position, this.end);
    if (plan === undefined) return this.breakOff("the stream is no longer what it was");
    if (!admits(plan)) return plan;
    if (kept !== undefined) this.#letGo(this.#kept.splice(0, 1));
    this.#position = plan.to;
    return plan;
  }

  /** Keeps what lies before `offset`, for it is about to be trimmed; answers how to let it go again. */
  keep(state: GroupState, offset: number): (() => void) | undefined {
    const to = Math.min(offset, this.end);
    let at = this.#kept.at(-1)?.to ?? this.#position;
    if (this.broken !== undefined || at >= to) return undefined;
    const before = this.#kept;
    const added: MessagePlan[] = [];
    while (at < to) {
      const plan = this.#plan(state, at, to);
      if (plan === undefined) break;
      added.push(plan);
      at = plan.to;
    }
    for (const { slab, start, end } of slicesOf(added)) retain(slab, end - start);
    this.#count(footprintOf(added));
    this.#kept = [...before, ...added];
    return () => {
      this.#kept = before;
      this.#letGo(added);
    };
  }

  breakOff(reason: string): undefined {
    this.broken ??= reason;
    this.#letGo(this.#kept);
    this.#kept = [];
  }

  #plan(state: GroupState, from: number, to: number): MessagePlan | undefined {
    const limit = Math.min(to, from + STRETCH_BYTES);
    const found = state.readMessages(this.key, from, limit, this.#incarnation);
    return "pieces" in found && found.to === limit ? found : undefined;
  }

  #letGo(plans: readonly MessagePlan[]): void {
    for (const { slab, start, end } of slicesOf(plans)) release(slab, end - start);
    this.#count(-footprintOf(plans));
  }

  #count(bytes: number): void {
    this.keptBytes += bytes;
    this.#all.bytes += bytes;
  }
}

function hotOf(plans: readonly MessagePlan[]): HotMessages[] {
  return plans.flatMap(({ pieces }) => pieces.filter((piece) => "slices" in piece));
}

function slicesOf(plans: readonly MessagePlan[]): HotMessages["slices"][number][] {
  return hotOf(plans).flatMap(({ slices }) => slices);
}

function footprintOf(plans: readonly MessagePlan[]): number {
  let bytes = 0;
  for (const { from, to, slices, ends } of hotOf(plans)) {
    bytes += to - from + ends.byteLength + SLICE_OVERHEAD_BYTES * slices.length;
  }
  return bytes;
}
