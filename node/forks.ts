import type { Answer, ReadAnswer, ReadRequest } from "../group/mod.ts";
import type { Clock } from "../io/mod.ts";
import { type GroupAccess, groupOf } from "../shard/mod.ts";
import type {
  AppendStream,
  CreateStream,
  DeleteStream,
  Outcome,
  PathEntry,
  Reservation,
  StreamKey,
} from "../stream/mod.ts";
import { insist } from "./patience.ts";

type Moved = Extract<Outcome, { ok: "moved" }>;

/** How long a fork may take between reserving its path and being created, in group time. */
const RESERVATION_MS = 10_000;

const NOT_FOUND: { readonly refused: "stream_not_found" } = { refused: "stream_not_found" };
const RESERVED: Answer = { refused: "path_reserved" };

/**
 * Forks whose path hashes to another group than their source's (SPEC section 7). A fork lives where
 * its source does; its path's home group says so in a link. Creating: reserve the path at home,
 * create in the source's group, link. Deleting: end it there, then unlink. Every step is idempotent,
 * and the sweep finishes what a crash left half-way.
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
    const answer = await this.#access.submit(moved.target, {
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
    const answer = await this.#access.submit(moved.target, command);
    if ("ok" in answer && answer.ok === "deleted") await this.runErrands(moved.target);
    return answer;
  }

  /** A read that met a link. */
  async read(moved: Moved, request: ReadRequest): Promise<Exclude<ReadAnswer, Moved>> {
    if (!moved.linked) return NOT_FOUND;
    const answer = await this.#access.read(moved.target, request);
    return "ok" in answer ? NOT_FOUND : answer;
  }

  /** The group that holds a stream; undefined where there is none. */
  async whereabouts(key: StreamKey): Promise<number | undefined> {
    const home = this.#home(key);
    const answer = await this.#look(home, key);
    if ("ok" in answer) return answer.linked ? answer.target : undefined;
    return "plan" in answer ? home : undefined;
  }

  /** Finishes a reservation that its maker did not: a link where the fork exists, a free path where not. */
  async resolve(reservation: PathEntry): Promise<void> {
    const { key, target, token, deadlineMs } = reservation;
    const facts = await this.#access.survey<"group">(target, { about: "group" });
    if (facts.nowMs <= deadlineMs) return;
    // What went into the target's log before this is applied once it is; later creates come too late.
    const barrier = await this.#access.submit(target, { type: "touch", keys: [] });
    if ("unavailable" in barrier) return;
    const link = await this.#access.survey<"link">(target, { about: "link", key });
    const type = link?.token === token ? "link" : "unlink";
    await this.#access.submit(this.#home(key), { type, key, token });
  }

  /** Clears the link of a fork that has ended in `target`. */
  async #unlink(key: StreamKey, token: number, target: number): Promise<void> {
    const cleared = await this.#access.submit(this.#home(key), { type: "unlink", key, token });
    if ("ok" in cleared) await this.#access.submit(target, { type: "forget_unlink", key, token });
  }

  /** Clears the links of all forks that have ended in a group: a delete may end a chain of them. */
  async runErrands(group: number): Promise<void> {
    const { unlinks } = await this.#access.survey<"errands">(group, { about: "errands" });
    for (const { key, token } of unlinks) await this.#unlink(key, token, group);
  }

  async #attempt(command: CreateStream, source: StreamKey): Promise<Answer> {
    const home = this.#home(command.key);
    const there = await this.#look(home, command.key);
    if ("unavailable" in there) return there;
    if ("ok" in there) return there.linked ? await this.createOver(there, command) : RESERVED;
    const target = (await this.whereabouts(source)) ?? groupOf(source, this.#access.groupCount);
    if (target === home) return await this.#access.submit(home, command);
    if (!isFree(there)) {
      const answer = await this.#access.submit(home, command);
      // What was there has gone meanwhile, and the source was never here.
      return isSourceMissing(answer) ? RESERVED : answer;
    }
    const facts = await this.#access.survey<"group">(target, { about: "group" });
    const deadlineMs = facts.nowMs + RESERVATION_MS;
    const reserved = await this.#access.submit(home, {
      type: "reserve",
      key: command.key,
      target,
      deadlineMs,
    });
    if (!("ok" in reserved) || reserved.ok !== "reserved") {
      return "ok" in reserved ? RESERVED : reserved;
    }
    return await this.#createReserved(command, target, { home, token: reserved.token, deadlineMs });
  }

  async #createReserved(
    command: CreateStream,
    target: number,
    reservation: Reservation,
  ): Promise<Answer> {
    const { home, token } = reservation;
    const created = await this.#access.submit(target, { ...command, reservation });
    if ("unavailable" in created && created.unavailable === "outcome_unknown") return created;
    const type = "ok" in created ? "link" : "unlink";
    const settled = await this.#access.submit(home, { type, key: command.key, token });
    // Unlinked, the fork is not to be seen yet; the sweep will finish it.
    if (type === "link" && "unavailable" in settled) return { unavailable: "outcome_unknown" };
    return created;
  }

  #look(group: number, key: StreamKey): ReadAnswer | Promise<ReadAnswer> {
    return this.#access.read(group, { key, from: "now", maxBytes: 0, touch: false });
  }

  #home(key: StreamKey): number {
    return groupOf(key, this.#access.groupCount);
  }
}

function isReserved(answer: Answer): boolean {
  return "refused" in answer && answer.refused === "path_reserved";
}

function isSourceMissing(answer: Answer): boolean {
  return "refused" in answer && answer.refused === "fork_source_not_found";
}

function isFree(answer: ReadAnswer): boolean {
  return "refused" in answer && answer.refused === "stream_not_found";
}
