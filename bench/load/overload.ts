/**
 * Appends at rates that may be more than the server can take: see {@linkcode OverloadPlan}.
 *
 * Arrivals keep their rate whatever comes of them. One that finds no connection idle is not sent,
 * and counted: in front of a server stands no endless line, but clients that have only so many
 * connections. All others are timed from when they were due.
 *
 * @module
 */

import { close, connect, Poller, receive, send, Ticker } from "./libc.ts";
import {
  answer,
  type OverloadPhase,
  type OverloadPhaseResult,
  type OverloadPlan,
  type OverloadResult,
  planOf,
} from "./plan.ts";
import { appendRequest } from "./requests.ts";
import { Latencies, nowMicros } from "./stamp.ts";
import { residentBytes, Window } from "./window.ts";

const TICK_MICROS = 1000;
/** So long is waited for the last answers. */
const PATIENCE_MS = 20_000;
/** How often the server's memory is looked at. */
const MEMORY_MICROS = 100_000;
/** Where a status line has its status, whose first digit tells what came of it. */
const STATUS_AT = "HTTP/1.1 ".length;
const TWO = 0x32;
const FOUR = 0x34;
const FIVE = 0x35;
const LINE_FEED = 0x0a;
const BRACE = 0x7d;

const plan = planOf<OverloadPlan>();
const encoder = new TextEncoder();
const requests = Array.from(
  { length: plan.streams },
  (_, n) => encoder.encode(appendRequest(`${plan.prefix}s${n}`, "x".repeat(plan.messageBytes))),
);
const poller = new Poller();
const connections = new Map<number, Connection>();
const idle: Connection[] = [];

/** What came of the appends of a phase. */
class Tally {
  readonly accepted: Latencies;
  readonly refused: Latencies;
  unsent = 0;
  broken = 0;
  unknown = 0;
  underWay = 0;
  /** When the last one was due, from the phase's begin, that was refused or slow. */
  lastBadMs = 0;

  constructor(readonly beganMicros: number, readonly slowMs: number, count: number) {
    this.accepted = new Latencies(count);
    this.refused = new Latencies(count);
  }

  answered(dueMicros: number, status: number): void {
    const micros = nowMicros() - dueMicros;
    this.underWay--;
    if (status === FOUR) {
      this.unknown++;
      return this.#bad(dueMicros);
    }
    const isRefused = status === FIVE;
    (isRefused ? this.refused : this.accepted).add(micros);
    if (isRefused || micros > this.slowMs * 1000) this.#bad(dueMicros);
  }

  notSent(dueMicros: number): void {
    this.unsent++;
    this.#bad(dueMicros);
  }

  #bad(dueMicros: number): void {
    this.lastBadMs = Math.max(this.lastBadMs, (dueMicros - this.beganMicros) / 1000);
  }
}

/** Takes one append at a time. */
class Connection {
  #fd: number;
  readonly #port: number;
  #dueMicros = 0;
  #status = 0;
  #tally: Tally | undefined;

  constructor(port: number) {
    this.#port = port;
    this.#fd = this.#open();
  }

  append(dueMicros: number, tally: Tally): void {
    this.#dueMicros = dueMicros;
    this.#tally = tally;
    this.#status = 0;
    tally.underWay++;
    // The index is below the number of streams.
    const request = requests[Math.floor(Math.random() * requests.length)] as typeof requests[0];
    try {
      send(this.#fd, request);
    } catch {
      this.#lost();
    }
  }

  /** Answers are short: what ends as one ends is one. */
  take(bytes: Uint8Array, length: number): void {
    if (length === 0) return this.#lost();
    if (this.#status === 0) this.#status = bytes[STATUS_AT] ?? 0;
    const status = this.#status;
    // 408 is what an append is told of which nobody knows what became.
    if (status !== TWO && status !== FIVE && status !== FOUR) {
      throw new Error(`an append was answered ${new TextDecoder().decode(bytes.slice(0, length))}`);
    }
    if (bytes[length - 1] !== (status === TWO ? LINE_FEED : BRACE)) return;
    this.#tally?.answered(this.#dueMicros, status);
    this.#tally = undefined;
    idle.push(this);
  }

  #lost(): void {
    poller.remove(this.#fd);
    connections.delete(this.#fd);
    close(this.#fd);
    if (this.#tally !== undefined) {
      this.#tally.broken++;
      this.#tally.underWay--;
      this.#tally = undefined;
      idle.push(this);
    }
    this.#fd = this.#open();
  }

  #open(): number {
    const fd = connect(this.#port);
    connections.set(fd, this);
    poller.add(fd);
    return fd;
  }
}

const buffer = new Uint8Array(1 << 16);
const ticker = new Ticker(TICK_MICROS);
poller.add(ticker.fd);

/** Handles what is there. */
function poll(): void {
  const ready = poller.wait(PATIENCE_MS);
  for (let i = 0; i < ready; i++) {
    const fd = poller.ready(i);
    if (fd === ticker.fd) {
      ticker.take();
      continue;
    }
    const length = receive(fd, buffer);
    if (length >= 0) connections.get(fd)?.take(buffer, length);
  }
}

let peakBytes = 0;
let lookedMicros = 0;

function residentOf(): number {
  return plan.pids.reduce((sum, pid) => sum + residentBytes(pid), 0);
}

function lookAtMemory(now: number): void {
  if (now - lookedMicros < MEMORY_MICROS) return;
  lookedMicros = now;
  peakBytes = Math.max(peakBytes, residentOf());
}

/** What is to be said of a phase; its latencies once all of it is answered. */
interface Phase {
  readonly tally: Tally;
  readonly counts: Pick<
    OverloadPhaseResult,
    "acceptedPerSecond" | "refusedPerSecond" | "unsentPerSecond" | "lateP99Ms"
  >;
  readonly span: Pick<OverloadPhaseResult, "loadShare" | "othersShare">;
}

function run({ perSecond, seconds }: OverloadPhase): Phase {
  const count = Math.floor(perSecond * seconds);
  const begin = nowMicros();
  const end = begin + seconds * 1e6;
  const tally = new Tally(begin, plan.slowMs, count);
  const lateness = new Latencies(count);
  const window = new Window(plan.pids);
  let due = 0;
  for (let now = begin; now < end; now = nowMicros()) {
    poll();
    now = nowMicros();
    const until = Math.min(count, Math.floor((now - begin) * perSecond / 1e6));
    if (due < until) lateness.add(now - (begin + due * 1e6 / perSecond));
    for (; due < until; due++) {
      const at = begin + due * 1e6 / perSecond;
      const connection = idle.pop();
      if (connection === undefined) tally.notSent(at);
      else connection.append(at, tally);
    }
    lookAtMemory(now);
  }
  const { loadShare, othersShare } = window.end();
  const counts = {
    acceptedPerSecond: tally.accepted.count / seconds,
    refusedPerSecond: tally.refused.count / seconds,
    unsentPerSecond: tally.unsent / seconds,
    lateP99Ms: lateness.percentileMs(0.99),
  };
  return { tally, counts, span: { loadShare, othersShare } };
}

function resultOf({ tally, counts, span }: Phase): OverloadPhaseResult {
  const { accepted, refused, broken, unknown, lastBadMs } = tally;
  return {
    ...counts,
    ...span,
    broken,
    unknown,
    lastBadMs,
    acceptedP50Ms: accepted.percentileMs(0.5),
    acceptedP99Ms: accepted.percentileMs(0.99),
    acceptedMaxMs: accepted.percentileMs(1),
    refusedP50Ms: refused.percentileMs(0.5),
    refusedP99Ms: refused.percentileMs(0.99),
  };
}

for (let i = 0; i < plan.connections; i++) {
  idle.push(new Connection(plan.ports[i % plan.ports.length] ?? 0));
}
run({ perSecond: plan.warmPerSecond, seconds: plan.warmSeconds });
const beforeBytes = residentOf();
const phases = plan.phases.map(run);
for (const deadline = nowMicros() + PATIENCE_MS * 1000;;) {
  const left = phases.reduce((sum, { tally }) => sum + tally.underWay, 0);
  if (left === 0) break;
  if (nowMicros() > deadline) throw new Error(`${left} appends were not answered`);
  poll();
}
await new Promise((resolve) => setTimeout(resolve, plan.settleSeconds * 1000));
const result: OverloadResult = {
  phases: phases.map(resultOf),
  beforeBytes,
  peakBytes,
  afterBytes: residentOf(),
};
answer(result);
Deno.exit(0);
