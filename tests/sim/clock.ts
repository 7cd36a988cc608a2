/**
 * Virtual time: events run in the order of their due times, ties in the order they were set.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { Clock, Timer } from "../../io/mod.ts";

class SimTimer implements Timer {
  cancelled = false;

  constructor(readonly dueMs: number, readonly order: number, readonly callback: () => void) {}

  cancel(): void {
    this.cancelled = true;
  }
}

/**
 * A clock that stands still until {@linkcode SimClock.run} or {@linkcode SimClock.step} moves it.
 * Between two events every promise that can settle does so: a run depends on its seed alone.
 */
export class SimClock implements Clock {
  #nowMs = 0;
  #order = 0;
  /** A binary heap, the next event first. */
  #events: SimTimer[] = [];

  /** What `wallMs` is ahead of `monotonicMs`; tests make it jump. */
  wallOffsetMs = Date.UTC(2026, 0, 1);

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs + this.wallOffsetMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = new SimTimer(this.#nowMs + Math.max(0, delayMs), this.#order++, callback);
    this.#push(timer);
    return timer;
  }

  defer(callback: () => void): void {
    this.setTimer(0, callback);
  }

  deferLast(callback: () => void): void {
    this.setTimer(0, () => this.setTimer(0, callback));
  }

  /** Runs the next event; false when there is none. */
  async step(): Promise<boolean> {
    await settled();
    let timer = this.#pop();
    while (timer?.cancelled) timer = this.#pop();
    if (timer === undefined) return false;
    this.#nowMs = timer.dueMs;
    timer.callback();
    await settled();
    return true;
  }

  /** Runs the events of the next `durationMs`, and leaves the clock at their end. */
  async run(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await settled();
    while (this.#nextMs() <= endMs) await this.step();
    this.#nowMs = endMs;
  }

  /**
   * Runs events until `outcome` settles, and gives what it gives.
   * @throws Error when events run out, or `limitMs` of virtual time pass, before it does
   */
  async until<T>(outcome: Promise<T>, limitMs = 600_000): Promise<T> {
    let pending = true;
    const over = () => {
      pending = false;
    };
    outcome.then(over, over);
    const endMs = this.#nowMs + limitMs;
    await settled();
    while (pending && this.#nextMs() <= endMs) await this.step();
    if (pending) throw new Error(`nothing came of it in ${this.#nowMs} ms of virtual time`);
    return await outcome;
  }

  #nextMs(): number {
    while (this.#events[0]?.cancelled) this.#pop();
    return this.#events[0]?.dueMs ?? Infinity;
  }

  #push(timer: SimTimer): void {
    const events = this.#events;
    let at = events.length;
    while (at > 0) {
      const parent = events[(at - 1) >> 1];
      if (parent === undefined || !before(timer, parent)) break;
      events[at] = parent;
      at = (at - 1) >> 1;
    }
    events[at] = timer;
  }

  #pop(): SimTimer | undefined {
    const events = this.#events;
    const first = events[0];
    const last = events.pop();
    if (last === undefined || events.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = events[child];
      if (left === undefined) break;
      const right = events[child + 1];
      const smaller = right !== undefined && before(right, left) ? right : left;
      if (smaller === right) child++;
      if (!before(smaller, last)) break;
      events[at] = smaller;
      at = child;
    }
    events[at] = last;
    return first;
  }
}

function before(one: SimTimer, other: SimTimer): boolean {
  return one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.order < other.order);
}

/** Resolves once the queue of microtasks has run dry: a macrotask only starts then. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
