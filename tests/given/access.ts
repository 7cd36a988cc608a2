/**
 * The groups of a node as one room above sees them, and a way to lose what is sent to them.
 *
 * @module
 */

import assert from "node:assert/strict";
import type {
  Answer,
  BootstrapAnswer,
  BootstrapBroken,
  BootstrapRequest,
  BootstrapStretch,
  ReadAnswer,
  ReadRequest,
  Unavailable,
  Watcher,
} from "../../group/mod.ts";
import type {
  Eventually,
  GroupAccess,
  GroupFacts,
  Survey,
  SurveyAnswers,
} from "../../shard/mod.ts";
import type { Clock } from "../../io/mod.ts";
import type { Command, ObjectName, StreamFacts, StreamKey } from "../../stream/mod.ts";

/** Passes everything on to `inner`, but does to commands whatever it is told to. */
export class LossyAccess implements GroupAccess {
  /** Each command as it was proposed: `<group> <type>`. */
  readonly sent: string[] = [];
  /** Says of a command, before it is passed on, that nobody will hear of it again. */
  loses: (group: number, command: Command) => boolean = () => false;

  /** Says of a command that it is applied, and nobody will know. */
  forgets: (group: number, command: Command) => boolean = () => false;
  /** Says of a command that no leader is found for it. */
  refuses: (group: number, command: Command) => boolean = () => false;
  /** How long a command is on its way; undefined: not at all. */
  delayMs: ((group: number, command: Command) => number) | undefined;

  /** @param clock measures the delays, where there are any */
  constructor(readonly inner: GroupAccess, readonly clock?: Clock) {}

  get groupCount(): number {
    return this.inner.groupCount;
  }

  propose(group: number, command: Command, done: (answer: Answer) => void): void {
    if (this.loses(group, command)) return;
    this.sent.push(`${group} ${command.type}`);
    if (this.refuses(group, command)) return done({ unavailable: "no_leader" });
    const forgotten = this.forgets(group, command);
    const propose = () => {
      this.inner.propose(group, command, (answer) => {
        done(forgotten ? { unavailable: "outcome_unknown" } : answer);
      });
    };
    const delayMs = this.delayMs?.(group, command);
    if (delayMs === undefined) propose();
    else this.clock?.setTimer(delayMs, propose);
  }

  submit(group: number, command: Command): Promise<Answer> {
    return new Promise((resolve) => this.propose(group, command, resolve));
  }

  read(group: number, request: ReadRequest): Eventually<ReadAnswer> {
    return this.inner.read(group, request);
  }

  fetch(
    group: number,
    object: ObjectName,
    offset: number,
    length: number,
  ): Promise<Uint8Array | Unavailable> {
    return this.inner.fetch(group, object, offset, length);
  }

  beginBootstrap(group: number, request: BootstrapRequest): Eventually<BootstrapAnswer> {
    return this.inner.beginBootstrap(group, request);
  }

  nextOfBootstrap(
    group: number,
    session: number,
  ): Eventually<BootstrapStretch | BootstrapBroken | Unavailable> {
    return this.inner.nextOfBootstrap(group, session);
  }

  tellBootstrap(group: number, session: number, what: "goes_on" | "ends"): void {
    this.inner.tellBootstrap(group, session, what);
  }

  survey<A extends Survey["about"]>(
    group: number,
    survey: Extract<Survey, { about: A }>,
  ): Eventually<SurveyAnswers[A] | Unavailable> {
    return this.inner.survey<A>(group, survey);
  }

  facts(group: number): Eventually<GroupFacts> {
    return this.inner.facts(group);
  }

  watch(
    group: number,
    key: StreamKey,
    incarnation: string,
    watcher: Watcher,
  ): Eventually<StreamFacts | undefined> {
    return this.inner.watch(group, key, incarnation, watcher);
  }

  unwatch(group: number, key: StreamKey, watcher: Watcher): void {
    this.inner.unwatch(group, key, watcher);
  }
}

/** The answer to a survey where it comes at once: from a leader that has its lease. */
export function surveyed<A extends Survey["about"]>(
  access: GroupAccess,
  group: number,
  survey: Extract<Survey, { about: A }>,
): SurveyAnswers[A] {
  const answer = access.survey<A>(group, survey);
  assert.ok(!(answer instanceof Promise) && !("unavailable" in answer));
  return answer;
}
