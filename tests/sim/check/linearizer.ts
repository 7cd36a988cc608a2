/**
 * Linearizability (Herlihy and Wing; the search is Wing and Gong's, just in time as in Lowe's):
 * every operation takes effect at one moment between its call and its answer. What was never
 * answered took effect at some moment after its call, or never.
 *
 * @module
 */

/** A sequential object that may do more than one thing. */
export interface Sequential<S, O, A> {
  /** Everything that `operation` may do to `state`, with what would be answered. */
  steps(state: S, operation: O): readonly Step<S>[];
  /** What may happen to `state` by itself. */
  drifts(state: S): readonly S[];
  /** Is that the answer of this step? Answers the state, narrowed by what the answer says of it. */
  accept(step: Step<S>, operation: O, answer: A): S | undefined;
  /** The answer of a step that was taken for granted earlier has come: what it says of `state` now. */
  learn(state: S, step: Step<S>, operation: O, answer: A): S | undefined;
  /** Two states with one name are one. */
  name(state: S): string;
}

/** One thing that an operation may do. */
export interface Step<S> {
  readonly next: S;
  /** What it would be answered, in short. */
  readonly answer: string;
}

/** One way in which everything may have gone so far. */
interface Course<S> {
  readonly state: S;
  /** Calls without an answer that have taken effect already. */
  readonly taken: ReadonlyMap<number, Step<S>>;
}

/** With more to think through, a run would take minutes; the object is let off then. */
const COURSES_MAX = 10_000;

const NOTHING: ReadonlyMap<never, never> = new Map<never, never>();

/** All courses of one object that explain every answer so far. */
export class Linearizer<S, O, A> {
  readonly #object: Sequential<S, O, A>;
  readonly #open = new Map<number, O>();
  /** Open calls that will get no answer. */
  readonly #unanswered = new Set<number>();
  #courses: Course<S>[];
  #calls = 0;
  #isOverwhelmed = false;

  constructor(object: Sequential<S, O, A>, initial: S) {
    this.#object = object;
    this.#courses = [{ state: initial, taken: NOTHING }];
  }

  /** There was too much that may have happened: every answer is taken from now on. */
  get isOverwhelmed(): boolean {
    return this.#isOverwhelmed;
  }

  /** The states that explain the answers so far; others are reached by what is under way. */
  get states(): S[] {
    return this.#courses.map((course) => course.state);
  }

  /** How many calls have no answer. */
  get open(): number {
    return this.#open.size;
  }

  /** Something begins; the number names it. */
  call(operation: O): number {
    this.#open.set(++this.#calls, operation);
    return this.#calls;
  }

  /** The answer of a call. False when nothing that may have happened explains it. */
  answer(call: number, answer: A): boolean {
    const operation = this.#open.get(call);
    if (operation === undefined) throw new Error("an answer without a call");
    this.#open.delete(call);
    const found = new Map<string, Course<S>>();
    for (const course of this.#closure()) {
      const step = course.taken.get(call);
      if (step !== undefined) {
        const state = this.#object.learn(course.state, step, operation, answer);
        if (state !== undefined) this.#keep(found, state, without(course.taken, call));
        continue;
      }
      for (const next of this.#object.steps(course.state, operation)) {
        const state = this.#object.accept(next, operation, answer);
        if (state !== undefined) this.#keep(found, state, course.taken);
      }
    }
    if (this.#isOverwhelmed) return true;
    this.#courses = [...found.values()];
    return found.size > 0;
  }

  /** A call that certainly had no effect, or whose effect is no change. */
  void(call: number): void {
    this.#open.delete(call);
    this.#courses = this.#courses.filter((course) => !course.taken.has(call));
  }

  /** There will be no answer, and the call may yet take effect. */
  abandon(call: number): void {
    if (this.#open.has(call)) this.#unanswered.add(call);
    const found = new Map<string, Course<S>>();
    for (const { state, taken } of this.#courses) this.#keep(found, state, taken);
    this.#courses = [...found.values()];
  }

  /** Calls that will never be answered took effect by now, or never will. */
  giveUp(calls: Iterable<number>): void {
    const given = [...calls];
    const found = new Map<string, Course<S>>();
    for (const { state, taken } of this.#closure()) {
      this.#keep(found, state, given.reduce(without, taken));
    }
    for (const call of given) {
      this.#open.delete(call);
      this.#unanswered.delete(call);
    }
    this.#courses = [...found.values()];
  }

  /** Every state in which the object may be at this moment. */
  possible(): S[] {
    return this.#closure().map((course) => course.state);
  }

  /** Changes all states alike. */
  map(change: (state: S) => S): void {
    this.#courses = this.#courses.map(({ state, taken }) => ({ state: change(state), taken }));
  }

  /** All courses in which further open calls have taken effect, in any order, or none. */
  #closure(): Course<S>[] {
    const found = new Map<string, Course<S>>();
    const waiting: Course<S>[] = [];
    const add = (state: S, taken: ReadonlyMap<number, Step<S>>) => {
      if (this.#keep(found, state, taken)) waiting.push({ state, taken });
    };
    for (const { state, taken } of this.#courses) add(state, taken);
    for (let course = waiting.pop(); course !== undefined; course = waiting.pop()) {
      this.#isOverwhelmed ||= found.size > COURSES_MAX;
      if (this.#isOverwhelmed) return this.#courses;
      for (const state of this.#object.drifts(course.state)) add(state, course.taken);
      for (const [call, operation] of this.#open) {
        if (course.taken.has(call)) continue;
        for (const step of this.#object.steps(course.state, operation)) {
          // What changes nothing shows in an answer alone.
          if (step.next === course.state && this.#unanswered.has(call)) continue;
          add(step.next, new Map(course.taken).set(call, step));
        }
      }
    }
    return [...found.values()];
  }

  #keep(
    found: Map<string, Course<S>>,
    state: S,
    taken: ReadonlyMap<number, Step<S>>,
  ): boolean {
    const name = this.#object.name(state) + this.#nameOf(taken);
    if (found.has(name)) return false;
    found.set(name, { state, taken });
    return true;
  }

  /** Whatever the order in which they took effect. */
  #nameOf(taken: ReadonlyMap<number, Step<S>>): string {
    if (taken.size === 0) return "";
    const names: string[] = [];
    for (const [call, step] of taken) {
      names.push(
        this.#unanswered.has(call)
          ? ` ${call}`
          : ` ${call}=${step.answer}@${this.#object.name(step.next)}`,
      );
    }
    return names.sort().join("");
  }
}

function without<V>(map: ReadonlyMap<number, V>, key: number): ReadonlyMap<number, V> {
  if (!map.has(key)) return map;
  const rest = new Map(map);
  rest.delete(key);
  return rest;
}
