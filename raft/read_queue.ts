import type { MemberId } from "./types.ts";

/** The answer to a {@linkcode Raft.readIndex}. */
export interface ReadAnswer {
  /** As given when asked. */
  readonly context: number;
  /**
   * The read may be served once everything up to here is applied; undefined when leadership was
   * lost before it could be proven: nothing is known, ask again.
   */
  readonly index: number | undefined;
}

/** Who asked: `from` undefined is this member's own caller, with `context` the caller's. */
interface Question {
  readonly from: MemberId | undefined;
  readonly context: number;
}

/** Questions that one heartbeat round answers. */
interface Round {
  readonly round: number;
  readonly index: number;
  readonly questions: readonly Question[];
}

/** Sends an answer to the follower that asked. */
export type AnswerRemote = (to: MemberId, id: number, index: number) => void;

/** Read index questions (dissertation §6.4), a leader's and a follower's. */
export class ReadQueue {
  /** Leader: not in a round yet. */
  #asked: Question[] = [];
  /** Leader: rounds under way, ascending. */
  #rounds: Round[] = [];
  #answers: ReadAnswer[] = [];

  /** Highest round sent in this term or an earlier one. */
  round = 0;

  /** Follower: own caller's, not yet sent to the leader. */
  #unsent: number[] = [];
  /** Follower: sent and unanswered, ascending ids. */
  #sent: { readonly id: number; readonly contexts: readonly number[] }[] = [];
  #nextId: number;
  /** Follower: when to ask again, in case question or answer was lost. */
  resendDueMs = Infinity;

  /** @param firstId of this life's questions, so that no answer to an earlier life's fits */
  constructor(firstId: number) {
    this.#nextId = firstId;
  }

  /** There are answers to take. */
  get answered(): boolean {
    return this.#answers.length > 0;
  }

  /** A leader has questions that need a round. */
  get waiting(): boolean {
    return this.#asked.length > 0;
  }

  /** A follower has questions to send. */
  get unsent(): boolean {
    return this.#unsent.length > 0;
  }

  /** Takes the answers. */
  take(): ReadAnswer[] {
    if (this.#answers.length === 0) return this.#answers;
    const answers = this.#answers;
    this.#answers = [];
    return answers;
  }

  /** Answers this member's own caller. */
  answer(context: number, index: number | undefined): void {
    this.#answers.push({ context, index });
  }

  /** Leader: the question waits for the next round. */
  ask(from: MemberId | undefined, context: number): void {
    this.#asked.push({ from, context });
  }

  /**
   * Leader: a round goes out, and answers all asked so far with `index`, unless that is undefined
   * because it does not know yet. Says the round's number.
   */
  startRound(index: number | undefined): number {
    this.round++;
    if (index !== undefined && this.#asked.length > 0) {
      this.#rounds.push({ round: this.round, index, questions: this.#asked });
      this.#asked = [];
    }
    return this.round;
  }

  /** Leader: a majority answered `round`. */
  confirm(round: number, answerRemote: AnswerRemote): void {
    let done = 0;
    for (const { round: asked, index, questions } of this.#rounds) {
      if (asked > round) break;
      this.#answerAll(questions, index, answerRemote);
      done++;
    }
    if (done > 0) this.#rounds.splice(0, done);
  }

  /** Leader: needs no round for what was asked so far. */
  answerAsked(index: number, answerRemote: AnswerRemote): void {
    const questions = this.#asked;
    this.#asked = [];
    this.#answerAll(questions, index, answerRemote);
  }

  #answerAll(questions: readonly Question[], index: number, answerRemote: AnswerRemote): void {
    for (const { from, context } of questions) {
      if (from === undefined) this.answer(context, index);
      else answerRemote(from, context, index);
    }
  }

  /** Leadership is lost; followers find out by themselves. */
  refuseAsked(): void {
    for (const { questions } of this.#rounds) this.#refuse(questions);
    this.#refuse(this.#asked);
    this.#rounds = [];
    this.#asked = [];
  }

  #refuse(questions: readonly Question[]): void {
    for (const { from, context } of questions) {
      if (from === undefined) this.answer(context, undefined);
    }
  }

  /** Follower: passes the question on with the next ready. */
  forward(context: number): void {
    this.#unsent.push(context);
  }

  /** Follower: all unsent questions go out under the id that this answers. */
  sendForwarded(resendDueMs: number): number {
    const id = this.#nextId++;
    this.#sent.push({ id, contexts: this.#unsent });
    this.#unsent = [];
    this.resendDueMs = Math.min(this.resendDueMs, resendDueMs);
    return id;
  }

  /** Follower: asks anew under the newest id, whose answer is good for the older ones too. */
  resend(resendDueMs: number): number | undefined {
    const newest = this.#sent[this.#sent.length - 1];
    this.resendDueMs = newest === undefined ? Infinity : resendDueMs;
    return newest?.id;
  }

  /** Follower: the leader answered `id`. */
  forwardedAnswer(id: number, index: number): void {
    const newest = this.#sent[this.#sent.length - 1];
    if (newest === undefined || id > newest.id) return;
    let done = 0;
    for (const sent of this.#sent) {
      if (sent.id > id) break;
      for (const context of sent.contexts) this.answer(context, index);
      done++;
    }
    if (done > 0) this.#sent.splice(0, done);
    if (this.#sent.length === 0) this.resendDueMs = Infinity;
  }

  /** Follower: the leader changed. */
  refuseForwarded(): void {
    for (const { contexts } of this.#sent) {
      for (const context of contexts) this.answer(context, undefined);
    }
    for (const context of this.#unsent) this.answer(context, undefined);
    this.#sent = [];
    this.#unsent = [];
    this.resendDueMs = Infinity;
  }
}
