import type { Eventually, ReadAnswer, ReadRequest, Unavailable } from "./answers.ts";
import type { Group } from "./group.ts";

/**
 * Makes an answer whole whose plan needs bytes of objects. Called before anything more is applied;
 * others are passed on as they are.
 */
export type Completion = (
  group: Group,
  request: ReadRequest,
  answer: ReadAnswer,
) => Eventually<ReadAnswer>;

/** What a read is answered that can't be proven to know all. */
export const NO_LEADER: Unavailable = { unavailable: "no_leader" };

/** Passes every answer on. */
export function asIs(_group: Group, _request: ReadRequest, answer: ReadAnswer): ReadAnswer {
  return answer;
}

/** Looks the slices of a plan up: a promise later they may have been flushed. */
export function held(answer: ReadAnswer): ReadAnswer {
  if ("plan" in answer && answer.plan.cold === undefined) void answer.plan.slices;
  return answer;
}
