/**
 * The cluster file (SPEC section 10): who the nodes of a cluster are, one file for all of them or
 * one for each.
 *
 * @module
 */

import { ConfigError } from "./config_error.ts";
import { nearest } from "./nearest.ts";
import type { OptionKey } from "./options.ts";

/** A key of the file and the option that it gives. */
const KEYS: ReadonlyMap<string, OptionKey> = new Map([
  ["node_id", "nodeId"],
  ["cluster_id", "clusterId"],
  ["peers", "raftPeers"],
  ["init_membership", "raftInitMembership"],
  // As older files have it.
  ["init_membership_per_group", "raftInitMembership"],
]);

/**
 * What a cluster file gives: option, key of the file, value.
 *
 * @throws {ConfigError} at unknown keys, and where two keys that mean the same disagree
 */
export function clusterFileEntries(
  path: string,
  content: object,
): { readonly key: OptionKey; readonly name: string; readonly raw: unknown }[] {
  const entries = Object.entries(content).map(([name, raw]) => {
    const key = KEYS.get(name);
    if (key !== undefined) return { key, name, raw };
    const near = nearest(name, KEYS.keys());
    const hint = near === undefined ? `known are ${[...KEYS.keys()].join(", ")}` : "";
    throw new ConfigError(`unknown key ${name} in ${path}; ${hint || `did you mean ${near}?`}`);
  });
  const flags = entries.filter(({ key }) => key === "raftInitMembership");
  if (flags.some(({ raw }) => raw !== flags[0]?.raw)) {
    const names = flags.map(({ name }) => name).join(" and ");
    throw new ConfigError(`${path}: ${names} mean the same, but differ`);
  }
  return entries;
}
