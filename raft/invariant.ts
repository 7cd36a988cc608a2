/**
 * Stops at a bug: a state that the algorithm rules out. The name is a constant, so that the check
 * costs one branch on hot paths.
 *
 * @throws {Error} when `holds` is false
 */
export function invariant(holds: boolean, name: string): asserts holds {
  if (!holds) throw new Error(`raft invariant broken: ${name}`);
}
