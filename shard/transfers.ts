/**
 * Sends RaftSnapshots to members that are too far behind for the log.
 *
 * A transfer is a row of calls, each answered with one byte: `[begin]`, `[chunk]…`, `[end]`, each
 * followed by the transfer's number and the group. Few are unanswered at a time, so that a slow
 * member holds little memory here, and the group goes on applying meanwhile.
 *
 * @module
 */

import type { LogLine } from "../io/mod.ts";
import { type Group, type RaftMessage, type SnapshotSource, WireWriter } from "../group/mod.ts";
import type { MemberId } from "../raft/mod.ts";
import { nodeOf } from "../storage/member.ts";
import { PEER_KINDS } from "./peer_kinds.ts";
import { type Peers, presentMember } from "./peers.ts";

/** The wish of a group's core to send a RaftSnapshot. */
export type SnapshotMessage = Extract<RaftMessage, { type: "snapshot" }>;

/** Steps of a transfer. */
export const TRANSFER = { BEGIN: 1, CHUNK: 2, END: 3 } as const;
/** Bytes before what a step carries: step, transfer (4), group (4). */
export const TRANSFER_HEAD_BYTES = 9;
/** A step was taken. */
export const TRANSFER_OK = 1;

/** Transfers of a shard at a time; others wait. */
const TRANSFERS_MAX = 2;
/** Chunks of a transfer that are not answered yet. */
const CHUNKS_IN_FLIGHT_MAX = 4;

interface Transfer {
  readonly group: Group;
  readonly message: SnapshotMessage;
}

/** The outgoing transfers of a shard. */
export class Transfers {
  readonly #peers: Peers;
  readonly #log: LogLine;
  /** Transfers to a member since none was under way: how many are, and how many went out whole. */
  readonly #members = new Map<MemberId, { open: number; sent: number }>();
  readonly #waiting: Transfer[] = [];
  /** One of a group to a member: the next one's BEGIN would break it off. */
  readonly #running = new Set<Transfer>();
  #nextId = 1;
  #stopped = false;

  constructor(peers: Peers, log: LogLine) {
    this.#peers = peers;
    this.#log = log;
  }

  /** Begins a transfer, or notes it down; the group is told how it ended. */
  begin(group: Group, message: SnapshotMessage): void {
    this.#waiting.push({ group, message });
    const member = this.#members.get(message.to);
    if (member !== undefined) {
      member.open++;
    } else {
      this.#members.set(message.to, { open: 1, sent: 0 });
      const node = nodeOf(message.to);
      this.#log(`node ${node} lacks more than the log has: RaftSnapshots go to it`);
    }
    this.#next();
  }

  /** Breaks off what is under way. */
  stop(): void {
    this.#stopped = true;
    this.#waiting.length = 0;
  }

  #next(): void {
    if (this.#running.size >= TRANSFERS_MAX || this.#stopped) return;
    const running = [...this.#running];
    const next = this.#waiting.find((wish) => !running.some((other) => isSame(wish, other)));
    if (next === undefined) return;
    this.#waiting.splice(this.#waiting.indexOf(next), 1);
    const { group, message } = next;
    this.#running.add(next);
    this.#run(group, message).catch((reason) => {
      this.#log(`a RaftSnapshot of group ${group.id} could not be sent: ${reason}`, "warn");
      return false;
    }).then((ok) => {
      this.#running.delete(next);
      if (this.#stopped) return;
      this.#ended(message.to, ok);
      // The member's answer comes by another way, and may have led to the next wish already: the
      // group would take this one's end for that one's.
      const isAskedAnew = this.#waiting.some((other) => isSame(next, other));
      if (!isAskedAnew) group.reportSnapshot(message.to, ok);
      this.#next();
    });
  }

  #ended(to: MemberId, ok: boolean): void {
    const member = this.#members.get(to);
    if (member === undefined) return;
    member.open--;
    if (ok) member.sent++;
    // Where none got through it is tried again and again, which is said once.
    if (member.open > 0 || member.sent === 0) return;
    this.#members.delete(to);
    const what = member.sent === 1 ? "1 RaftSnapshot" : `${member.sent} RaftSnapshots`;
    this.#log(`node ${nodeOf(to)} has got ${what}`);
  }

  async #run(group: Group, message: SnapshotMessage): Promise<boolean> {
    // Another one of the group goes to another member, or to the disk.
    while (group.exports.underWay !== undefined) await group.exports.underWay;
    // It may have waited; the group may have lost its leadership since.
    if (!group.leads) return false;
    const head = new Uint8Array(TRANSFER_HEAD_BYTES);
    new DataView(head.buffer).setUint32(1, this.#nextId++);
    new DataView(head.buffer).setUint32(5, group.id);
    const step = (name: keyof typeof TRANSFER, bytes: readonly Uint8Array[]) => {
      head[0] = TRANSFER[name];
      return this.#step(message, [head, ...bytes]);
    };
    if (!await step("BEGIN", [])) return false;
    while (group.exports.underWay !== undefined) await group.exports.underWay;
    const { mark, chunks } = group.snapshot(message.to);
    if (!await this.#sendChunks(chunks, (chunk) => step("CHUNK", [chunk]))) return false;
    const writer = new WireWriter();
    writer.add(group.id, { ...message, mark });
    return await step("END", writer.take());
  }

  async #sendChunks(
    chunks: SnapshotSource["chunks"],
    send: (chunk: Uint8Array) => Promise<boolean>,
  ): Promise<boolean> {
    const unanswered: Promise<boolean>[] = [];
    for (const chunk of chunks) {
      unanswered.push(send(chunk));
      if (unanswered.length < CHUNKS_IN_FLIGHT_MAX) continue;
      if (!await unanswered.shift()) return false;
    }
    return (await Promise.all(unanswered)).every((ok) => ok);
  }

  async #step(message: SnapshotMessage, parts: readonly Uint8Array[]): Promise<boolean> {
    const nodeId = nodeOf(message.to);
    if (this.#stopped || presentMember(this.#peers, nodeId) !== message.to) return false;
    const answer = await this.#peers.call(nodeId, PEER_KINDS.SNAPSHOT, parts);
    return answer instanceof Uint8Array && answer[0] === TRANSFER_OK;
  }
}

function isSame(one: Transfer, other: Transfer): boolean {
  return one.group === other.group && one.message.to === other.message.to;
}
