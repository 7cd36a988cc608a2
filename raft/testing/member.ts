/**
 * One member whose peers are the test itself.
 *
 * @module
 */

import type { Entry, Membership, Message } from "../mod.ts";
import { type Disk, emptyDisk, Machine, SETTINGS, type Settings, Text } from "./machine.ts";

/** A command entry. */
export function command(index: number, term: number, text = `c${index}`): Entry<Text> {
  return { index, term, kind: "command", payload: new Text(text) };
}

/** A log of commands, from index 1 on, with these terms. */
export function logOf(...terms: number[]): Entry<Text>[] {
  return terms.map((term, i) => command(i + 1, term));
}

/** How a member starts, where it differs from a new one of the voters a, b and c. */
export interface Start {
  readonly voters?: readonly string[];
  readonly learners?: readonly string[];
  readonly term?: number;
  readonly votedFor?: string;
  /** Terms of the log's entries. */
  readonly log?: readonly number[];
  readonly settings?: Partial<Settings>;
}

/** Member `a`, at time 0. Its disk is as fast as the test wants: see {@linkcode Member.flush}. */
export class Member {
  readonly machine: Machine;
  nowMs = 0;

  constructor(start: Start = {}) {
    const disk: Disk = {
      ...emptyDisk(start.voters ?? ["a", "b", "c"], start.learners),
      hardState: { term: start.term ?? 0, votedFor: start.votedFor },
      entries: logOf(...(start.log ?? [])),
    };
    this.machine = new Machine("a", disk, { ...SETTINGS, ...start.settings }, 0);
  }

  /** The core. */
  get raft(): Machine["raft"] {
    return this.machine.raft;
  }

  /** The newest membership. */
  get membership(): Membership {
    return this.raft.membership;
  }

  /** Lets time go on, and the member notice. */
  pass(ms: number): this {
    this.nowMs += ms;
    this.raft.tick(this.nowMs);
    return this;
  }

  /** Says something to it. */
  hear(message: Message<Text>): this {
    this.machine.receive({ message, state: [] }, this.nowMs);
    return this;
  }

  /** What it says at once; its writes stay under way. */
  said(): Message<Text>[] {
    const messages: Message<Text>[] = [];
    for (let taken = this.machine.takeReady(); taken; taken = this.machine.takeReady()) {
      for (const { message } of taken.packets) messages.push(message);
    }
    return messages;
  }

  /** What it says at once and when all its writes are durable. */
  flush(): Message<Text>[] {
    const messages = this.said();
    while (this.machine.outstanding.length > 0) {
      for (const { message } of this.machine.completeOldest()) messages.push(message);
      messages.push(...this.said());
    }
    return messages;
  }

  /** Makes it campaign and grants what it asks, so that it leads; says nothing of that. */
  lead(): this {
    this.pass(this.nowMs + 200);
    const grant = (type: "pre_vote_response" | "vote_response", term: number): void => {
      for (const from of ["b", "c", "d", "e"]) {
        if (this.raft.membership.voters.includes(from)) {
          this.hear({ type, from, to: "a", term, granted: true });
        }
      }
    };
    this.flush();
    grant("pre_vote_response", this.raft.term + 1);
    this.flush();
    grant("vote_response", this.raft.term);
    if (this.raft.role !== "leader") throw new Error(`does not lead but is ${this.raft.role}`);
    return this;
  }

  /** Leads with the first entry of its term committed, and everybody caught up. */
  leadCommitted(): this {
    this.lead().flush();
    for (const from of ["b", "c", "d", "e"]) this.ack(from, this.raft.lastIndex);
    this.flush();
    return this;
  }

  /** Follows b in `term`. */
  follow(term: number): this {
    this.hear(heartbeat(term));
    this.flush();
    return this;
  }

  /** `from` acknowledges up to `match`, if it is a member. */
  ack(from: string, match: number): this {
    const { term } = this.raft;
    return this.hear({ type: "append_ack", from, to: "a", term, match });
  }

  /** `from` answers each heartbeat among `messages` that went to it. */
  confirm(from: string, messages: readonly Message<Text>[]): this {
    for (const message of messages) {
      if (message.type !== "heartbeat" || message.to !== from) continue;
      const { term, round, sentMs } = message;
      this.hear({ type: "heartbeat_response", from, to: "a", term, round, sentMs, full: false });
    }
    return this;
  }

  /** What the log holds, as terms. */
  get terms(): number[] {
    return this.machine.disk.entries.map((entry) => entry.term);
  }
}

/** A heartbeat from b. */
export function heartbeat(term: number, commit = 0): Message<Text> {
  return { type: "heartbeat", from: "b", to: "a", term, round: 1, sentMs: 0, commit };
}

/** An append from b. */
export function append(
  term: number,
  prevIndex: number,
  prevTerm: number,
  terms: readonly number[] = [],
  commit = 0,
): Message<Text> {
  const entries = terms.map((term, i) => command(prevIndex + 1 + i, term));
  return { type: "append", from: "b", to: "a", term, prevIndex, prevTerm, entries, commit };
}

/** A vote request from `from`. */
export function voteRequest(
  from: string,
  term: number,
  lastIndex: number,
  lastTerm: number,
  transfer = false,
): Message<Text> {
  return { type: "vote", from, to: "a", term, lastIndex, lastTerm, transfer };
}

/** The messages of one type. */
export function only<T extends Message<Text>["type"]>(
  messages: readonly Message<Text>[],
  type: T,
): Extract<Message<Text>, { type: T }>[] {
  return messages.filter((message): message is Extract<Message<Text>, { type: T }> =>
    message.type === type
  );
}
