import type { Group } from "../group/mod.ts";
import type { LogLine } from "../io/mod.ts";
import type { MemberId } from "../raft/mod.ts";
import { nodeOf } from "../storage/member.ts";

/** Tells the operator who leads a shard's groups, in one line for all that changed since the last look. */
export class LeaderChanges {
  readonly #log: LogLine;
  readonly #known = new Map<number, MemberId | undefined>();

  constructor(log: LogLine) {
    this.#log = log;
  }

  /** Looks at the groups; to be called every second or so. */
  look(groups: Iterable<Group>): void {
    let changed = 0;
    const led = new Map<number, number>();
    let leaderless = 0;
    for (const group of groups) {
      const { leader } = group.status();
      if (!this.#known.has(group.id) || this.#known.get(group.id) !== leader) changed++;
      this.#known.set(group.id, leader);
      if (leader === undefined) leaderless++;
      else led.set(nodeOf(leader), (led.get(nodeOf(leader)) ?? 0) + 1);
    }
    if (changed === 0) return;
    const nodes = [...led].sort(([one], [other]) => one - other);
    const parts = nodes.map(([node, count]) => `node ${node} leads ${count}`);
    if (leaderless > 0) parts.push(`${leaderless} have no leader`);
    const line = `leaders changed in ${changed} of ${this.#known.size} groups: ${parts.join(", ")}`;
    this.#log(line, leaderless > 0 ? "warn" : "info");
  }
}
