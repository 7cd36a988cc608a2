import type { GroupMetrics, NodeMetrics } from "../protocol/mod.ts";

/** What a node said of itself at one look. */
export interface NodeView {
  readonly id: number;
  /** Undefined where it gave no answer. */
  readonly metrics: NodeMetrics | undefined;
  /** Why there was no answer. */
  readonly trouble: string | undefined;
  /** Why it is not ready; undefined when it is. */
  readonly obstacle: string | undefined;
  /** Its groups, by their numbers. */
  readonly groups: ReadonlyMap<number, GroupMetrics>;
}

/** What all nodes of the manifest said of themselves. */
export interface ClusterView {
  /** When they had answered, in ms of a clock that never goes back. */
  readonly atMs: number;
  readonly nodes: readonly NodeView[];
}

/** A group as its leader sees it. */
export interface Led {
  readonly node: NodeView;
  readonly group: GroupMetrics;
}

/** The view of a node that answered, or did not. */
export function nodeView(
  id: number,
  metrics: NodeMetrics | undefined,
  trouble?: string,
  obstacle?: string,
): NodeView {
  const groups = new Map(metrics?.raft_groups.map((group) => [group.id, group]));
  return { id, metrics, trouble, obstacle, groups };
}

/** The node with this id. */
export function nodeOf(view: ClusterView, id: number): NodeView | undefined {
  return view.nodes.find((node) => node.id === id);
}

/** Numbers of all groups that some node holds, in order. */
export function groupIds(view: ClusterView): number[] {
  const ids = new Set(view.nodes.flatMap(({ groups }) => Array.from(groups.keys())));
  return Array.from(ids).sort((one, other) => one - other);
}

/** Who leads a group: of several that think so, the one with the highest term. */
export function leaderOf(view: ClusterView, id: number): Led | undefined {
  let led: Led | undefined;
  for (const node of view.nodes) {
    const group = node.groups.get(id);
    if (group?.leads !== true) continue;
    if (led === undefined || group.current_term > led.group.current_term) led = { node, group };
  }
  return led;
}

/** Groups that some node holds and none leads. */
export function leaderless(view: ClusterView): number[] {
  return groupIds(view).filter((id) => leaderOf(view, id) === undefined);
}

/** How many groups the node leads. */
export function leaderships({ groups }: NodeView): number {
  let count = 0;
  for (const { leads } of groups.values()) if (leads) count++;
  return count;
}

/** Entries that the node lacks, in the group in which it lacks most. */
export function lagOf({ groups }: NodeView): number {
  let most = 0;
  for (const { lag } of groups.values()) most = Math.max(most, lag);
  return most;
}

/** How far the node has got: whatever it does, one of these figures grows. */
export function figuresOf(node: NodeView | undefined): number[] {
  if (node?.metrics === undefined) return [0];
  let votes = 0;
  let caughtUp = 0;
  let applied = 0;
  let lacking = 0;
  for (const group of node.groups.values()) {
    votes += group.votes ? 1 : 0;
    caughtUp += group.caught_up ? 1 : 0;
    applied += group.last_applied_index;
    lacking += group.cold_objects_lacking;
  }
  return [1 + node.groups.size, votes, caughtUp, applied, -lacking];
}
