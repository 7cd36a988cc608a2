import { type Hello, sameFormation } from "./hello.ts";
import { Refusal } from "./refusal.ts";

/** Why two ends may not talk; undefined where they may. */
export function mismatchOf(own: Hello, other: Hello): Refusal | undefined {
  if (other.clusterId !== own.clusterId) {
    const detail = `belongs to cluster ${named(other.clusterId)}, this node to ` +
      named(own.clusterId);
    return new Refusal("cluster", detail);
  }
  if (other.secret !== own.secret) {
    const detail = other.secret
      ? "has a cluster secret, and this node has none"
      : "has no cluster secret, and this node has one";
    return new Refusal("secret", detail);
  }
  if (!sameFormation(own.formationId, other.formationId)) {
    const detail = `is of formation ${named(other.formationId)}, this node of ` +
      named(own.formationId);
    return new Refusal("formation", detail);
  }
  if (other.groupCount !== own.groupCount) {
    const detail = `has ${other.groupCount} groups, this node ${own.groupCount}`;
    return new Refusal("groups", detail);
  }
  const [ours, theirs] = [own.commandVersions, other.commandVersions];
  if (theirs.min > ours.max || theirs.max < ours.min) {
    const detail = `understands commands of version ${theirs.min} to ${theirs.max}, ` +
      `this node of ${ours.min} to ${ours.max}`;
    return new Refusal("commands", detail);
  }
  if (other.coldStore !== own.coldStore) {
    const detail = `keeps its objects elsewhere, by its options for the cold tier: ` +
      `${named(other.coldStore)}, this node ${named(own.coldStore)}`;
    return new Refusal("cold_store", detail);
  }
}

function named(id: string): string {
  return id === "" ? "none" : `"${id}"`;
}
