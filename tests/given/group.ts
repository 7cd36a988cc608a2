/**
 * One group in memory, its turns taken by hand.
 *
 * @module
 */

import { type Answer, type BootstrapBounds, Group, type RaftMessage } from "../../group/mod.ts";
import { MemoryLog } from "../../storage/journal/mod.ts";
import type {
  ReadableLog,
  RecordSpace,
  StoredEntryKind,
  StoredGroup,
} from "../../storage/types.ts";
import { type Command, GroupState } from "../../stream/mod.ts";
import { SimClock } from "../sim/clock.ts";
import { SimRandom } from "../sim/random.ts";

/** Remembers, in a line each, what was put into it. */
export class NotedLog implements ReadableLog {
  readonly lines: string[] = [];
  readonly entries: { index: number; term: number; kind: StoredEntryKind; payload: RecordSpace }[] =
    [];
  readonly #log = new MemoryLog();

  reserve(length: number): RecordSpace {
    return this.#log.reserve(length);
  }

  sealEntry(
    payload: RecordSpace,
    group: number,
    index: number,
    term: number,
    kind: StoredEntryKind,
  ): void {
    this.#log.sealEntry(payload, group, index, term, kind);
    this.lines.push(`${kind} ${index}`);
    this.entries.push({ index, term, kind, payload });
  }

  putHardState(_group: number, term: number, votedFor: string | undefined): void {
    this.lines.push(`term ${term} vote ${votedFor}`);
  }

  putSnapshotMark(
    _group: number,
    index: number,
    _term: number,
    replacesLog: boolean = false,
  ): void {
    this.lines.push(replacesLog ? `mark ${index} for all` : `mark ${index}`);
  }

  readEntries(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  flush(): undefined {
    this.lines.push("flush");
  }
}

/** What {@linkcode givenGroup} made. */
export interface GivenGroup {
  readonly clock: SimClock;
  readonly log: NotedLog;
  readonly group: Group;
  /** Messages to other replicas. */
  readonly sent: RaftMessage[];
  /** Times that the group asked for a turn. */
  turns: number;
  /** Proposes; the answer stands in the array once it was given. */
  propose(command: Command): Answer[];
  /** One whole turn. */
  turn(): void;
}

/** A group with nothing, that leads itself unless told otherwise. */
export function givenGroup(
  options: {
    readonly clock?: SimClock;
    readonly stored?: StoredGroup;
    readonly state?: GroupState;
    readonly decodeOwn?: boolean;
    readonly idle?: boolean;
    readonly bootstraps?: BootstrapBounds;
    readonly voters?: readonly string[];
  } = {},
): GivenGroup {
  const { clock = new SimClock(), stored, decodeOwn = false } = options;
  const log = new NotedLog();
  const sent: RaftMessage[] = [];
  const group = new Group({
    id: 0,
    member: "me",
    clock,
    random: new SimRandom(1),
    log,
    state: options.state ?? new GroupState({ group: 0, formation: "f0000000" }),
    snapshot: {
      index: 0,
      term: 0,
      membership: { voters: options.voters ?? ["me"], outgoing: [], learners: [] },
    },
    stored,
    onDirty: () => void given.turns++,
    turnNowMs: () => clock.monotonicMs(),
    send: (_, message) => void sent.push(message),
    onFatal(reason) {
      throw reason;
    },
    decodeOwn,
    readLease: true,
    retainedBytesMax: 1024 * 1024,
    followingBytesMax: 1024 * 1024,
    catchUpBytesMax: 1024 * 1024,
    bootstraps: options.bootstraps,
  });
  const given: GivenGroup = {
    clock,
    log,
    group,
    sent,
    turns: 0,
    propose(command) {
      const answers: Answer[] = [];
      group.propose(command, (answer) => answers.push(answer));
      return answers;
    },
    turn: () => group.complete(group.absorb()),
  };
  if (options.idle) return given;
  group.followWall(clock.wallMs());
  group.campaign();
  while (group.dirty) given.turn();
  return given;
}
