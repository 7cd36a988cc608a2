import type { Answer } from "../group/mod.ts";
import type { Outcome } from "../stream/mod.ts";

/** A path's home group says that its stream lives, or is to live, in another group. */
export type Moved = Extract<Outcome, { ok: "moved" }>;

/** Has the answer to be asked for elsewhere? */
export function isMoved(answer: Answer): answer is Moved {
  return "ok" in answer && answer.ok === "moved";
}
