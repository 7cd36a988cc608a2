import type { Answer } from "../group/mod.ts";
import type { Clock } from "../io/mod.ts";
import type { Command, Outcome } from "../stream/mod.ts";
import type { GroupAccess } from "../shard/mod.ts";
import { groupOf } from "../shard/mod.ts";
import { insist, submitUntilKnown } from "./patience.ts";

type BucketOutcome = Extract<Outcome, { ok: "bucket" }>;

/** What came of creating or deleting a bucket. */
export type BucketAnswer =
  | { readonly ok: "created" | "existed" | "deleted" }
  | { readonly refused: "bucket_not_found" | "bucket_not_empty" }
  | Exclude<Answer, { ok: unknown }>;

/**
 * Creates and deletes buckets (SPEC section 2). The table of buckets lies in every group, so that
 * creating a stream is one commit in one group. A bucket's home group orders what happens to it and
 * records an intent with a version; the other groups take over a higher version only. Whoever finds
 * an intent unsettled may finish it, and several may at once: every step may be repeated, and comes
 * late without harm, because a version guards it.
 *
 * Only the intent itself is sent once: nothing guards it, and one that came late could delete what
 * was made anew since. Where nobody knows what became of it, that is what the client is told.
 */
export class Buckets {
  readonly #access: GroupAccess;
  readonly #clock: Clock;

  constructor(access: GroupAccess, clock: Clock) {
    this.#access = access;
    this.#clock = clock;
  }

  /** Makes a bucket; once this resolves, streams can be created in it. */
  async create(bucket: string): Promise<BucketAnswer> {
    const intent = await this.#intend(bucket, "create");
    if (!isBucket(intent)) return intent as BucketAnswer;
    if (intent.existed) return { ok: "existed" };
    return await this.finish(bucket, "create", intent.version);
  }

  /** Deletes a bucket that holds no stream. */
  async delete(bucket: string): Promise<BucketAnswer> {
    const intent = await this.#intend(bucket, "delete");
    if (!isBucket(intent)) return intent as BucketAnswer;
    if (!intent.existed) return { refused: "bucket_not_found" };
    return await this.finish(bucket, "delete", intent.version);
  }

  /**
   * Carries an intent through, from wherever it stopped. Where that fails the outcome is unknown:
   * the intent stands, and the sweep goes on with it.
   */
  async finish(
    bucket: string,
    action: "create" | "delete",
    version: number,
  ): Promise<BucketAnswer> {
    return action === "create"
      ? await this.#open(bucket, version, { ok: "created" })
      : await this.#close(bucket, version);
  }

  /** Opens the bucket in every group; once that is done the rest can wait for the sweep. */
  async #open(bucket: string, version: number, answer: BucketAnswer): Promise<BucketAnswer> {
    if (await this.#setEverywhere(bucket, "open", version) === undefined) return UNKNOWN;
    await this.#settle(bucket, "open", version);
    return answer;
  }

  /**
   * Closes the bucket in every group, where its streams can then only become fewer, and counts them.
   * Two who count at different times may find different numbers: the home group takes the word of
   * the first.
   */
  async #close(bucket: string, version: number): Promise<BucketAnswer> {
    const groups = await this.#setEverywhere(bucket, "closed", version);
    if (groups === undefined) return UNKNOWN;
    const empty = groups.every((group) => group.streams === 0);
    const opened = groups.some((group) => group.version > version);
    const settled = await this.#settle(bucket, empty && !opened ? "closed" : "open", version);
    if (!isBucket(settled)) return UNKNOWN;
    if (settled.version === version) return { ok: "deleted" };
    // Others have finished it, and begun something else since.
    if (settled.version !== version + 1) return UNKNOWN;
    return await this.#open(bucket, version + 1, { refused: "bucket_not_empty" });
  }

  /** Another request's intent is waited out. */
  #intend(bucket: string, action: "create" | "delete"): Promise<Answer> {
    return insist(
      this.#clock,
      () => this.#access.submit(this.#home(bucket), { type: "intend_bucket", bucket, action }),
      (answer) => "refused" in answer && answer.refused === "bucket_busy",
    );
  }

  /** What each group answers; undefined where one of them does not. */
  async #setEverywhere(
    bucket: string,
    phase: "open" | "closed",
    version: number,
  ): Promise<BucketOutcome[] | undefined> {
    const { groupCount } = this.#access;
    const answers = await Promise.all(
      Array.from(
        { length: groupCount },
        (_, group) => this.#submit(group, { type: "set_bucket", bucket, phase, version }),
      ),
    );
    return answers.every(isBucket) ? answers : undefined;
  }

  #settle(bucket: string, phase: "open" | "closed", version: number): Promise<Answer> {
    return this.#submit(this.#home(bucket), { type: "settle_bucket", bucket, phase, version });
  }

  #submit(group: number, command: Command): Promise<Answer> {
    return submitUntilKnown(this.#access, this.#clock, group, command);
  }

  #home(bucket: string): number {
    return groupOf(bucket, this.#access.groupCount);
  }
}

const UNKNOWN: BucketAnswer = { unavailable: "outcome_unknown" };

function isBucket(answer: Answer): answer is BucketOutcome {
  return "ok" in answer && answer.ok === "bucket";
}
