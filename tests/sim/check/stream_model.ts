/**
 * What one path of streams does, told once more and briefly: SPEC section 3 and the base protocol,
 * from outside. Which bytes a stream holds is the ledger's business, not this one's.
 *
 * @module
 */

import type { Answer, ReadAnswer, ReadRequest } from "../../../group/mod.ts";
import {
  type AppendStream,
  coarseIntervalMs,
  type CreateStream,
  DEFAULT_CONTENT_TYPE,
  type DeleteStream,
  isJson,
  type ProducerStamp,
  type StreamFacts,
} from "../../../stream/mod.ts";
import type { Sequential, Step } from "./linearizer.ts";

/** A stream's lifetime, as its create asked for it; `inherited`: whatever the source had. */
export type Lifetime =
  | "inherited"
  | { readonly ttlSeconds: number | undefined; readonly expiresAtMs: number | undefined };

/** A stream that can be read. What no answer has told yet is undefined. */
export interface LiveStream {
  readonly is: "live";
  /** The call that made it. */
  readonly origin: CreateStream;
  readonly originId: number;
  readonly incarnation: string | undefined;
  readonly contentType: string | undefined;
  readonly tail: number | undefined;
  readonly closed: boolean;
  readonly closedBy: ProducerStamp | undefined;
  readonly lifetime: Lifetime;
  readonly streamSeq: string | undefined;
  readonly producers: Readonly<Record<string, { readonly epoch: number; readonly seq: number }>>;
  /** Group time at or before the last write, and the last read of this life of the node. */
  readonly writtenMs: number;
  readonly touchedMs: number;
}

/** What may be at a path. `gone`: deleted or expired, and kept for its forks. */
export type StreamState = { readonly is: "absent" } | { readonly is: "gone" } | LiveStream;

/** What is asked of a path. */
export interface StreamCall {
  /** Of all calls of a run. */
  readonly id: number;
  readonly command:
    | CreateStream
    | AppendStream
    | DeleteStream
    | { readonly type: "read"; readonly request: ReadRequest }
    /** A listing is asked for. */
    | { readonly type: "list" }
    /** A live read of that incarnation was ended. */
    | { readonly type: "ended"; readonly incarnation: string };
  /** Group time at or before the call, in ms. */
  readonly groupMs: number;
  /** How often nodes had started before: a read's touch dies with the life that it was made in. */
  readonly life: number;
}

/** What came of it. */
export type StreamAnswer =
  | Exclude<Answer | ReadAnswer, { unavailable: string }>
  | { readonly listed: StreamFacts | undefined }
  | { readonly ended: true };

/** Nothing is there. */
export const ABSENT: StreamState = { is: "absent" };
const GONE: StreamState = { is: "gone" };

/** Refusals of a create that other paths and the bucket decide. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  "bucket_not_found",
  "path_reserved",
  "fork_source_not_found",
  "fork_source_gone",
  "fork_offset_beyond_tail",
  "fork_sub_offset_invalid",
  "offset_not_boundary",
  "content_type_mismatch",
  "fork_too_late",
]);

/** One path. */
export class StreamModel implements Sequential<StreamState, StreamCall, StreamAnswer> {
  /** Somebody may have forked it: deleting may leave it `gone`. */
  mayHaveForks = false;
  /** How often nodes have started. */
  life = 0;
  /** Live reads under way, by incarnation: they hold a TTL off. */
  readonly held = new Map<string, number>();
  readonly #nowMs: () => number;
  readonly #readsTouch: boolean;

  /**
   * @param nowMs group time now, or later
   * @param readsTouch whether every read pushes the deadline back; it may be lost in a cluster,
   * where somebody else leads or comes to lead
   */
  constructor(nowMs: () => number, readsTouch: boolean) {
    this.#nowMs = nowMs;
    this.#readsTouch = readsTouch;
  }

  steps(state: StreamState, call: StreamCall): readonly Step<StreamState>[] {
    const { command, groupMs } = call;
    switch (command.type) {
      case "create":
        return createSteps(state, command, call);
      case "append":
        return appendSteps(state, command, groupMs);
      case "delete":
        return this.#deleteSteps(state, command);
      case "read":
        return this.#readSteps(state, command.request, call);
      case "list":
        return [{ next: state, answer: "listed" }];
      case "ended": {
        const mayBe = state.is !== "live" || state.incarnation !== command.incarnation;
        return mayBe ? [{ next: state, answer: "ended" }] : [];
      }
    }
  }

  drifts(state: StreamState): readonly StreamState[] {
    if (state.is === "absent") return [];
    if (state.is === "gone") return [ABSENT];
    const isHeld = state.incarnation !== undefined && this.held.has(state.incarnation);
    if (this.#nowMs() < expiryMs(state, isHeld)) return [];
    return this.#ended();
  }

  accept(
    step: Step<StreamState>,
    { command }: StreamCall,
    answer: StreamAnswer,
  ): StreamState | undefined {
    if (!agrees(step, answer)) return undefined;
    const facts = factsIn(answer);
    if (facts === undefined || step.next.is !== "live") return step.next;
    const fitted = fit(step.next, facts);
    return fitted && command.type === "create" && "ok" in answer && answer.ok === "created"
      ? { ...fitted, incarnation: facts.incarnation }
      : fitted;
  }

  learn(
    state: StreamState,
    step: Step<StreamState>,
    call: StreamCall,
    answer: StreamAnswer,
  ): StreamState | undefined {
    const then = this.accept(step, call, answer);
    if (then === undefined) return undefined;
    if (then.is !== "live" || state.is !== "live" || state.originId !== then.originId) return state;
    if (state.incarnation !== undefined && state.incarnation !== then.incarnation) return undefined;
    const { incarnation, contentType, lifetime } = then;
    return { ...state, incarnation, contentType: state.contentType ?? contentType, lifetime };
  }

  name(state: StreamState): string {
    return nameOf(state);
  }

  #deleteSteps(state: StreamState, command: DeleteStream): Step<StreamState>[] {
    if (state.is === "absent") return [{ next: state, answer: "stream_not_found" }];
    if (state.is === "gone") return [{ next: state, answer: "stream_gone" }];
    const steps: Step<StreamState>[] = [];
    const { incarnation } = state;
    const named = command.incarnation;
    if (named !== undefined && incarnation !== named) {
      steps.push({ next: state, answer: "incarnation_mismatch" });
    }
    if (named === undefined || incarnation === undefined || incarnation === named) {
      for (const next of this.#ended()) {
        steps.push({
          next,
          answer: incarnation === undefined ? "deleted" : `deleted ${incarnation}`,
        });
      }
    }
    return steps;
  }

  #readSteps(
    state: StreamState,
    request: ReadRequest,
    { groupMs, life }: StreamCall,
  ): Step<StreamState>[] {
    if (state.is === "absent") return [{ next: state, answer: "stream_not_found" }];
    if (state.is === "gone") return [{ next: state, answer: "stream_gone" }];
    const named = request.incarnation;
    const steps: Step<StreamState>[] = [];
    if (named !== undefined && named !== state.incarnation) {
      steps.push({ next: state, answer: "incarnation_mismatch" });
      if (state.incarnation !== undefined) return steps;
    }
    // What is overdue may end for all that it is still read.
    const isTouched = request.touch && this.#readsTouch && life === this.life;
    const next = isTouched && !this.isOverdue(state)
      ? { ...state, touchedMs: Math.max(groupMs, state.touchedMs) }
      : state;
    steps.push({ next, answer: "read" });
    return steps;
  }

  /** May it have expired already, live reads or not? */
  isOverdue(state: LiveStream): boolean {
    return this.#nowMs() >= expiryMs(state, false);
  }

  #ended(): StreamState[] {
    return this.mayHaveForks ? [ABSENT, GONE] : [ABSENT];
  }
}

const NAMES = new WeakMap<LiveStream, string>();

function nameOf(state: StreamState): string {
  if (state.is !== "live") return state.is;
  let name = NAMES.get(state);
  if (name === undefined) {
    NAMES.set(state, name = JSON.stringify({ ...state, origin: undefined }));
  }
  return name;
}

/** Group time before which the stream may not expire. */
function expiryMs({ lifetime, touchedMs }: LiveStream, isHeld: boolean): number {
  if (lifetime === "inherited") return 0;
  const { ttlSeconds, expiresAtMs } = lifetime;
  const idle = ttlSeconds === undefined || isHeld ? Infinity : touchedMs + ttlSeconds * 1000;
  return Math.min(idle, expiresAtMs ?? Infinity);
}

/** Group time at which it must have expired, if nobody touches it from `nowMs` on. */
export function expiredMs({ lifetime }: LiveStream, nowMs: number): number {
  if (lifetime === "inherited") return Infinity;
  const { ttlSeconds, expiresAtMs } = lifetime;
  const idle = ttlSeconds === undefined
    ? Infinity
    : nowMs + ttlSeconds * 1000 + coarseIntervalMs(ttlSeconds);
  return Math.min(idle, expiresAtMs ?? Infinity);
}

function createSteps(
  state: StreamState,
  command: CreateStream,
  { id, groupMs }: StreamCall,
): Step<StreamState>[] {
  if (state.is === "gone") return [{ next: state, answer: "stream_exists" }];
  if (state.is === "live") {
    const steps: Step<StreamState>[] = [];
    const same = matches(state, command);
    if (same !== false) steps.push({ next: state, answer: "existed" });
    if (same !== true) steps.push({ next: state, answer: "stream_exists" });
    return steps;
  }
  const { fork, body } = command;
  const bytes = body === undefined ? 0 : body.data.end - body.data.start;
  const asked = command.ttlSeconds !== undefined || command.expiresAtMs !== undefined;
  const next: LiveStream = {
    is: "live",
    origin: command,
    originId: id,
    incarnation: undefined,
    contentType: command.contentType ?? (fork === undefined ? DEFAULT_CONTENT_TYPE : undefined),
    tail: fork === undefined ? bytes : undefined,
    closed: command.closed,
    closedBy: undefined,
    lifetime: fork === undefined || asked
      ? { ttlSeconds: command.ttlSeconds, expiresAtMs: command.expiresAtMs }
      : "inherited",
    streamSeq: undefined,
    producers: {},
    writtenMs: groupMs,
    touchedMs: groupMs,
  };
  return [{ next, answer: "created" }, { next: state, answer: "elsewhere" }];
}

/** Does a create ask for what is there? Undefined where that is not known. */
function matches(state: LiveStream, command: CreateStream): boolean | undefined {
  const { origin } = state;
  if (command.closed !== state.closed) return false;
  if ((command.fork === undefined) !== (origin.fork === undefined)) return false;
  const { fork } = command;
  if (
    fork !== undefined &&
    (fork.source !== origin.fork?.source || fork.subOffset !== origin.fork.subOffset)
  ) return false;
  const offset = origin.fork?.offset;
  if (offset !== fork?.offset && (offset !== undefined || fork?.offset === undefined)) return false;
  const lifetime = sameLifetime(state, command);
  if (lifetime === false) return false;
  // The tail that a fork was made at may be the offset that is named now.
  if (offset !== fork?.offset || lifetime === undefined) return undefined;
  if (command.contentType === undefined && fork !== undefined) return true;
  if (state.contentType === undefined) return undefined;
  return (command.contentType ?? DEFAULT_CONTENT_TYPE) === state.contentType;
}

/** A fork that asked for no lifetime is matched by a request that asks for none, or for what it has. */
function sameLifetime({ origin, lifetime }: LiveStream, command: CreateStream) {
  const { ttlSeconds, expiresAtMs } = command;
  if (origin.fork !== undefined && ttlSeconds === undefined && expiresAtMs === undefined) {
    return origin.ttlSeconds === undefined && origin.expiresAtMs === undefined;
  }
  if (lifetime === "inherited") return undefined;
  return lifetime.ttlSeconds === ttlSeconds && lifetime.expiresAtMs === expiresAtMs;
}

function appendSteps(
  state: StreamState,
  command: AppendStream,
  groupMs: number,
): Step<StreamState>[] {
  if (state.is === "absent") return [{ next: state, answer: "stream_not_found" }];
  if (state.is === "gone") return [{ next: state, answer: "stream_gone" }];
  const steps: Step<StreamState>[] = [];
  const refuse = (answer: string) => steps.push({ next: state, answer });
  const named = command.incarnation;
  if (named !== undefined && state.incarnation !== named) {
    refuse("incarnation_mismatch");
    if (state.incarnation !== undefined) return steps;
  }
  const { body, producer, ifMatch, streamSeq } = command;
  if (state.closed) {
    refuse(isRepeatedClose(state, command) ? "repeated" : "stream_closed");
    return steps;
  }
  const verdict = producer && judge(state.producers[producer.id], producer);
  if (verdict !== undefined && verdict !== "accept") {
    refuse(verdict);
    return steps;
  }
  if (body !== undefined && state.contentType !== command.contentType) {
    refuse("content_type_mismatch");
    if (state.contentType !== undefined) return steps;
  }
  if (ifMatch !== undefined && ifMatch !== state.tail) {
    refuse("offset_mismatch");
    if (state.tail !== undefined) return steps;
  }
  const last = state.streamSeq;
  if (streamSeq !== undefined && last !== undefined && streamSeq <= last) {
    refuse("stream_seq_conflict");
    return steps;
  }
  const bytes = body === undefined ? 0 : body.data.end - body.data.start;
  const producers = producer === undefined ? state.producers : {
    ...state.producers,
    [producer.id]: { epoch: producer.epoch, seq: producer.seq },
  };
  const next: LiveStream = {
    ...state,
    tail: state.tail === undefined ? undefined : state.tail + bytes,
    closed: command.closed,
    closedBy: command.closed ? producer : undefined,
    streamSeq: streamSeq ?? last,
    producers,
    writtenMs: groupMs,
    touchedMs: Math.max(groupMs, state.touchedMs),
  };
  steps.push({ next, answer: "appended" });
  return steps;
}

function isRepeatedClose({ closedBy }: LiveStream, command: AppendStream): boolean {
  const { producer } = command;
  if (producer === undefined) return command.closed && command.body === undefined;
  return closedBy !== undefined && closedBy.id === producer.id &&
    closedBy.epoch === producer.epoch && closedBy.seq === producer.seq;
}

function judge(
  known: { readonly epoch: number; readonly seq: number } | undefined,
  { epoch, seq }: ProducerStamp,
): string {
  if (known === undefined) return seq === 0 ? "accept" : "producer_gap";
  if (epoch < known.epoch) return "producer_epoch_stale";
  if (epoch > known.epoch) return seq === 0 ? "accept" : "producer_epoch_start";
  if (seq <= known.seq) return "repeated";
  return seq === known.seq + 1 ? "accept" : "producer_gap";
}

/** Is it the answer that the step would be given? */
function agrees({ answer: expected, next }: Step<StreamState>, answer: StreamAnswer): boolean {
  if ("ended" in answer) return expected === "ended";
  if ("listed" in answer) {
    return expected === "listed" && (answer.listed !== undefined) === (next.is === "live");
  }
  if ("plan" in answer) return expected === "read";
  if ("refused" in answer) {
    const { refused } = answer;
    if (expected === refused) return true;
    if (expected === "elsewhere") return ELSEWHERE.has(refused);
    // Whether an offset is a boundary, the ledger knows best.
    return expected === "read" && refused === "offset_not_boundary";
  }
  if (answer.ok === "deleted") {
    return expected === "deleted" || expected === `deleted ${answer.incarnation}`;
  }
  return answer.ok === expected;
}

function factsIn(answer: StreamAnswer): StreamFacts | undefined {
  if ("plan" in answer) return answer.plan.facts;
  if ("listed" in answer) return answer.listed;
  return "facts" in answer ? answer.facts : undefined;
}

/** The stream with what an answer says of it; undefined where the answer speaks of another one. */
function fit(state: LiveStream, facts: StreamFacts): LiveStream | undefined {
  if ((state.incarnation ?? facts.incarnation) !== facts.incarnation) return undefined;
  if ((state.tail ?? facts.tail) !== facts.tail || state.closed !== facts.closed) return undefined;
  if ((state.contentType ?? facts.contentType) !== facts.contentType) return undefined;
  if (facts.json !== isJson(facts.contentType)) return undefined;
  const { ttlSeconds, expiresAtMs, incarnation, tail, contentType } = facts;
  const { lifetime } = state;
  if (
    lifetime !== "inherited" &&
    (lifetime.ttlSeconds !== ttlSeconds || lifetime.expiresAtMs !== expiresAtMs)
  ) return undefined;
  return { ...state, incarnation, tail, contentType, lifetime: { ttlSeconds, expiresAtMs } };
}
