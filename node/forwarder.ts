import type { Answer } from "../group/mod.ts";
import type { Clock, LogLine, Span, Timer, Tracer } from "../io/mod.ts";
import type { CallFailed } from "../peer/mod.ts";
import { type Admission, type GroupAccess, PEER_KINDS, Roster } from "../shard/mod.ts";
import type { Command } from "../stream/mod.ts";
import { decodeAnswer, encodeSubmit } from "./call_codec.ts";
import { hintedNode, type Leaders, NOBODY } from "./leaders.ts";
import { PATIENCE_MS, RETRY_MS } from "./patience.ts";

/** The links to other nodes, as far as forwarding needs them; {@linkcode PeerPlane} has them. */
export interface PeerCalls {
  /** Copies the parts at once; never rejects. */
  call(
    nodeId: number,
    kind: number,
    parts: readonly Uint8Array[],
  ): Promise<Uint8Array | CallFailed>;
}

/** What forwarding is made of. */
export interface ForwarderOptions {
  /** This node's id. */
  readonly nodeId: number;
  /** The groups of this node, which never forward. */
  readonly local: GroupAccess;
  readonly peers: PeerCalls;
  readonly clock: Clock;
  /** Of the shard that other nodes' commands come to; left out, all are let in. */
  readonly admission?: Admission;
  readonly tracer?: Tracer | undefined;
  /** Takes lines for the operator. */
  readonly log: LogLine;
}

/** How often a command may follow a hint before it waits for the next look. */
export const MOVES_MAX = 2;
/** How often commands under way are held against their patience. */
const PATIENCE_LOOK_MS = 100;

const NO_LEADER: Answer = { unavailable: "no_leader" };
const UNKNOWN: Answer = { unavailable: "outcome_unknown" };

/** A command on its way to its group's leader. */
class Submission {
  /** Hints followed since the last look. */
  moves = 0;
  /** It looks whether somebody leads while others wait behind it. */
  isScout = false;
  over = false;

  constructor(
    readonly group: number,
    readonly command: Command,
    readonly done: (answer: Answer) => void,
    readonly deadlineMs: number,
  ) {}

  finish(answer: Answer): void {
    if (this.over) return;
    this.over = true;
    this.done(answer);
  }
}

/**
 * Brings commands to the leaders of their groups (SPEC section 8): a group led from here by a plain
 * call, others by a SUBMIT call to the leader's node.
 *
 * A command is sent again only after an answer that proves that it entered no log. Whether a call
 * without an answer did is not known, and that is what its client is told. Where nobody is known
 * to lead, commands wait, in order, and one of each group looks every 10 ms; once it gets through,
 * the others follow at once.
 */
export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #leaders: Leaders;
  /** By group, oldest first. */
  readonly #waiting = new Map<number, Submission[]>();
  /** Calls without an answer yet. */
  readonly #underWay = new Roster<Submission>();
  #lookTimer: Timer | undefined;
  #patienceTimer: Timer | undefined;
  #closed = false;

  constructor(options: ForwarderOptions, leaders: Leaders) {
    this.#options = options;
    this.#leaders = leaders;
  }

  /** Puts a command into its group's log; `done` is called once. */
  propose(group: number, command: Command, done: (answer: Answer) => void): void {
    const { clock, local } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#waiting.size > 0 && this.#waiting.has(group)) {
      return this.#wait(new Submission(group, command, done, nowMs + PATIENCE_MS));
    }
    const node = this.#leaders.fresh(group, nowMs);
    if (node !== NOBODY) {
      return this.#send(new Submission(group, command, done, nowMs + PATIENCE_MS), node);
    }
    local.propose(group, command, (answer) => {
      if ("unavailable" in answer && isElsewhere(answer.unavailable)) {
        const submission = new Submission(group, command, done, nowMs + PATIENCE_MS);
        this.#redirect(submission, hintedNode(answer.leader));
      } else {
        done(answer);
      }
    });
  }

  /** Ends all waiting. */
  close(): void {
    this.#closed = true;
    this.#lookTimer?.cancel();
    this.#patienceTimer?.cancel();
    const waiting = [...this.#waiting.values()].flat();
    const underWay = this.#underWay.seats();
    this.#waiting.clear();
    for (const seat of underWay) this.#underWay.remove(seat);
    for (const submission of waiting) submission.finish({ unavailable: "stopping" });
    for (const { member } of underWay) member.finish(UNKNOWN);
  }

  #begin(submission: Submission): void {
    submission.moves = 0;
    const node = this.#leaders.fresh(submission.group, this.#options.clock.monotonicMs());
    if (node === NOBODY) this.#askHere(submission);
    else this.#send(submission, node);
  }

  #askHere(submission: Submission): void {
    this.#options.local.propose(submission.group, submission.command, (answer) => {
      if ("unavailable" in answer && isElsewhere(answer.unavailable)) {
        this.#redirect(submission, hintedNode(answer.leader));
      } else {
        this.#conclude(submission, answer);
      }
    });
  }

  #send(submission: Submission, node: number): void {
    const { group, command } = submission;
    const seat = this.#underWay.add(submission);
    this.#watchPatience();
    const { peers, tracer } = this.#options;
    const span = tracer?.begin("forward", { "ursula.group": group, "ursula.node": node });
    peers.call(node, PEER_KINDS.SUBMIT, encodeSubmit(group, command)).then((reply) => {
      if (span !== undefined) endSpan(span, reply);
      this.#underWay.remove(seat);
      this.#replied(submission, node, reply);
    });
  }

  #replied(submission: Submission, node: number, reply: Uint8Array | CallFailed): void {
    if (submission.over) return;
    const { group } = submission;
    if ("failed" in reply) {
      this.#leaders.forget(group, node);
      if (reply.failed === "not_sent") this.#wait(submission);
      else submission.finish(UNKNOWN);
      return;
    }
    const answer = this.#decode(reply, node);
    if ("unavailable" in answer) {
      if (answer.unavailable === "not_leader") {
        this.#leaders.forget(group, node);
        return this.#redirect(submission, hintedNode(answer.leader));
      }
      // The node gives its leadership away, or has lost it: nothing entered a log.
      if (answer.unavailable === "stopping" || answer.unavailable === "no_leader") {
        this.#leaders.forget(group, node);
        return this.#wait(submission);
      }
    }
    this.#leaders.heard(group, node, this.#options.clock.monotonicMs());
    this.#conclude(submission, answer);
  }

  #decode(reply: Uint8Array, node: number): Answer {
    try {
      return decodeAnswer(reply);
    } catch (reason) {
      this.#options.log(
        `node ${node} answered what is no answer: ${(reason as Error).message}`,
        "warn",
      );
      return UNKNOWN;
    }
  }

  /** Follows a hint, where there is one and it was not followed too often. */
  #redirect(submission: Submission, node: number): void {
    if (node === NOBODY || submission.moves >= MOVES_MAX) return this.#wait(submission);
    submission.moves++;
    if (node === this.#options.nodeId) this.#askHere(submission);
    else this.#send(submission, node);
  }

  /** The group takes commands: whoever waits for it may go on. */
  #conclude(submission: Submission, answer: Answer): void {
    submission.finish(answer);
    if (this.#waiting.size === 0) return;
    const followers = this.#waiting.get(submission.group);
    if (followers === undefined) return;
    this.#waiting.delete(submission.group);
    for (const follower of followers) this.#begin(follower);
  }

  #wait(submission: Submission): void {
    if (this.#closed) return submission.finish({ unavailable: "stopping" });
    const waiting = this.#waiting.get(submission.group);
    if (waiting === undefined) this.#waiting.set(submission.group, [submission]);
    else if (submission.isScout) waiting.unshift(submission);
    else waiting.push(submission);
    submission.isScout = false;
    this.#lookTimer ??= this.#options.clock.setTimer(RETRY_MS, () => this.#look());
  }

  /** Sends one command of each group on its way, and those home that have waited for too long. */
  #look(): void {
    this.#lookTimer = undefined;
    const nowMs = this.#options.clock.monotonicMs();
    const scouts: Submission[] = [];
    for (const [group, waiting] of this.#waiting) {
      const patient = waiting.filter((submission) => submission.deadlineMs > nowMs);
      const [scout, ...rest] = patient;
      if (rest.length === 0) this.#waiting.delete(group);
      else this.#waiting.set(group, rest);
      if (scout !== undefined) scouts.push(scout);
      if (patient.length === waiting.length) continue;
      for (const submission of waiting) {
        if (submission.deadlineMs <= nowMs) submission.finish(NO_LEADER);
      }
    }
    for (const scout of scouts) {
      scout.isScout = true;
      this.#begin(scout);
    }
    if (this.#waiting.size > 0 && !this.#closed) {
      this.#lookTimer ??= this.#options.clock.setTimer(RETRY_MS, () => this.#look());
    }
  }

  /** One timer for all calls under way; a timer each would cost more than the call. */
  #watchPatience(): void {
    if (this.#patienceTimer !== undefined || this.#closed) return;
    this.#patienceTimer = this.#options.clock.setTimer(PATIENCE_LOOK_MS, () => {
      this.#patienceTimer = undefined;
      const nowMs = this.#options.clock.monotonicMs();
      for (const seat of this.#underWay.seats()) {
        if (seat.member.deadlineMs > nowMs || !this.#underWay.remove(seat)) continue;
        seat.member.finish(UNKNOWN);
      }
      if (this.#underWay.size > 0) this.#watchPatience();
    });
  }
}

/** Did nothing enter a log, because this node's replica does not lead? */
function isElsewhere(reason: string): boolean {
  return reason === "not_leader" || reason === "no_leader";
}

function endSpan(span: Span, reply: Uint8Array | CallFailed): void {
  if ("failed" in reply) span.end({ "error.type": reply.failed }, true);
  else span.end({ "ursula.answer.bytes": reply.length });
}
