import type { Unavailable } from "../../group/mod.ts";
import { ColdError } from "../../storage/cold/mod.ts";
import type { LogLine } from "../log_line.ts";

/** Is the object not what it should be, or not there? Then asking the store again is of no use. */
export function isDamage(reason: unknown): reason is ColdError & { readonly key: string } {
  return reason instanceof ColdError && reason.key !== undefined &&
    (reason.kind === "corrupt" || reason.kind === "not_found");
}

/**
 * The object is damaged or missing here, and of those who should have it too somebody can't be asked
 * at present: what it holds may come back.
 */
export class OutOfReach extends ColdError {
  /** @param reason why this node's own copy is of no use */
  constructor(reason: ColdError) {
    const { store, key, kind } = reason;
    const what = kind === "not_found" ? "missing" : "damaged";
    super("unavailable", store, key, `${what} here, and not every other node can be asked`, {
      cause: reason,
    });
  }
}

/** What a failed read of cold bytes is answered. */
export function obstacleOf(reason: unknown): Unavailable {
  if (isDamage(reason)) return { unavailable: "cold_damaged", object: reason.key };
  return { unavailable: "cold_unavailable" };
}

/** At most a line for an object in this time. */
const QUIET_MS = 60_000;
/** Objects that are remembered. */
const SUBJECTS_MAX = 1_000;

/** Tells the operator of failed reads: seldom, however many readers ask. */
export class Complaints {
  readonly #log: LogLine;
  /** When something was said of an object, or of the store, the longest ago first. */
  readonly #saidMs = new Map<string, number>();

  constructor(log: LogLine) {
    this.#log = log;
  }

  /** Says why a read failed, unless the same was said a short while ago. */
  about(reason: unknown, nowMs: number): void {
    const subject = isDamage(reason) ? reason.key : "";
    const saidMs = this.#saidMs.get(subject);
    if (saidMs !== undefined && nowMs - saidMs < QUIET_MS) return;
    this.#saidMs.delete(subject);
    this.#saidMs.set(subject, nowMs);
    for (const [oldest] of this.#saidMs) {
      if (this.#saidMs.size <= SUBJECTS_MAX) break;
      this.#saidMs.delete(oldest);
    }
    const what = reason instanceof Error ? reason.message : String(reason);
    if (isDamage(reason)) {
      const line = "an object of the cold store is damaged or missing, its bytes can't be read: ";
      this.#log(line + what, "error");
    } else {
      this.#log(`the cold store does not serve reads: ${what}`, "warn");
    }
  }
}
