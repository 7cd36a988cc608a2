import type {
  Answer,
  BootstrapAnswer,
  BootstrapBroken,
  BootstrapRequest,
  BootstrapStretch,
  Eventually,
  ReadAnswer,
  ReadRequest,
  Unavailable,
  Watcher,
} from "../group/mod.ts";
import { pause } from "../io/mod.ts";
import {
  type Errands,
  type GroupAccess,
  type GroupFacts,
  PEER_KINDS,
  proposeAdmitted,
  type Survey,
  type SurveyAnswers,
} from "../shard/mod.ts";
import type { Command, ObjectName, StreamFacts, StreamKey } from "../stream/mod.ts";
import {
  decodeSubmit,
  decodeSurvey,
  decodeSurveyAnswer,
  encodeAnswer,
  encodeSurvey,
  encodeSurveyAnswer,
} from "./call_codec.ts";
import { Forwarder, type ForwarderOptions, MOVES_MAX } from "./forwarder.ts";
import { hintedNode, Leaders, NOBODY } from "./leaders.ts";
import { before, PATIENCE_MS, RETRY_MS } from "./patience.ts";

/** Longest pause between two looks of a read. */
const READ_RETRY_MS_MAX = 50;
/** Errands of a kind that one answer to another node holds; the rest is for the next one. */
const ERRANDS_PER_CALL_MAX = 1_000;

const NO_LEADER: Unavailable = { unavailable: "no_leader" };
const NOT_LEADER: Unavailable = { unavailable: "not_leader" };

/**
 * Every group of the cluster, wherever its leader is: any node serves any request (SPEC section 8).
 *
 * Commands and surveys go to the leader, over the peer link where that is another node; reads and
 * live reads are this node's own replica's business. What can't be decided because nobody leads is
 * tried again until patience is over, so that callers never see `not_leader`.
 */
export class Cluster implements GroupAccess {
  readonly groupCount: number;
  /** The groups as this node has them: never forwards, never waits. */
  readonly local: GroupAccess;
  readonly #options: ForwarderOptions;
  readonly #leaders: Leaders;
  readonly #forwarder: Forwarder;
  #closed = false;

  constructor(options: ForwarderOptions) {
    this.groupCount = options.local.groupCount;
    this.local = options.local;
    this.#options = options;
    this.#leaders = new Leaders(this.groupCount);
    this.#forwarder = new Forwarder(options, this.#leaders);
  }

  propose(group: number, command: Command, done: (answer: Answer) => void): void {
    this.#forwarder.propose(group, command, done);
  }

  submit(group: number, command: Command): Promise<Answer> {
    return new Promise((resolve) => this.#forwarder.propose(group, command, resolve));
  }

  read(group: number, request: ReadRequest): Eventually<ReadAnswer> {
    return this.#insist(() => this.local.read(group, request));
  }

  beginBootstrap(group: number, request: BootstrapRequest): Eventually<BootstrapAnswer> {
    return this.#insist(() => this.local.beginBootstrap(group, request));
  }

  nextOfBootstrap(
    group: number,
    session: number,
  ): Eventually<BootstrapStretch | BootstrapBroken | Unavailable> {
    return this.local.nextOfBootstrap(group, session);
  }

  tellBootstrap(group: number, session: number, what: "goes_on" | "ends"): void {
    this.local.tellBootstrap(group, session, what);
  }

  fetch(
    group: number,
    object: ObjectName,
    offset: number,
    length: number,
  ): Promise<Uint8Array | Unavailable> {
    return this.local.fetch(group, object, offset, length);
  }

  survey<A extends Survey["about"]>(
    group: number,
    survey: Extract<Survey, { about: A }>,
  ): Eventually<SurveyAnswers[A] | Unavailable> {
    const node = this.#leaders.fresh(group, this.#options.clock.monotonicMs());
    if (node !== NOBODY) return this.#pursue(group, survey, node);
    const answer = this.local.survey<A>(group, survey);
    if (!(answer instanceof Promise) && !isLeaderless(answer)) return answer;
    return this.#pursue(group, survey, answer);
  }

  facts(group: number): Eventually<GroupFacts> {
    return this.local.facts(group);
  }

  watch(
    group: number,
    key: StreamKey,
    incarnation: string,
    watcher: Watcher,
  ): Eventually<StreamFacts | undefined> {
    return this.local.watch(group, key, incarnation, watcher);
  }

  unwatch(group: number, key: StreamKey, watcher: Watcher): void {
    this.local.unwatch(group, key, watcher);
  }

  /**
   * Answers a SUBMIT or SURVEY call of another node from this node's replicas. It is never sent on:
   * who asks has the patience, and gets the hint.
   *
   * @param respond takes the bytes at once, before it returns
   */
  answerCall(kind: number, bytes: Uint8Array, respond: (bytes: Uint8Array) => void): void {
    try {
      if (kind === PEER_KINDS.SUBMIT) {
        const { group, command } = decodeSubmit(bytes, this.groupCount);
        const { local, admission } = this.#options;
        const done = (answer: Answer) => respond(encodeAnswer(answer));
        if (admission === undefined) local.propose(group, command, done);
        else proposeAdmitted(local, admission, group, command, done);
      } else {
        const { group, survey } = decodeSurvey(bytes, this.groupCount);
        this.#answerSurvey(group, survey, respond)
          .catch(() => respond(encodeSurveyAnswer(NOT_LEADER)));
      }
    } catch (reason) {
      this.#options.log(`a call that can't be answered: ${(reason as Error).message}`, "warn");
      respond(encodeAnswer(NOT_LEADER));
    }
  }

  /** Ends all waiting: commands that wait are answered `stopping`. */
  close(): void {
    this.#closed = true;
    this.#forwarder.close();
  }

  /** Asks this node's replica until it can tell, or patience is over. */
  #insist<T>(ask: () => Eventually<T | Unavailable>): Eventually<T | Unavailable> {
    const answer = ask();
    if (!(answer instanceof Promise) && !isLeaderless(answer)) return answer;
    const deadlineMs = this.#options.clock.monotonicMs() + PATIENCE_MS;
    if (!(answer instanceof Promise)) return this.#askAgain(ask, deadlineMs);
    return answer.then((value) => isLeaderless(value) ? this.#askAgain(ask, deadlineMs) : value);
  }

  async #askAgain<T>(
    ask: () => Eventually<T | Unavailable>,
    deadlineMs: number,
  ): Promise<T | Unavailable> {
    const { clock } = this.#options;
    let delayMs = RETRY_MS;
    while (!this.#closed && clock.monotonicMs() < deadlineMs) {
      await pause(clock, delayMs);
      const answer = await before(clock, deadlineMs, ask());
      if (answer !== undefined && !isLeaderless(answer)) return answer;
      delayMs = Math.min(READ_RETRY_MS_MAX, delayMs + RETRY_MS);
    }
    return NO_LEADER;
  }

  /** @param start the node to ask, or what this node's replica said */
  async #pursue<A extends Survey["about"]>(
    group: number,
    survey: Extract<Survey, { about: A }>,
    start: number | Eventually<SurveyAnswers[A] | Unavailable>,
  ): Promise<SurveyAnswers[A] | Unavailable> {
    const { clock, nodeId } = this.#options;
    const deadlineMs = clock.monotonicMs() + PATIENCE_MS;
    let moves = 0;
    let answer = typeof start === "number"
      ? await this.#ask<A>(start, group, survey, deadlineMs)
      : await start;
    while (isLeaderless(answer) && !this.#closed && clock.monotonicMs() < deadlineMs) {
      const node = hintedNode(answer.leader);
      if (node !== NOBODY && node !== nodeId && moves < MOVES_MAX) {
        moves++;
        answer = await this.#ask<A>(node, group, survey, deadlineMs);
      } else {
        moves = 0;
        await pause(clock, RETRY_MS);
        answer = await before(clock, deadlineMs, this.local.survey<A>(group, survey)) ?? NO_LEADER;
      }
    }
    return isLeaderless(answer) ? NO_LEADER : answer;
  }

  async #ask<A extends Survey["about"]>(
    node: number,
    group: number,
    survey: Extract<Survey, { about: A }>,
    deadlineMs: number,
  ): Promise<SurveyAnswers[A] | Unavailable> {
    const { clock, peers, log } = this.#options;
    const call = peers.call(node, PEER_KINDS.SURVEY, encodeSurvey(group, survey));
    const reply = await before(clock, deadlineMs, call);
    if (reply instanceof Uint8Array) {
      try {
        const answer = decodeSurveyAnswer<A>(survey.about, reply);
        const stopping = isUnavailable(answer) && answer.unavailable === "stopping";
        if (!stopping && !isLeaderless(answer)) {
          this.#leaders.heard(group, node, clock.monotonicMs());
          return answer;
        }
        this.#leaders.forget(group, node);
        return stopping ? NOT_LEADER : answer;
      } catch (reason) {
        log(`node ${node} answered what is no answer: ${(reason as Error).message}`, "warn");
      }
    }
    // A question changes nothing: where it got to does not matter.
    this.#leaders.forget(group, node);
    return NOT_LEADER;
  }

  async #answerSurvey(
    group: number,
    survey: Survey,
    respond: (bytes: Uint8Array) => void,
  ): Promise<void> {
    const answer = await this.local.survey(group, survey);
    const errands = survey.about === "errands" && !isUnavailable(answer);
    respond(encodeSurveyAnswer(errands ? someOf(answer as Errands) : answer));
  }
}

/** Is this an answer that stands for none? */
export function isUnavailable(answer: unknown): answer is Unavailable {
  return typeof answer === "object" && answer !== null && "unavailable" in answer;
}

function isLeaderless(answer: unknown): answer is Unavailable {
  return isUnavailable(answer) &&
    (answer.unavailable === "not_leader" || answer.unavailable === "no_leader");
}

function someOf({ intents, reservations, unlinks }: Errands): Errands {
  return {
    intents: intents.slice(0, ERRANDS_PER_CALL_MAX),
    reservations: reservations.slice(0, ERRANDS_PER_CALL_MAX),
    unlinks: unlinks.slice(0, ERRANDS_PER_CALL_MAX),
  };
}
