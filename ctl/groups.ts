import { Failure, UsageError } from "./failure.ts";
import { type ClusterView, groupIds } from "./view.ts";

/** Which groups a verb is about. */
export interface GroupOptions {
  readonly group?: readonly number[];
  readonly all?: boolean;
}

/** @throws {UsageError} when neither or both are given */
export function checkGroups({ group, all }: GroupOptions): void {
  if (group === undefined && all !== true) throw new UsageError("say which: --group G, or --all");
  if (group !== undefined && all === true) {
    throw new UsageError("--group and --all exclude each other");
  }
}

/** Their numbers. @throws {Failure} when there is none, or no such */
export function chosenGroups(view: ClusterView, { group }: GroupOptions): number[] {
  const known = groupIds(view);
  if (known.length === 0) {
    throw new Failure(`no node answers: ${view.nodes[0]?.trouble ?? "none is given"}`);
  }
  const unknown = group?.find((id) => !known.includes(id));
  if (unknown !== undefined) throw new Failure(`there is no group ${unknown}`);
  return group === undefined ? known : [...new Set(group)];
}
