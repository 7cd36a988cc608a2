import type { MemberId } from "../raft/mod.ts";
import type { Outcome, ReadFrom, ReadPlan, StreamKey } from "../stream/types.ts";

/** A value now, or later when something has to be asked first. */
export type Eventually<T> = T | Promise<T>;

/** Why a group could not decide a command or a read. */
export interface Unavailable {
  /**
   * - `not_leader`: another replica leads; nothing entered a log
   * - `no_leader`: nobody is known to lead; nothing entered a log
   * - `overloaded`: a bound was reached; nothing entered a log
   * - `stopping`: the node is shutting down; nothing entered a log
   * - `cold_unavailable`: the store of cold objects does not serve now; nothing was applied
   * - `cold_damaged`: an object is damaged or missing, wherever it should be; nothing was applied
   * - `outcome_unknown`: the command entered a log and may yet be applied
   */
  readonly unavailable:
    | "not_leader"
    | "no_leader"
    | "overloaded"
    | "stopping"
    | "cold_unavailable"
    | "cold_damaged"
    | "outcome_unknown";
  /** With `not_leader`: who leads, as far as is known. */
  readonly leader?: MemberId;
  /** With `cold_damaged`, and with `cold_unavailable` where it is about one: the object's key. */
  readonly object?: string;
}

/** What comes back for a command. */
export type Answer = Outcome | Unavailable;

/** What a read asks of the group that holds the stream. */
export interface ReadRequest {
  readonly key: StreamKey;
  readonly from: ReadFrom;
  /** Most bytes of the stored form to plan for; 0 asks for the facts alone. */
  readonly maxBytes: number;
  readonly incarnation?: string;
  /** Whether the read pushes a TTL deadline back: everything but HEAD does (P§5.1). */
  readonly touch: boolean;
}

/** What comes back for a read: a plan, or the outcome that stands in its way. */
export type ReadAnswer =
  | { readonly plan: ReadPlan }
  | Extract<Outcome, { refused: unknown } | { ok: "moved" }>
  | Unavailable;
