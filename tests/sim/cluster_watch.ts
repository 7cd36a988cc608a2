import type { Group } from "../../group/mod.ts";
import type { RecordLog, StoredGroup } from "../../storage/types.ts";
import { ClusterTime } from "./check/cluster_time.ts";
import { Leaders } from "./check/leaders.ts";
import { RaftLogs, type ReplicaLog } from "./check/raft_logs.ts";
import type { ReplicaChecker } from "./check/replicas.ts";
import { type LogEnd, Undecided } from "./check/undecided.ts";
import type { SimNode } from "./sim_node.ts";

/** How often requests without an answer are looked at, in ms. */
const LOOK_AT_UNDECIDED_MS = 20;

/** Everything that looks on at a cluster's consensus. */
export class ClusterWatch {
  readonly undecided = new Undecided();
  readonly leaders = new Leaders();
  readonly time: ClusterTime;
  readonly #logs = new RaftLogs();
  readonly #replicas: ReplicaChecker;
  /** By node: the logs that its last process wrote, be it over or not. */
  readonly #byNode = new Map<number, ReadonlyMap<number, ReplicaLog>[]>();
  /** By node: who its last process was. */
  readonly #members = new Map<number, string>();
  #lookAtUndecidedMs = 0;

  /** @param rightMs the time that most wall clocks are close to */
  constructor(replicas: ReplicaChecker, rightMs: () => number) {
    this.#replicas = replicas;
    this.time = new ClusterTime(rightMs);
  }

  /** A process begins: what it had on its disk it will find, or has lost. */
  starting(node: SimNode): void {
    this.#byNode.set(node.id, []);
    this.leaders.forget(this.#members.get(node.id) ?? "");
  }

  /** A replica's log is open. */
  onLog(
    node: SimNode,
    log: RecordLog,
    stored: ReadonlyMap<number, StoredGroup> | undefined,
  ): void {
    this.#byNode.get(node.id)?.push(this.#logs.attach(log, stored));
  }

  /**
   * Looks at all nodes.
   *
   * @param isHeld messages may be held up
   * @throws Violation
   */
  look(nodes: readonly SimNode[], nowMs: number, isHeld: boolean): void {
    if (this.#logs.failure !== undefined) throw this.#logs.failure;
    for (const node of nodes) {
      for (const group of node.groups) this.#lookAt(node, group);
    }
    if (isHeld || this.undecided.size === 0 || nowMs < this.#lookAtUndecidedMs) return;
    this.#lookAtUndecidedMs = nowMs + LOOK_AT_UNDECIDED_MS;
    this.undecided.look(nowMs, () => this.#logEnds(), (end) => this.#isSettled(end));
  }

  #lookAt(node: SimNode, group: Group): void {
    const { role, term, commitIndex, id } = group.status();
    this.#members.set(node.id, id);
    this.leaders.look({
      group: group.id,
      member: id,
      term,
      isLeader: role === "leader",
      commitIndex,
      log: group.dirty ? undefined : this.#logOf(node, group.id),
    });
    if (group.ready && role === "leader") this.time.leads(group.id, group.nowMs);
    const { stampMs } = this.#replicas.applied(group.id);
    if (stampMs > 0) this.time.applied(group.id, stampMs);
  }

  #logOf(node: SimNode, group: number): ReplicaLog | undefined {
    for (const logs of this.#byNode.get(node.id) ?? []) {
      const found = logs.get(group);
      if (found !== undefined) return found;
    }
  }

  #logEnds(): LogEnd[] {
    const ends: LogEnd[] = [];
    for (const logs of [...this.#byNode.values()].flat()) {
      for (const [group, log] of logs) {
        ends.push({ group, index: log.last, term: log.terms.at(-1) ?? 0 });
      }
    }
    return ends;
  }

  /** Is what lies up to there committed, or cut off by a later term? */
  #isSettled({ group, index, term }: LogEnd): boolean {
    return this.leaders.committed(group) >= index || this.leaders.committedTerm(group) > term;
  }
}
