/**
 * A cluster in memory that everything bad happens to, from a seed.
 *
 * @module
 */

import type { MemberId } from "../mod.ts";
import { SafetyChecker } from "./checker.ts";
import {
  type Disk,
  emptyDisk,
  Machine,
  type Packet,
  SETTINGS,
  type Settings,
  Text,
} from "./machine.ts";
import { SeededRandom } from "./random.ts";

/** What a run came to; two runs of a seed give the same. */
export interface Outcome {
  readonly committed: number;
  readonly terms: number;
  readonly reads: number;
  readonly crashes: number;
  readonly snapshots: number;
  readonly memberships: number;
}

const ROUNDS = 3000;
const HEALED_ROUNDS = 4000;

/** A member's place: its present life, or what it left. */
interface Seat {
  readonly id: MemberId;
  machine: Machine | undefined;
  disk: Disk;
  /** How fast its clock runs, within what the lease's drift allows. */
  readonly rate: number;
  readonly offsetMs: number;
  /** Until when it stays down, or cut off. */
  downUntilMs: number;
  cutUntilMs: number;
}

class Simulation {
  readonly #random: SeededRandom;
  readonly #checker = new SafetyChecker();
  readonly #seats: Seat[] = [];
  readonly #settings: Settings;
  #network: Packet[] = [];
  #nowMs = 0;
  #faults = true;
  #commands = 0;
  /** Committed anywhere when the read was asked, by its context. */
  readonly #reads = new Map<number, number>();
  #readCount = 0;
  #answered = 0;
  #crashes = 0;
  #snapshots = 0;
  #memberships = 0;

  constructor(seed: number) {
    const random = this.#random = new SeededRandom(seed);
    this.#settings = {
      ...SETTINGS,
      inflightEntriesMax: 1 + random.below(16),
      inflightBytesMax: 100 + random.below(1000),
      messageBytesMax: 50 + random.below(300),
      retainedBytesMax: random.below(2000),
      uncommittedEntriesMax: 5 + random.below(100),
      readLease: !random.oneIn(4),
      random: () => random.next(),
    };
    const voters = ["a", "b", "c", "d", "e"].slice(0, random.pick([1, 2, 3, 3, 3, 5]));
    for (const id of ["a", "b", "c", "d", "e", "f", "g"]) {
      const seat: Seat = {
        id,
        machine: undefined,
        disk: emptyDisk(voters.includes(id) ? voters : []),
        rate: 0.97 + random.next() * 0.06,
        offsetMs: random.below(1000),
        downUntilMs: 0,
        cutUntilMs: 0,
      };
      this.#seats.push(seat);
      this.#start(seat);
    }
  }

  #clock(seat: Seat): number {
    return seat.offsetMs + this.#nowMs * seat.rate;
  }

  #start(seat: Seat): void {
    const machine = new Machine(seat.id, seat.disk, this.#settings, this.#clock(seat));
    seat.machine = machine;
    this.#checker.started(machine);
    if (this.#random.oneIn(2)) machine.raft.campaign();
  }

  #crash(seat: Seat, machine: Machine): void {
    const survives = this.#random.below(machine.outstanding.length + 1);
    const torn = this.#random.oneIn(2) ? this.#random.below(4) : undefined;
    seat.disk = machine.crash(survives, torn);
    seat.machine = undefined;
    seat.downUntilMs = this.#nowMs + this.#random.below(300);
    this.#crashes++;
  }

  #send(packets: readonly Packet[]): void {
    for (const packet of packets) {
      if (packet.message.type === "snapshot") this.#snapshots++;
      this.#checker.sent(packet);
      this.#network.push(packet);
      if (this.#faults && this.#random.oneIn(20)) this.#network.push(packet);
    }
  }

  #cut(id: MemberId): boolean {
    const seat = this.#seats.find((seat) => seat.id === id);
    return seat === undefined || seat.cutUntilMs > this.#nowMs;
  }

  #lost(packet: Packet): boolean {
    if (!this.#faults) return false;
    const { from, to } = packet.message;
    return this.#random.oneIn(12) || this.#cut(from) || this.#cut(to);
  }

  /** Delivers some of what is under way: mostly in order, sometimes not, some of it much later. */
  #deliver(): void {
    const count = this.#faults ? this.#random.below(this.#network.length + 1) : Infinity;
    for (let i = 0; i < count && this.#network.length > 0; i++) {
      const wild = this.#faults && this.#random.oneIn(4);
      const [packet] = this.#network.splice(
        wild ? this.#random.below(this.#network.length) : 0,
        1,
      );
      if (packet !== undefined) this.#deliverOne(packet);
    }
    if (this.#network.length > 400) {
      for (const packet of this.#network.splice(0, 200)) this.#report(packet, false);
    }
  }

  /** The sender of a RaftSnapshot learns whether it went out. */
  #report({ message }: Packet, ok: boolean): void {
    if (message.type !== "snapshot") return;
    const sender = this.#seats.find((seat) => seat.id === message.from);
    sender?.machine?.raft.reportSnapshot(message.to, ok);
  }

  #deliverOne(packet: Packet): void {
    const { message } = packet;
    const seat = this.#seats.find((seat) => seat.id === message.to);
    const lost = this.#lost(packet);
    this.#report(packet, !lost);
    if (lost || seat?.machine === undefined) return;
    seat.machine.receive(packet, this.#clock(seat));
    this.#observe(seat.machine);
  }

  #observe(machine: Machine): void {
    this.#checker.observe(machine);
  }

  /** One member's share of a round. */
  #run(seat: Seat, machine: Machine): void {
    const random = this.#random;
    machine.raft.tick(this.#clock(seat));
    if (!this.#faults || random.below(3) > 0) this.#takeReadies(machine);
    let completions = this.#faults ? random.below(machine.outstanding.length + 1) : Infinity;
    while (completions-- > 0 && machine.outstanding.length > 0) {
      const ready = machine.outstanding[0];
      const packets = machine.completeOldest();
      if (ready !== undefined) this.#checker.written(machine, ready);
      this.#send(packets);
      this.#observe(machine);
    }
    this.#apply(machine);
    for (const fetch of machine.fetches.splice(0)) machine.provide(fetch);
    for (const { context, index } of machine.reads.splice(0)) this.#checkRead(context, index);
  }

  #takeReadies(machine: Machine): void {
    for (let taken = machine.takeReady(); taken !== undefined; taken = machine.takeReady()) {
      this.#checker.handed(machine, taken.ready);
      this.#send(taken.packets);
      this.#observe(machine);
    }
  }

  #apply(machine: Machine): void {
    const entries = machine.apply(this.#random.oneIn(3) ? this.#random.below(4) : undefined);
    this.#checker.applied(machine, entries);
    for (const entry of entries) if (entry.kind === "membership") this.#memberships++;
    if (!machine.raft.installing && this.#random.oneIn(60)) {
      this.#checker.stateAt(machine, machine.raft.appliedIndex);
      machine.snapshot();
    }
    if (this.#random.oneIn(10)) machine.raft.release(machine.raft.appliedIndex);
  }

  #checkRead(context: number, index: number | undefined): void {
    const committed = this.#reads.get(context);
    if (committed === undefined || index === undefined) return;
    this.#answered++;
    if (index < committed) {
      throw new Error(`linearizable read: answered ${index} when ${committed} was committed`);
    }
  }

  #ask(seat: Seat, machine: Machine): void {
    const context = ++this.#readCount;
    this.#reads.set(context, this.#checker.committed);
    machine.raft.readIndex(context, this.#clock(seat));
  }

  /** What clients and operators do. */
  #work(seat: Seat, machine: Machine): void {
    const random = this.#random;
    const { raft } = machine;
    if (random.oneIn(3)) this.#ask(seat, machine);
    if (raft.role !== "leader") return;
    for (let i = random.below(4); i > 0; i--) {
      const text = `c${++this.#commands}`.padEnd(random.below(60), ".");
      raft.propose(new Text(text));
    }
    if (!this.#faults) return;
    if (random.oneIn(100)) raft.transferLeadership(random.pick(raft.membership.voters) ?? "");
    if (random.oneIn(50)) this.#changeMembership(machine);
    if (random.oneIn(300)) raft.acceptEntries(false);
  }

  #changeMembership(machine: Machine): void {
    const random = this.#random;
    const ids = this.#seats.map((seat) => seat.id).sort(() => random.next() - 0.5);
    const voters = ids.slice(0, 1 + random.below(5));
    const learners = ids.slice(voters.length, voters.length + random.below(3));
    machine.raft.proposeMembership({ voters, learners });
  }

  #harm(seat: Seat, machine: Machine): void {
    const random = this.#random;
    const dice = random.below(600);
    if (dice < 4) this.#crash(seat, machine);
    else if (dice < 7) seat.cutUntilMs = this.#nowMs + random.below(400);
    else if (dice < 10) machine.raft.acceptEntries(random.oneIn(2));
  }

  #round(): void {
    this.#nowMs += this.#faults ? this.#random.below(8) : 3;
    for (const seat of this.#seats) {
      const { machine } = seat;
      if (machine === undefined) {
        if (this.#nowMs >= seat.downUntilMs) this.#start(seat);
        continue;
      }
      this.#run(seat, machine);
      this.#work(seat, machine);
      this.#observe(machine);
      if (this.#faults) this.#harm(seat, machine);
    }
    this.#deliver();
  }

  /** Once nothing bad happens any more, every member of the newest membership catches up. */
  #heal(): void {
    this.#faults = false;
    for (const seat of this.#seats) {
      seat.downUntilMs = seat.cutUntilMs = 0;
      seat.machine?.raft.acceptEntries(true);
    }
    const before = this.#checker.committed;
    for (let i = 0; i < HEALED_ROUNDS; i++) {
      this.#round();
      if (i > 100 && this.#whole(before)) return;
    }
    const states = this.#seats.map((seat) => JSON.stringify(seat.machine?.raft.status()));
    throw new Error(`no progress after the faults ended:\n${states.join("\n")}`);
  }

  #whole(before: number): boolean {
    const leader = this.#seats.find(({ machine }) =>
      machine?.raft.role === "leader" && machine.raft.commitIndex > before + 5
    )?.machine;
    if (leader === undefined) return false;
    const { membership } = leader.raft;
    if (membership.outgoing.length > 0) return false;
    return [...membership.voters, ...membership.learners].every((id) => {
      const machine = this.#seats.find((seat) => seat.id === id)?.machine;
      return machine !== undefined && machine.raft.appliedIndex > before;
    });
  }

  run(): Outcome {
    for (let i = 0; i < ROUNDS; i++) this.#round();
    this.#heal();
    let terms = 0;
    for (const { machine } of this.#seats) {
      if (machine === undefined) continue;
      terms = Math.max(terms, machine.raft.term);
      if (!machine.raft.status().membership.voters.includes(machine.id)) continue;
      if (!machine.raft.installing) {
        this.#checker.stateAt(machine, machine.raft.appliedIndex);
      }
    }
    return {
      committed: this.#checker.committed,
      terms,
      reads: this.#answered,
      crashes: this.#crashes,
      snapshots: this.#snapshots,
      memberships: this.#memberships,
    };
  }
}

/** Runs one seed; throws when a property does not hold. */
export function simulate(seed: number): Outcome {
  return new Simulation(seed).run();
}
