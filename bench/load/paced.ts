/**
 * Appends at a steady rate, whether or not the server keeps up: see {@linkcode PacedPlan}.
 *
 * What is due within a millisecond is sent at its end, and timed from then on: a server that holds
 * one append up holds up those behind it, and all of that is counted.
 *
 * @module
 */

import { ResponseReader } from "./http_response.ts";
import { connect, Poller, receive, sendText, Ticker } from "./libc.ts";
import { answer, type PacedPlan, type PacedResult, planOf } from "./plan.ts";
import { appendRequest } from "./requests.ts";
import { Latencies, nowMicros } from "./stamp.ts";
import { Window } from "./window.ts";

const TICK_MICROS = 1000;
/** So long is waited for the last answers. */
const PATIENCE_MS = 10_000;

const plan = planOf<PacedPlan>();
const body = "x".repeat(plan.messageBytes);
const poller = new Poller();
const connections = new Map<number, Connection>();
const idle: Connection[] = [];
/** When those were due that found no connection idle, the first of them at `#begun`. */
const waiting: number[] = [];
let begun = 0;
let answered = 0;
const latencies = new Latencies(plan.perSecond * plan.seconds);
/** By how much this program itself was late. */
const lateness = new Latencies(plan.seconds * 1e6 / TICK_MICROS);

/** Takes one append at a time. */
class Connection {
  readonly #fd: number;
  #dueMicros = 0;
  readonly #responses = new ResponseReader({
    onHead(status, head) {
      if (status >= 300) throw new Error(`an append was answered ${head.slice(0, 200)}`);
    },
    onBody() {},
    onEnd: () => {
      latencies.add(nowMicros() - this.#dueMicros);
      answered++;
      const next = waiting[begun];
      if (next === undefined) return void idle.push(this);
      begun++;
      this.append(next);
    },
  });

  constructor(fd: number) {
    this.#fd = fd;
  }

  append(dueMicros: number): void {
    this.#dueMicros = dueMicros;
    const stream = Math.floor(Math.random() * plan.streams);
    sendText(this.#fd, appendRequest(`${plan.prefix}s${stream}`, body));
  }

  take(bytes: Uint8Array, length: number): void {
    this.#responses.feed(bytes, length);
  }
}

const buffer = new Uint8Array(1 << 16);
const ticker = new Ticker(TICK_MICROS);
poller.add(ticker.fd);

/** Handles what is there; answers whether a tick was due. */
function poll(): boolean {
  const ready = poller.wait(PATIENCE_MS);
  let ticked = false;
  for (let i = 0; i < ready; i++) {
    const fd = poller.ready(i);
    if (fd === ticker.fd) {
      ticked = true;
      ticker.take();
      continue;
    }
    const length = receive(fd, buffer);
    if (length === 0) throw new Error("the server closed a connection");
    if (length > 0) connections.get(fd)?.take(buffer, length);
  }
  return ticked;
}

/** Those of `seconds`, and their answers. */
function appendFor(seconds: number): void {
  const count = Math.floor(plan.perSecond * seconds);
  const ticks = Math.ceil(seconds * 1e6 / TICK_MICROS);
  const begin = nowMicros();
  answered = 0;
  let due = 0;
  for (let tick = 0; answered < count;) {
    if (!poll()) continue;
    for (const now = nowMicros(); tick < ticks && begin + (tick + 1) * TICK_MICROS <= now;) {
      tick++;
      lateness.add(now - (begin + tick * TICK_MICROS));
      const until = Math.floor(count * tick / ticks);
      for (; due < until; due++) {
        const at = begin + tick * TICK_MICROS;
        const connection = idle.pop();
        if (connection === undefined) waiting.push(at);
        else connection.append(at);
      }
    }
    if (begun === waiting.length) waiting.length = begun = 0;
    if (nowMicros() > begin + seconds * 1e6 + PATIENCE_MS * 1000) {
      throw new Error(`of ${count} appends ${count - answered} were not answered`);
    }
  }
}

for (let i = 0; i < plan.connections; i++) {
  const fd = connect(plan.port);
  const connection = new Connection(fd);
  connections.set(fd, connection);
  idle.push(connection);
  poller.add(fd);
}
appendFor(plan.warmSeconds);
latencies.clear();
lateness.clear();
const window = new Window(plan.pid);
appendFor(plan.seconds);
const span = window.end();
const { count } = latencies;
const result: PacedResult = {
  perSecond: count * 1000 / span.wallMs,
  p50Ms: latencies.percentileMs(0.5),
  p99Ms: latencies.percentileMs(0.99),
  maxMs: latencies.percentileMs(1),
  lateP99Ms: lateness.percentileMs(0.99),
  cpuMicros: span.serverCpuMs * 1000 / count,
  loadShare: span.loadShare,
  othersShare: span.othersShare,
};
answer(result);
Deno.exit(0);
