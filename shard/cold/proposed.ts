import type { Answer, Group } from "../../group/mod.ts";
import type { Command } from "../../stream/mod.ts";

/** Proposes a command; resolves with what came of it, or once nobody waits for that any more. */
export function proposed(group: Group, command: Command, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve) => {
    const giveUp = () => resolve({ unavailable: "outcome_unknown" });
    if (signal.aborted) return giveUp();
    signal.addEventListener("abort", giveUp, { once: true });
    group.propose(command, (answer) => {
      signal.removeEventListener("abort", giveUp);
      resolve(answer);
    });
  });
}

/** Was the command applied? */
export function isApplied(answer: Answer): boolean {
  return "ok" in answer;
}

/** Does this replica lead the group, and has it applied what others left? */
export function leadsNow(group: Group): boolean {
  return group.leads && group.ready;
}
