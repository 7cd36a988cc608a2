import type { Answer } from "../group/mod.ts";
import type { Clock } from "../io/mod.ts";
import type { Outcome } from "../stream/mod.ts";
import type { GroupAccess } from "../shard/mod.ts";
import { groupOf } from "../shard/mod.ts";
import { insist } from "./patience.ts";

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
 * an intent unsettled may finish it: every step is idempotent.
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

  /** Carries an intent through, from wherever it stopped. */
  async finish(
    bucket: string,
    action: "create" | "delete",
    version: number,
  ): Promise<BucketAnswer> {
    const closing = action === "delete";
    const answers = await this.#setEverywhere(bucket, closing ? "closed" : "open", version);
    const failed = answers.find((answer) => !isBucket(answer));
    if (failed !== undefined) return failed as BucketAnswer;
    const groups = answers as BucketOutcome[];
    const streams = groups.reduce((sum, group) => sum + group.streams, 0);
    const takenBack = groups.some((group) => group.version === version + 1);
    const overtaken = groups.some((group) => group.version > version + 1);
    if (closing && (takenBack || (!overtaken && streams > 0))) {
      return await this.#takeBack(bucket, version);
    }
    if (overtaken) return { ok: closing ? "deleted" : "created" };
    const settled = await this.#settle(bucket, closing ? "closed" : "open", version);
    if ("unavailable" in settled) return settled;
    return { ok: closing ? "deleted" : "created" };
  }

  /**
   * Opens a bucket again that could not be deleted; begun once, it is carried through by whoever
   * finds a group that is open already. Versions of intents lie two apart, which leaves this one.
   */
  async #takeBack(bucket: string, version: number): Promise<BucketAnswer> {
    const answers = await this.#setEverywhere(bucket, "open", version + 1);
    const failed = answers.find((answer) => !isBucket(answer));
    if (failed !== undefined) return failed as BucketAnswer;
    const settled = await this.#settle(bucket, "open", version);
    return "unavailable" in settled ? settled : { refused: "bucket_not_empty" };
  }

  /** Another request's intent is waited out. */
  #intend(bucket: string, action: "create" | "delete"): Promise<Answer> {
    const home = groupOf(bucket, this.#access.groupCount);
    return insist(
      this.#clock,
      () => this.#access.submit(home, { type: "intend_bucket", bucket, action }),
      (answer) => "refused" in answer && answer.refused === "bucket_busy",
    );
  }

  #setEverywhere(bucket: string, phase: "open" | "closed", version: number): Promise<Answer[]> {
    const groups = Array.from({ length: this.#access.groupCount }, (_, group) => group);
    return Promise.all(
      groups.map((group) =>
        this.#access.submit(group, { type: "set_bucket", bucket, phase, version })
      ),
    );
  }

  #settle(bucket: string, phase: "open" | "closed", version: number): Promise<Answer> {
    const home = groupOf(bucket, this.#access.groupCount);
    return this.#access.submit(home, { type: "settle_bucket", bucket, phase, version });
  }
}

function isBucket(answer: Answer): answer is BucketOutcome {
  return "ok" in answer && answer.ok === "bucket";
}
