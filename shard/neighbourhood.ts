import type { Answer, ReadAnswer, ReadRequest, Watcher } from "../group/mod.ts";
import type { Command, StreamFacts, StreamKey } from "../stream/mod.ts";
import type { Eventually, GroupAccess, Survey, SurveyAnswers } from "./access.ts";
import type { Mailbox } from "./mailbox.ts";
import { packCommand, type PackedRead, unpackRead } from "./parcel.ts";
import type { Shard } from "./shard.ts";

/** Every group of the node as one shard sees them: its own at hand, the others' through mailboxes. */
export class Neighbourhood implements GroupAccess {
  readonly groupCount: number;
  readonly #shard: Shard;
  readonly #ownerOf: (group: number) => Mailbox;
  /** Weak, as nobody says here that a watch ended by itself. */
  readonly #watchIds = new WeakMap<Watcher, number>();

  /** @param ownerOf the mailbox of the shard that owns a group not owned by `shard` */
  constructor(shard: Shard, ownerOf: (group: number) => Mailbox) {
    this.groupCount = shard.groupCount;
    this.#shard = shard;
    this.#ownerOf = ownerOf;
  }

  propose(group: number, command: Command, done: (answer: Answer) => void): void {
    if (this.#shard.owns(group)) return this.#shard.propose(group, command, done);
    const packed = packCommand(command);
    this.#ownerOf(group).call({ verb: "submit", group, ...packed })
      .then((answer) => done(answer as Answer));
  }

  submit(group: number, command: Command): Promise<Answer> {
    return new Promise((resolve) => this.propose(group, command, resolve));
  }

  read(group: number, request: ReadRequest): Eventually<ReadAnswer> {
    if (this.#shard.owns(group)) return this.#shard.read(group, request);
    return this.#ownerOf(group).call({ verb: "read", group, request })
      .then((packed) => unpackRead(packed as PackedRead));
  }

  survey<A extends Survey["about"]>(
    group: number,
    survey: Extract<Survey, { about: A }>,
  ): Eventually<SurveyAnswers[A]> {
    if (this.#shard.owns(group)) return this.#shard.survey<A>(group, survey);
    return this.#ownerOf(group).call({ verb: "survey", group, survey }) as Promise<
      SurveyAnswers[A]
    >;
  }

  watch(
    group: number,
    key: StreamKey,
    incarnation: string,
    watcher: Watcher,
  ): Eventually<StreamFacts | undefined> {
    if (this.#shard.owns(group)) return this.#shard.watch(group, key, incarnation, watcher);
    return this.#ownerOf(group).watch({ verb: "watch", group, key, incarnation }, watcher)
      .then(({ id, value }) => {
        if (value !== undefined) this.#watchIds.set(watcher, id);
        return value as StreamFacts | undefined;
      });
  }

  unwatch(group: number, key: StreamKey, watcher: Watcher): void {
    if (this.#shard.owns(group)) return this.#shard.unwatch(group, key, watcher);
    const watch = this.#watchIds.get(watcher);
    this.#watchIds.delete(watcher);
    if (watch === undefined) return;
    this.#ownerOf(group).unwatch({ verb: "unwatch", group, key, watch });
  }
}
