import type { Answer } from "../group/mod.ts";
import type { Clock } from "../io/mod.ts";
import type { Command } from "../stream/mod.ts";
import type { BoundFacts, GroupAccess } from "./access.ts";
import { addsBytes } from "./hot_bytes.ts";
import type { LogLine } from "./log_line.ts";

/** Longest that appends may stand in line, one and all, unless it is configured otherwise. */
export const APPEND_WAIT_MS_MAX = 300;
/** How long a line has to stand before it is a standing one. */
const STANDING_MS = 150;
/** Looks that it takes to be sure: a process that was held up once is not overloaded. */
const STANDING_LOOKS = 2;
/** How often the line is looked at. */
const LOOK_MS = 50;
/** With nothing refused for so long, all are let in again. */
const RELEASE_MS = 1_000;
/** How much of what is new the rate of answers takes over at each look. */
const RATE_SHARE = 1 / 4;
/** Writes under way at a time, whatever they wait for: each holds some 10 KiB beside its body. */
const IN_FLIGHT_MAX = 16_384;
/**
 * So few are not refused while the event loop comes round in time. What a disk or another node takes,
 * it takes however few wait for it: a bound below what is under way meanwhile would lower the rate,
 * which lowers the bound. A loop that is late has only itself to wait for.
 */
const IN_FLIGHT_MIN = 512;

/** Of a write that nobody times. */
const UNTIMED = -1;

/**
 * Lets writes into a shard, or refuses them before anything was done for them, so that who is let in
 * is answered in time.
 *
 * It goes by how long writes stand in line, not by how many there are: a thousand clients that are
 * answered within milliseconds are welcome. The least wait of a look tells a standing line from a
 * burst (as in CoDel, RFC 8289): when even the luckiest writes have waited for too long, look after
 * look, more comes than is answered. From then on no more are let in than are answered in the time
 * that they may wait (Little's law), until nobody had to be refused for a while.
 *
 * Waiting is timed from when a write's body is there until its answer, for one write of each tick:
 * for all others it is a count up and a count down. What they wait for before that, while the event
 * loop is busy with others, shows in how late ticks are.
 */
export class Admission {
  /** How often a write was refused. */
  refused = 0;
  readonly #clock: Clock;
  readonly #log: LogLine;
  readonly #waitMsMax: number;
  #inFlight = 0;
  #inFlightMax = IN_FLIGHT_MAX;
  /** For writes to come until the next tick, which counts anew: a body that is slow takes none. */
  #room = IN_FLIGHT_MAX;
  /** Set by each tick: the next write is timed. */
  #wantsTime = true;
  #leastMs = Infinity;
  #answered = 0;
  #perMs = 0;
  #ticks = 0;
  #lateMs = 0;
  #lookedMs: number;
  /** When the line began to stand, and for how many looks it has. */
  #standsSinceMs = 0;
  #standingLooks = 0;
  #limits = false;
  #refusedAtLook = 0;
  #refusedLastMs = 0;

  constructor(clock: Clock, log: LogLine, waitMsMax: number = APPEND_WAIT_MS_MAX) {
    this.#clock = clock;
    this.#log = log;
    this.#waitMsMax = waitMsMax;
    this.#lookedMs = clock.monotonicMs();
  }

  /** There is no room, and {@linkcode Admission.admits} would say so: looked at first, as it is cheap. */
  get full(): boolean {
    return this.#room <= 0;
  }

  /** Takes room for another write; where there is none, it is counted as refused. */
  admits(): boolean {
    return this.#takes(0);
  }

  /**
   * The same for one that another shard or node has let in and sent on: to turn it away here costs
   * more than it does there, so there may be as many again.
   */
  admitsForwarded(): boolean {
    return this.#takes(Math.min(this.#inFlightMax, IN_FLIGHT_MAX - this.#inFlightMax));
  }

  /** A write has come in: its body is there. What this answers is for {@linkcode Admission.leave}. */
  enter(): number {
    this.#inFlight++;
    if (!this.#wantsTime) return UNTIMED;
    this.#wantsTime = false;
    return this.#clock.monotonicMs();
  }

  /** @param decided it went all the way; what was turned away on it says nothing of the line */
  leave(enteredMs: number, decided: boolean): void {
    this.#inFlight--;
    this.#room++;
    if (!decided) return;
    this.#answered++;
    if (enteredMs === UNTIMED) return;
    const waitedMs = this.#clock.monotonicMs() - enteredMs;
    if (waitedMs < this.#leastMs) this.#leastMs = waitedMs;
  }

  /** Figures for operators. */
  facts(): BoundFacts {
    return { now: this.#inFlight, max: this.#inFlightMax, refused: this.refused };
  }

  /** Time has gone on. @param lateMs by how much later than it should */
  tick(nowMs: number, lateMs: number): void {
    this.#wantsTime = true;
    this.#ticks++;
    this.#lateMs += Math.max(0, lateMs);
    if (nowMs - this.#lookedMs >= LOOK_MS) this.#look(nowMs);
    this.#room = this.#inFlightMax - this.#inFlight;
  }

  #takes(more: number): boolean {
    if (this.#room + more > 0) {
      this.#room--;
      return true;
    }
    this.refused++;
    return false;
  }

  #look(nowMs: number): void {
    const elapsedMs = nowMs - this.#lookedMs;
    const meanLateMs = this.#lateMs / this.#ticks;
    this.#perMs += RATE_SHARE * (this.#answered / elapsedMs - this.#perMs);
    const inTime = this.#answeredInTime(meanLateMs);
    if (this.#stands(meanLateMs) && !this.#limits) {
      const standing = nowMs - this.#standsSinceMs >= STANDING_MS;
      // A hold-up is long over when all who waited for it are answered.
      const isLine = standing && this.#standingLooks >= STANDING_LOOKS;
      if (isLine && this.#inFlight > inTime) this.#begin(nowMs);
    }
    if (this.#limits) this.#adjust(nowMs, inTime);
    this.#refusedAtLook = this.refused;
    this.#lookedMs = nowMs;
    this.#leastMs = Infinity;
    this.#answered = this.#ticks = this.#lateMs = 0;
  }

  /** Has everybody stood in line for too long? */
  #stands(lateMs: number): boolean {
    // While nothing is answered nothing is known, and what was known holds.
    if (this.#leastMs === Infinity && this.#inFlight > 0) {
      if (this.#standingLooks > 0) this.#standingLooks++;
      return this.#standingLooks > 0;
    }
    if (this.#leastMs === Infinity || this.#leastMs + lateMs <= this.#waitMsMax) {
      this.#standingLooks = 0;
      return false;
    }
    if (this.#standingLooks === 0) this.#standsSinceMs = this.#lookedMs;
    this.#standingLooks++;
    return true;
  }

  #begin(nowMs: number): void {
    this.#limits = true;
    this.#refusedLastMs = nowMs;
    const perSecond = Math.round(this.#perMs * 1000);
    this.#log(
      `overloaded: writes wait for more than ${this.#waitMsMax} ms, at ${perSecond} a second; ` +
        "what comes beyond that is refused",
      "warn",
    );
  }

  /** How many are answered in the time that they may wait, and are let in whatever comes. */
  #answeredInTime(lateMs: number): number {
    const answered = this.#perMs * (this.#waitMsMax - lateMs);
    const least = IN_FLIGHT_MIN * Math.min(1, this.#waitMsMax / lateMs);
    return Math.floor(Math.min(IN_FLIGHT_MAX, Math.max(least, answered)));
  }

  #adjust(nowMs: number, inTime: number): void {
    if (this.refused > this.#refusedAtLook) this.#refusedLastMs = nowMs;
    if (nowMs - this.#refusedLastMs >= RELEASE_MS) {
      this.#limits = false;
      this.#standingLooks = 0;
      this.#inFlightMax = IN_FLIGHT_MAX;
      this.#log(`no longer overloaded: ${this.refused} writes were refused since the start`);
      return;
    }
    this.#inFlightMax = inTime;
  }
}

/**
 * Puts a command that came from elsewhere into a group's log where there is room for it. What adds
 * nothing always has room: it may be what brings relief.
 */
export function proposeAdmitted(
  groups: Pick<GroupAccess, "propose">,
  admission: Admission,
  group: number,
  command: Command,
  done: (answer: Answer) => void,
): void {
  if (!addsBytes(command)) return groups.propose(group, command, done);
  if (!admission.admitsForwarded()) return done({ unavailable: "overloaded" });
  const entered = admission.enter();
  groups.propose(group, command, (answer) => {
    admission.leave(entered, !("unavailable" in answer));
    done(answer);
  });
}
