/**
 * What the programs of this folder are told, on their command line, and what they answer, on
 * standard output: one JSON value each.
 *
 * @module
 */

/** Where the server is. */
export interface Place {
  /** Its port on 127.0.0.1. */
  port: number;
  /** Its process, whose CPU time is read. */
  pid: number;
  /** What stands before a stream's name in a path, such as `/v1/stream/`. */
  prefix: string;
}

/** For `create.ts`: make the streams `s0` to `s{count-1}`. */
export interface CreatePlan extends Place {
  count: number;
}

/** For `paced.ts`: appends to `s0` to `s{streams-1}`, so many a second. */
export interface PacedPlan extends Place {
  connections: number;
  streams: number;
  messageBytes: number;
  perSecond: number;
  warmSeconds: number;
  seconds: number;
}

/** From `paced.ts`. */
export interface PacedResult {
  /** Appends that were answered. */
  perSecond: number;
  /** From when an append was due to its answer. */
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  /** By how much the load generator itself was late. */
  lateP99Ms: number;
  /** Server CPU per append, in microseconds. */
  cpuMicros: number;
  /** The load generator's share of its core, 0 to 1. */
  loadShare: number;
  /** What other processes took of the two cores, as a share of one. */
  othersShare: number;
}

/** Arrivals at a steady rate. */
export interface OverloadPhase {
  perSecond: number;
  /** Whole seconds. */
  seconds: number;
}

/** For `overload.ts`: appends to `s0` to `s{streams-1}`, phase after phase. */
export interface OverloadPlan {
  /** Connections are dealt out to these in turn. */
  ports: readonly number[];
  /** The servers. */
  pids: readonly number[];
  prefix: string;
  connections: number;
  streams: number;
  messageBytes: number;
  warmPerSecond: number;
  warmSeconds: number;
  phases: readonly OverloadPhase[];
  /** An append that takes longer counts as slow. */
  slowMs: number;
  /** How long the server is left alone before its memory is read once more. */
  settleSeconds: number;
}

/** What became of the appends of a phase. */
export interface OverloadPhaseResult {
  /** Answered within the phase. */
  acceptedPerSecond: number;
  refusedPerSecond: number;
  /** Found no connection idle. */
  unsentPerSecond: number;
  /** Whose connection was closed before an answer. */
  broken: number;
  /** Nobody could say what became of them. */
  unknown: number;
  /** From when an append was due to its answer. */
  acceptedP50Ms: number;
  acceptedP99Ms: number;
  acceptedMaxMs: number;
  refusedP50Ms: number;
  refusedP99Ms: number;
  /** When the last one was due, from the phase's begin, that was slow, refused or not sent. */
  lastBadMs: number;
  /** By how much the load generator itself was late. */
  lateP99Ms: number;
  loadShare: number;
  othersShare: number;
}

/** From `overload.ts`. */
export interface OverloadResult {
  phases: OverloadPhaseResult[];
  /** Resident memory of the servers. */
  beforeBytes: number;
  peakBytes: number;
  afterBytes: number;
}

/** For `publish.ts`: snapshots of that many bytes, one after the other, for so many seconds. */
export interface PublishPlan extends Place {
  bytes: number;
  seconds: number;
}

/** From `publish.ts`. */
export interface PublishResult {
  published: number;
}

/** For `live.ts`. */
export interface LivePlan extends Place {
  mode: "sse" | "long-poll";
  /** How many readers, dealt out to the streams in turn. */
  readers: number;
  streams: number;
  /** Appends per second to each stream. */
  hz: number;
  messageBytes: number;
  warmSeconds: number;
  seconds: number;
}

/** From `live.ts`. */
export interface LiveResult {
  /** Messages that reached readers within the window. */
  deliveries: number;
  /** The share of those that should have reached them. */
  deliveredShare: number;
  p50Ms: number;
  p99Ms: number;
  /** Server CPU per delivery, in microseconds. */
  cpuMicros: number;
  /** The load generator's share of its core, 0 to 1. */
  loadShare: number;
  /** What other processes took of the two cores, as a share of one. */
  othersShare: number;
}

/** For `catch_up.ts`. */
export interface CatchUpPlan extends Place {
  clients: number;
  messages: number;
  messageBytes: number;
  /** How often all clients read at once; the first two do not count. */
  bursts: number;
}

/** From `catch_up.ts`. */
export interface CatchUpResult {
  p50Ms: number;
  p99Ms: number;
  loadShare: number;
  othersShare: number;
}

/** For `bootstrap.ts`. */
export interface BootstrapPlan extends Place {
  /** Of the stream, on the bucketed form. */
  path: string;
  messages: number;
  messageBytes: number;
  /** Makes the stream, instead of reading it. */
  fills: boolean;
}

/** From `bootstrap.ts`, where it reads. */
export interface BootstrapResult {
  /** What the server's resident memory grew by, at most. */
  addedBytes: number;
  /** Of the body. */
  bytes: number;
  seconds: number;
}

/** The plan that this program was started with. */
export function planOf<T>(): T {
  return JSON.parse(Deno.args[0] ?? "{}") as T;
}

/** Answers the program that started this one. */
export function answer(result: unknown): void {
  console.log(JSON.stringify(result));
}
