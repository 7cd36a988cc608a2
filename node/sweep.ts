import type { Clock, Timer } from "../io/mod.ts";
import type { GroupAccess } from "../shard/mod.ts";
import type { Buckets } from "./buckets.ts";
import type { Forks } from "./forks.ts";

/** How often the errands of a shard's groups are looked at. */
const SWEEP_MS = 1_000;

/**
 * Finishes what spans groups and was left half-way by a crash: intents of buckets, reservations of
 * forks that were never linked, links of forks that ended.
 *
 * Each group is swept by the node that leads it. Should two do so at once while a leadership moves,
 * that is as good as one: all that they do may be done twice.
 */
export class Sweep {
  readonly #access: GroupAccess;
  readonly #clock: Clock;
  readonly #buckets: Buckets;
  readonly #forks: Forks;
  readonly #groups: readonly number[];
  /** By group the versions of the intents that were there at the last look. */
  readonly #intentsSeen = new Map<number, ReadonlySet<number | undefined>>();
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: {
    /** The groups as this node has them, where nothing is forwarded: it sweeps those that it leads. */
    access: GroupAccess;
    clock: Clock;
    buckets: Buckets;
    forks: Forks;
    /** The groups that this sweep looks after. */
    groups: readonly number[];
  }) {
    this.#access = options.access;
    this.#clock = options.clock;
    this.#buckets = options.buckets;
    this.#forks = options.forks;
    this.#groups = options.groups;
    this.#schedule();
  }

  /** Ends the sweeping. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = this.#clock.setTimer(SWEEP_MS, () => {
      this.#sweep().finally(() => this.#schedule());
    });
  }

  /** A group that is slow, or has lost its leader, holds no other one back. */
  async #sweep(): Promise<void> {
    await Promise.all(this.#groups.map((group) => this.#sweepGroup(group)));
  }

  async #sweepGroup(group: number): Promise<void> {
    const errands = await this.#access.survey<"errands">(group, { about: "errands" });
    if ("unavailable" in errands) return;
    const before = this.#intentsSeen.get(group);
    this.#intentsSeen.set(group, new Set(errands.intents.map(({ intent }) => intent?.version)));
    for (const { bucket, intent } of errands.intents) {
      // A new one is being carried through by whoever began it. It could be finished twice, but who
      // comes second may find the next intent there, and could not say what became of this one.
      if (intent === undefined || !before?.has(intent.version)) continue;
      await this.#buckets.finish(bucket, intent.action, intent.version);
    }
    for (const reservation of errands.reservations) await this.#forks.resolve(reservation);
    await this.#forks.runErrands(group, errands.unlinks);
  }
}
