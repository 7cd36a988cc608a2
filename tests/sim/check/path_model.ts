import { Violation } from "../violation.ts";
import { Linearizer } from "./linearizer.ts";
import {
  ABSENT,
  type StreamAnswer,
  type StreamCall,
  StreamModel,
  type StreamState,
} from "./stream_model.ts";

/** What may have been at a path between two moments. */
export type PathWindow = Set<StreamState["is"]>;

/** One path: every answer about it must be explained by one order of all requests. */
export class PathModel {
  /** Somebody has tried to make a fork of this name: the path may be reserved. */
  wasForkPath = false;
  readonly #model: StreamModel;
  readonly #paths: Linearizer<StreamState, StreamCall, StreamAnswer>;
  readonly #windows = new Set<PathWindow>();
  /** Calls of forks that a crash cut short: the sweep may yet finish them. */
  readonly #cutShort = new Set<number>();
  readonly #forkCalls = new Set<number>();
  readonly #readsTouch: boolean;

  /** @param nowMs, readsTouch see {@linkcode StreamModel} */
  constructor(readonly key: string, nowMs: () => number, readsTouch = true) {
    this.#readsTouch = readsTouch;
    this.#model = new StreamModel(nowMs, readsTouch);
    this.#paths = new Linearizer(this.#model, ABSENT);
  }

  /** Is a fork of this name being made, or was it cut short? */
  get isForkUnderWay(): boolean {
    return this.#forkCalls.size > 0 || this.#cutShort.size > 0;
  }

  /** Calls that have no answer yet, or never will have one. */
  get open(): number {
    return this.#paths.open;
  }

  /** States that explain all answers so far. */
  get states(): readonly StreamState[] {
    return this.#paths.states;
  }

  /** Somebody asks for a fork of it. */
  mayHaveForks(): void {
    this.#model.mayHaveForks = true;
  }

  /** Begins to note what may be here. */
  watch(): PathWindow {
    const window: PathWindow = new Set();
    this.#windows.add(window);
    this.#note(window);
    return window;
  }

  /** Ends what {@linkcode PathModel.watch} began, and completes the window. */
  unwatch(window: PathWindow): PathWindow {
    this.#note(window);
    this.#windows.delete(window);
    return window;
  }

  /** How often nodes have started while the path was known. */
  get life(): number {
    return this.#model.life;
  }

  /** A request begins. */
  call(call: StreamCall): number {
    const number = this.#paths.call(call);
    if (call.command.type === "create" && call.command.fork !== undefined) {
      this.#forkCalls.add(number);
    }
    this.#noteAll();
    return number;
  }

  /** @throws Violation when no order of all that was asked explains the answer */
  answer(number: number, call: StreamCall, answer: StreamAnswer): void {
    this.#noteAll();
    this.#forkCalls.delete(number);
    const before = this.#paths.states;
    if (this.#paths.answer(number, answer)) return this.#noteAll();
    throw new Violation(
      "paths",
      `${this.key}: ${show(call.command)} was answered ${show(answer)}; ` +
        `it was one of ${before.map(show).join(" | ")}, with ${this.#paths.open} calls open`,
    );
  }

  /** The request did nothing. */
  void(number: number): void {
    this.#forkCalls.delete(number);
    this.#paths.void(number);
  }

  /** The request will never be answered. */
  lost(numbers: readonly number[]): void {
    const over = numbers.filter((number) => !this.#forkCalls.has(number));
    for (const number of numbers) {
      if (!this.#forkCalls.delete(number)) continue;
      this.#cutShort.add(number);
      this.#paths.abandon(number);
    }
    this.#paths.giveUp(over);
    this.#noteAll();
  }

  /** The request will never be answered, and may take effect until it is {@linkcode lost}. */
  abandon(number: number): void {
    this.#paths.abandon(number);
    this.#noteAll();
  }

  /** A live read of that incarnation begins. */
  hold(incarnation: string): void {
    if (!this.#readsTouch) return;
    const { held } = this.#model;
    const isOverdue = this.#paths.states.some((state) =>
      state.is === "live" && this.#model.isOverdue(state)
    );
    if (isOverdue) return;
    held.set(incarnation, (held.get(incarnation) ?? 0) + 1);
  }

  /** It is over; until `groupMs` it held the TTL off. */
  release(incarnation: string, groupMs: number): void {
    const { held } = this.#model;
    const before = held.get(incarnation);
    if (before === undefined) return;
    const left = before - 1;
    if (left > 0) held.set(incarnation, left);
    else held.delete(incarnation);
    this.#paths.map((state) =>
      state.is === "live" && state.incarnation === incarnation
        ? { ...state, touchedMs: Math.max(state.touchedMs, groupMs) }
        : state
    );
  }

  /** The node has died: reads that had not been replicated pushed nothing back. */
  forgetTouches(): void {
    this.#model.life++;
    this.#model.held.clear();
    this.#paths.map((state) =>
      state.is === "live" ? { ...state, touchedMs: state.writtenMs } : state
    );
  }

  /** Whatever was cut short has been finished by now. */
  settle(): void {
    this.#paths.giveUp(this.#cutShort);
    this.#cutShort.clear();
  }

  #note(window: PathWindow): void {
    if (this.#paths.isOverwhelmed) {
      for (const is of ["absent", "gone", "live"] as const) window.add(is);
    }
    for (const state of this.#paths.possible()) window.add(state.is);
  }

  #noteAll(): void {
    for (const window of this.#windows) this.#note(window);
  }
}

/** Anything in one line, bodies left out. */
export function show(value: unknown): string {
  return JSON.stringify(
    value,
    (name, part) => name === "slices" || name === "data" || name === "origin" ? undefined : part,
  );
}
