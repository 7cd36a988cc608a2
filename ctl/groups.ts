import type { Cluster } from "./cluster.ts";
import { Aborted, Failure, messageOf, UsageError } from "./failure.ts";
import type { Screen } from "./output.ts";
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

/** Does something for each of the groups, and shows how far it has got. @throws as `Cluster.each` */
export async function eachGroup(
  { cluster, screen }: { readonly cluster: Cluster; readonly screen: Screen },
  groups: readonly number[],
  act: (group: number) => Promise<void>,
): Promise<void> {
  let done = 0;
  await cluster.each(groups, async (group) => {
    await act(group);
    screen.progress(`${++done} of ${groups.length} groups`);
  });
}

/** What became of groups that were to be changed. */
export interface ChangedGroups {
  /** Those that were changed, in order, or with a dry run would be. */
  readonly groups: number[];
  /** Why not all of them; null where nothing is in the way. */
  readonly aborted: string | null;
}

/** The same, where what is done stays done though others fail. */
export async function changeGroups(
  where: { readonly cluster: Cluster; readonly screen: Screen; readonly dryRun?: boolean },
  groups: readonly number[],
  act: (group: number) => Promise<void>,
): Promise<ChangedGroups> {
  if (where.dryRun === true) return { groups: [...groups], aborted: null };
  const done: number[] = [];
  try {
    await eachGroup(where, groups, async (group) => {
      await act(group);
      done.push(group);
    });
    return { groups: inOrder(done), aborted: null };
  } catch (error) {
    return { groups: inOrder(done), aborted: messageOf(error) };
  }
}

/** @throws {Aborted} unless all of so many groups were changed */
export function checkChanged({ groups, aborted }: ChangedGroups, wanted: number): void {
  if (aborted === null) return;
  throw new Aborted(`${aborted} (${groups.length} of ${wanted} groups are done)`);
}

function inOrder(groups: number[]): number[] {
  return groups.sort((one, other) => one - other);
}
