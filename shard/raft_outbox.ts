import { type RaftMessage, WireWriter } from "../group/mod.ts";
import type { MemberId } from "../raft/mod.ts";
import { nodeOf } from "../storage/member.ts";
import { PEER_KINDS } from "./peer_kinds.ts";
import { type Peers, presentMember } from "./peers.ts";

/** A bulk message of a turn that grew to this goes out at once, in bytes. */
const BATCH_BYTES_MAX = 4 * 1024 * 1024;

interface Line {
  readonly nodeId: number;
  readonly control: WireWriter;
  readonly bulk: WireWriter;
}

/**
 * Raft messages of a shard's groups on their way out: all that a turn has for a node leaves as one
 * message in each lane. Only appends go in bulk: a large one must not hold a heartbeat back. One
 * without entries goes with them, as it asks whether all that was sent before it has arrived.
 */
export class RaftOutbox {
  readonly #peers: Peers;
  readonly #lines = new Map<MemberId, Line>();
  #waiting = false;

  constructor(peers: Peers) {
    this.#peers = peers;
  }

  /** Adds a message of a group. */
  add(group: number, message: RaftMessage): void {
    const line = this.#lines.get(message.to) ?? this.#line(message.to);
    this.#waiting = true;
    if (message.type !== "append") {
      line.control.add(group, message);
      return;
    }
    line.bulk.add(group, message);
    if (line.bulk.length >= BATCH_BYTES_MAX) this.#send(message.to, line, "bulk");
  }

  /** Sends what waits. */
  flush(): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    for (const [member, line] of this.#lines) {
      if (line.control.length > 0) this.#send(member, line, "control");
      if (line.bulk.length > 0) this.#send(member, line, "bulk");
    }
  }

  #send(member: MemberId, line: Line, lane: "control" | "bulk"): void {
    const parts = line[lane].take();
    // What is meant for a store must not reach the one that took its place. Raft bears the loss.
    if (presentMember(this.#peers, line.nodeId) !== member) return;
    this.#peers.send(line.nodeId, lane, PEER_KINDS.RAFT, parts);
  }

  #line(member: MemberId): Line {
    const line = { nodeId: nodeOf(member), control: new WireWriter(), bulk: new WireWriter() };
    this.#lines.set(member, line);
    return line;
  }
}
