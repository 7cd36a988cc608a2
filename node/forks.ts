import type { Answer, Eventually, ReadAnswer, ReadRequest, Unavailable } from "../group/mod.ts";
import type { Clock } from "../io/mod.ts";
import { type GroupAccess, groupOf } from "../shard/mod.ts";
import type {
  AppendStream,
  Command,
  CreateStream,
  DeleteStream,
  PathEntry,
  Reservation,
  StreamKey,
  UnlinkErrand,
} from "../stream/mod.ts";
import { isMoved, type Moved } from "./moved.ts";
import { insist, submitUntilKnown } from "./patience.ts";

/** How long a fork may take between reserving its path and being created, in group time. */
const RESERVATION_MS = 10_000;

const NOT_FOUND: { readonly refused: "stream_not_found" } = { refused: "stream_not_found" };
const RESERVED: Answer = { refused: "path_reserved" };

/** A source that is never there: the bucket's name is empty. */
const NOWHERE: StreamKey = "/";
const UNKNOWN: Answer = { unavailable: "outcome_unknown" };

/**
 * Forks whose path hashes to another group than their source's (SPEC section 7). A fork lives where
 * its source does; its path's home group says so in a link. Creating: reserve the path at home,
 * create in the source's group, link. Deleting: end it there, then unlink. The sweep finishes what a
 * crash left half-way.
 *
 * Linking, unlinking and forgetting are guarded by the reservation's token: they may be repeated, by
 * several at once, and come late. Reserving and creating are sent once. A create that came twice
 * could make a fork anew that was deleted meanwhile, with no path that leads to it; what became of
 * one that nobody answered is looked up.
 */
export class Forks {
  readonly #access: GroupAccess;
  readonly #clock: Clock;

  constructor(access: GroupAccess, clock: Clock) {
    this.#access = access;
    this.#clock = clock;
  }

  /** PUT with Stream-Forked-From. */
  async create(command: CreateStream): Promise<Answer> {
    const source = command.fork?.source;
    if (source === undefined) throw new Error("a fork names its source");
    return await insist(this.#clock, () => this.#attempt(command, source), isReserved);
  }

  /** PUT on a path that is linked: the fork there decides, unless it has ended. */
  async createOver(moved: Moved, command: CreateStream): Promise<Answer> {
    // It creates nothing, so it may be sent again.
    const answer = await this.#submit(moved.target, {
      ...command,
      reservation: { home: this.#home(command.key), token: moved.token, deadlineMs: 0 },
    });
    // The fork is gone and only the link is left: a reservation that is long over says just that.
    if (!("refused" in answer) || answer.refused !== "fork_too_late") return answer;
    await this.#unlink(command.key, moved.token, moved.target);
    return RESERVED;
  }

  /** An append that met a link. */
  async submit(moved: Moved, command: AppendStream): Promise<Answer> {
    return moved.linked ? await this.#access.submit(moved.target, command) : NOT_FOUND;
  }

  /** A delete that met a link. */
  async delete(moved: Moved, command: DeleteStream): Promise<Answer> {
    if (!moved.linked) return NOT_FOUND;
    const { target } = moved;
    const answer = await this.#access.submit(target, command);
    if (!("ok" in answer) || answer.ok !== "deleted") return answer;
    const errands = await this.#access.survey<"errands">(target, { about: "errands" });
    if (!("unavailable" in errands)) await this.runErrands(target, errands.unlinks);
    return answer;
  }

  /** A read that met a link. */
  async read(moved: Moved, request: ReadRequest): Promise<Exclude<ReadAnswer, Moved>> {
    if (!moved.linked) return NOT_FOUND;
    const answer = await this.#access.read(moved.target, request);
    return "ok" in answer ? NOT_FOUND : answer;
  }

  /** The group that holds a stream; undefined where there is none. */
  async whereabouts(key: StreamKey): Promise<number | undefined | Unavailable> {
    const home = this.#home(key);
    const answer = await this.#look(home, key);
    if ("unavailable" in answer) return answer;
    if ("ok" in answer) return answer.linked ? answer.target : undefined;
    return "plan" in answer ? home : undefined;
  }

  /** Finishes a reservation that its maker did not: a link where the fork exists, a free path where not. */
  async resolve(reservation: PathEntry): Promise<void> {
    const { key, target, token } = reservation;
    const home = this.#home(key);
    const exists = await this.#existsForGood(reservation, home);
    if (exists === undefined) return;
    if (!exists) return void await this.#submit(home, { type: "unlink", key, token });
    const found = await this.#access.survey<"link">(target, { about: "link", key });
    if ("unavailable" in found) return;
    const type = found.link?.token === token ? "link" : "unlink";
    await this.#submit(home, { type, key, token });
  }

  /** Clears the links of forks that have ended in a group: a delete may end a chain of them. */
  async runErrands(group: number, errands: readonly UnlinkErrand[]): Promise<void> {
    for (const { key, token } of errands) await this.#unlink(key, token, group);
  }

  /**
   * Whether there is a stream at the path where the fork was to live, once none can come any more;
   * undefined as long as one can.
   *
   * Leaders' clocks differ, so only an entry of the target's log can say that time is up. A create
   * under this reservation says it by being too late; in time, it fails for want of its source.
   */
  async #existsForGood(
    { key, target, token, deadlineMs }: PathEntry,
    home: number,
  ): Promise<boolean | undefined> {
    const answer = await this.#access.submit(target, {
      type: "create",
      key,
      closed: false,
      fork: { source: NOWHERE, subOffset: 0 },
      reservation: { home, token, deadlineMs },
    });
    if ("ok" in answer) return true;
    if (!("refused" in answer)) return undefined;
    if (answer.refused === "stream_exists") return true;
    return answer.refused === "fork_too_late" ? false : undefined;
  }

  /** Clears the link of a fork that has ended in `target`. */
  async #unlink(key: StreamKey, token: number, target: number): Promise<void> {
    const cleared = await this.#submit(this.#home(key), { type: "unlink", key, token });
    if ("ok" in cleared) await this.#submit(target, { type: "forget_unlink", key, token });
  }

  async #attempt(command: CreateStream, source: StreamKey): Promise<Answer> {
    const home = this.#home(command.key);
    const there = await this.#look(home, command.key);
    if ("unavailable" in there) return there;
    if ("ok" in there) return there.linked ? await this.createOver(there, command) : RESERVED;
    const found = await this.whereabouts(source);
    if (typeof found === "object") return found;
    const target = found ?? groupOf(source, this.#access.groupCount);
    if (target !== home && isFree(there)) return await this.#reserve(command, home, target);
    const answer = await this.#access.submit(home, command);
    // Another fork has taken the path since it was looked at.
    if (isMoved(answer)) return RESERVED;
    // What was there has gone meanwhile, and the source was never here.
    return target !== home && isSourceMissing(answer) ? RESERVED : answer;
  }

  async #reserve(command: CreateStream, home: number, target: number): Promise<Answer> {
    const { key } = command;
    const time = await this.#access.survey<"time">(target, { about: "time" });
    if ("unavailable" in time) return time;
    const deadlineMs = time.nowMs + RESERVATION_MS;
    const reserved = await this.#access.submit(home, { type: "reserve", key, target, deadlineMs });
    if ("ok" in reserved) {
      if (reserved.ok !== "reserved") return RESERVED;
      const { token } = reserved;
      return await this.#createReserved(command, target, { home, token, deadlineMs });
    }
    // No fork comes of it either way: if it did reserve the path, that lapses.
    return isUnknown(reserved) ? RESERVED : reserved;
  }

  async #createReserved(
    command: CreateStream,
    target: number,
    reservation: Reservation,
  ): Promise<Answer> {
    const { key } = command;
    const { home, token } = reservation;
    const created = await this.#create({ ...command, reservation }, target, token);
    if (isUnknown(created)) return created;
    const type = "ok" in created ? "link" : "unlink";
    const settled = await this.#submit(home, { type, key, token });
    // Unlinked, the fork is not to be seen yet; the sweep will finish it.
    if (type === "link" && "unavailable" in settled) return UNKNOWN;
    return created;
  }

  /** Creates the fork where its source lives. Where nobody answers, its token tells whether it is there. */
  async #create(command: CreateStream, target: number, token: number): Promise<Answer> {
    const created = await this.#access.submit(target, command);
    if (!isUnknown(created)) return created;
    const found = await this.#access.survey<"link">(target, { about: "link", key: command.key });
    if ("unavailable" in found || found.link?.token !== token) return created;
    const there = await this.#look(target, command.key);
    return "plan" in there ? { ok: "created", facts: there.plan.facts } : created;
  }

  #submit(group: number, command: Command): Promise<Answer> {
    return submitUntilKnown(this.#access, this.#clock, group, command);
  }

  #look(group: number, key: StreamKey): Eventually<ReadAnswer> {
    return this.#access.read(group, { key, from: "now", maxBytes: 0, touch: false });
  }

  #home(key: StreamKey): number {
    return groupOf(key, this.#access.groupCount);
  }
}

function isReserved(answer: Answer): boolean {
  return "refused" in answer && answer.refused === "path_reserved";
}

function isUnknown(answer: Answer): boolean {
  return "unavailable" in answer && answer.unavailable === "outcome_unknown";
}

function isSourceMissing(answer: Answer): boolean {
  return "refused" in answer && answer.refused === "fork_source_not_found";
}

function isFree(answer: ReadAnswer): boolean {
  return "refused" in answer && answer.refused === "stream_not_found";
}
