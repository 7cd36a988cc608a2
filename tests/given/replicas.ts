/**
 * The replicas of one group in memory, with the wire between them in the test's hands.
 *
 * @module
 */

import { type Answer, Group, type RaftMessage, readMessage, splitBatch } from "../../group/mod.ts";
import { WireWriter } from "../../group/mod.ts";
import { MemoryLog } from "../../storage/journal/mod.ts";
import { type Command, GroupState } from "../../stream/mod.ts";
import { SimClock } from "../sim/clock.ts";
import { SimRandom } from "../sim/random.ts";
import { joined } from "./bytes.ts";

/** How long the replicas may take to come to rest. */
const REST_MS = 3_000;
const TICK_MS = 20;

/** Replicas with the ids `1.a`, `2.a`, …, the first of them voters. */
export class GivenReplicas {
  readonly clock = new SimClock();
  readonly groups: readonly Group[];
  /** Holds messages back, by sender and receiver, as long as it says so. */
  cut: (from: string, to: string) => boolean = () => false;
  /** Takes a wish to send a RaftSnapshot. */
  onSnapshot: (from: Group, message: Extract<RaftMessage, { type: "snapshot" }>) => void = () => {};
  readonly #dirty = new Set<Group>();
  readonly #wire: { from: string; to: string; bytes: Uint8Array }[] = [];

  constructor(options: { count: number; voters?: number; retainedBytesMax?: number }) {
    const random = new SimRandom(7);
    const ids = Array.from({ length: options.count }, (_, at) => `${at + 1}.a`);
    const voters = ids.slice(0, options.voters ?? options.count);
    this.groups = ids.map((member) =>
      new Group({
        id: 0,
        member,
        clock: this.clock,
        random,
        log: new MemoryLog(),
        state: new GroupState({ group: 0, formation: "f0000000" }),
        snapshot: { index: 0, term: 0, membership: { voters, outgoing: [], learners: [] } },
        stored: undefined,
        onDirty: (group) => this.#dirty.add(group),
        turnNowMs: () => this.clock.monotonicMs(),
        send: (group, message) => this.#send(group, message),
        onFatal(reason) {
          throw reason;
        },
        decodeOwn: false,
        readLease: true,
        retainedBytesMax: options.retainedBytesMax ?? 1 << 20,
        followingBytesMax: 1 << 20,
        catchUpBytesMax: 1 << 20,
      })
    );
    for (const group of this.groups) group.followWall(this.clock.wallMs());
  }

  /** The replica of an id's number. */
  at(number: number): Group {
    const group = this.groups[number - 1];
    if (group === undefined) throw new Error(`no replica ${number}`);
    return group;
  }

  /** Who leads and can prove it; there may be outdated ones beside. */
  get leader(): Group {
    const leaders = this.groups.filter((group) => group.leads)
      .sort((one, other) => other.status().term - one.status().term);
    const [leader] = leaders;
    if (leader === undefined) throw new Error("nobody leads");
    return leader;
  }

  /** Lets time pass, with turns, ticks and messages. */
  async run(ms: number): Promise<void> {
    const untilMs = this.clock.monotonicMs() + ms;
    while (this.clock.monotonicMs() < untilMs) {
      await this.settle();
      await this.clock.run(TICK_MS);
      for (const group of this.groups) group.tick();
    }
    await this.settle();
  }

  /** Runs until somebody leads and has a lease. */
  async elect(): Promise<Group> {
    for (let ms = 0; ms < REST_MS; ms += TICK_MS) {
      await this.run(TICK_MS);
      if (this.groups.some((group) => group.leads && group.ready)) return this.leader;
    }
    throw new Error("nobody was elected");
  }

  /** Turns and messages until there are no more; time stands still. */
  async settle(): Promise<void> {
    while (this.#round()) await Promise.resolve();
  }

  /** {@linkcode GivenReplicas.settle} in one go: nobody who waits for a promise gets a word in. */
  settleAtOnce(): void {
    while (this.#round());
  }

  /** One turn of every group, and what they then have to say; says whether there was anything. */
  #round(): boolean {
    if (this.#dirty.size === 0 && this.#wire.length === 0) return false;
    for (const group of [...this.#dirty]) {
      this.#dirty.delete(group);
      group.complete(group.absorb());
    }
    for (const { from, to, bytes } of this.#wire.splice(0)) this.#deliver(from, to, bytes);
    return true;
  }

  /** Proposes, and runs until there is an answer. */
  async submit(group: Group, command: Command): Promise<Answer> {
    let answer: Answer | undefined;
    group.propose(command, (given) => answer = given);
    return await this.until(() => answer);
  }

  /** Runs until `value` is there. */
  async until<T>(value: () => T | undefined): Promise<T> {
    for (let ms = 0; ms < 10_000; ms += TICK_MS) {
      await this.settle();
      const found = value();
      if (found !== undefined) return found;
      await this.run(TICK_MS);
    }
    throw new Error("it takes too long");
  }

  #send(group: Group, message: RaftMessage): void {
    if (message.type === "snapshot") return this.onSnapshot(group, message);
    const writer = new WireWriter();
    writer.add(0, message);
    this.#wire.push({ from: group.member, to: message.to, bytes: joined(writer.take()) });
  }

  #deliver(from: string, to: string, bytes: Uint8Array): void {
    if (this.cut(from, to)) return;
    const receiver = this.groups.find(({ member }) => member === to);
    for (const item of splitBatch(bytes)) {
      receiver?.step(readMessage(item, from, to), this.clock.monotonicMs());
    }
  }
}
