import {
  type Answer,
  type BootstrapAnswer,
  type BootstrapBroken,
  type BootstrapRequest,
  type BootstrapStretch,
  type Eventually,
  type ReadAnswer,
  type ReadRequest,
  splitBatch,
  type Unavailable,
  type Watcher,
} from "../group/mod.ts";
import type { Clock } from "../io/mod.ts";
import type { MemberId } from "../raft/mod.ts";
import type { Command, ObjectName, StreamFacts, StreamKey } from "../stream/mod.ts";
import type { GroupAccess, GroupFacts, OrderAccess, Survey, SurveyAnswers } from "./access.ts";
import { groupOfTransfer } from "./arrivals.ts";
import { checkStretch } from "./cold/object_stretch.ts";
import { groupOfRequest, NO } from "./cold/requests.ts";
import type { Mailbox } from "./mailbox.ts";
import type { GroupOrder, OrderAnswer } from "./orders/mod.ts";
import { ownBytes, packCommand, type PackedRead, unpackRead } from "./parcel.ts";
import type { Shard } from "./shard.ts";

/** Every group of the node as one shard sees them: its own at hand, the others' through mailboxes. */
export class Neighbourhood implements GroupAccess, OrderAccess {
  readonly groupCount: number;
  readonly #shard: Shard;
  readonly #ownerOf: (group: number) => Mailbox;
  /** Weak, as nobody says here that a watch ended by itself. */
  readonly #watchIds = new WeakMap<Watcher, number>();

  readonly #clock: Clock;

  /** @param ownerOf the mailbox of the shard that owns a group not owned by `shard` */
  constructor(shard: Shard, clock: Clock, ownerOf: (group: number) => Mailbox) {
    this.#clock = clock;
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

  async fetch(
    group: number,
    object: ObjectName,
    offset: number,
    length: number,
  ): Promise<Uint8Array | Unavailable> {
    if (this.#shard.owns(group)) return await this.#shard.fetch(group, object, offset, length);
    checkStretch(object, offset, length);
    const bytes = await this.#ownerOf(group).call({ verb: "fetch", group, object, offset, length });
    return bytes as Uint8Array | Unavailable;
  }

  beginBootstrap(group: number, request: BootstrapRequest): Eventually<BootstrapAnswer> {
    if (this.#shard.owns(group)) return this.#shard.beginBootstrap(group, request);
    return this.#ownerOf(group).call({ verb: "bootstrap", group, request }) as Promise<
      BootstrapAnswer
    >;
  }

  nextOfBootstrap(
    group: number,
    session: number,
  ): Eventually<BootstrapStretch | BootstrapBroken | Unavailable> {
    if (this.#shard.owns(group)) return this.#shard.nextOfBootstrap(group, session);
    return this.#ownerOf(group).call({ verb: "next", group, session }) as Promise<
      BootstrapStretch | BootstrapBroken | Unavailable
    >;
  }

  tellBootstrap(group: number, session: number, what: "goes_on" | "ends"): void {
    if (this.#shard.owns(group)) return this.#shard.tellBootstrap(group, session, what);
    this.#ownerOf(group).tell({ verb: "tell", group, session, what });
  }

  survey<A extends Survey["about"]>(
    group: number,
    survey: Extract<Survey, { about: A }>,
  ): Eventually<SurveyAnswers[A] | Unavailable> {
    if (this.#shard.owns(group)) return this.#shard.survey<A>(group, survey);
    return this.#ownerOf(group).call({ verb: "survey", group, survey }) as Promise<
      SurveyAnswers[A]
    >;
  }

  facts(group: number): Eventually<GroupFacts> {
    if (this.#shard.owns(group)) return this.#shard.facts(group);
    return this.#ownerOf(group).call({ verb: "facts", group }) as Promise<GroupFacts>;
  }

  order(group: number, order: GroupOrder): Promise<OrderAnswer | Unavailable> {
    if (this.#shard.owns(group)) return this.#shard.order(group, order);
    return this.#ownerOf(group).call({ verb: "order", group, order }) as Promise<
      OrderAnswer | Unavailable
    >;
  }

  /** Takes a batch of Raft messages that another node sent, for whatever groups. */
  takeRaft(from: MemberId, bytes: Uint8Array): void {
    const nowMs = this.#clock.monotonicMs();
    for (const item of splitBatch(bytes)) {
      const { group } = item;
      if (group >= this.groupCount) throw new Error(`a message for group ${group}`);
      if (this.#shard.owns(group)) {
        this.#shard.step(item, from, nowMs);
      } else {
        const bytes = item.slab.bytes.slice(item.start, item.end);
        this.#ownerOf(group).pass({ from, group, bytes });
      }
    }
  }

  /** Takes a step of a RaftSnapshot's transfer; answers what to say to the sender. */
  async arrive(from: MemberId, bytes: Uint8Array): Promise<Uint8Array> {
    const group = groupOfTransfer(bytes);
    if (group < 0 || group >= this.groupCount) throw new Error(`a RaftSnapshot of group ${group}`);
    if (this.#shard.owns(group)) return await this.#shard.arrive(group, from, bytes);
    const body = { verb: "arrival", group, from, bytes: ownBytes(bytes) } as const;
    return await this.#ownerOf(group).call(body) as Uint8Array;
  }

  /** Answers what another node asks about objects. @throws Error when that is malformed */
  async answerCold(from: MemberId, bytes: Uint8Array): Promise<Uint8Array> {
    const group = groupOfRequest(bytes);
    if (group < 0 || group >= this.groupCount) throw new Error(`objects of group ${group}`);
    if (this.#shard.owns(group)) return await this.#shard.answerCold(group, from, bytes);
    const body = { verb: "cold", group, from, bytes: ownBytes(bytes) } as const;
    const answer = await this.#ownerOf(group).call(body);
    return answer instanceof Uint8Array ? answer : NO;
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
