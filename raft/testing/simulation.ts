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
  /** Until when it stays down, sends nothing, is sent nothing. */
  downUntilMs: number;
  muteUntilMs: number;
  deafUntilMs: number;
}

/**
 * How often what happens, in chances per 1000. Each run draws its own, some of them 0: faults that
 * always come together hide each other.
 */
interface Rates {
  /** Per message. */
  readonly loss: number;
  readonly doubling: number;
  readonly disorder: number;
  /** Per member and round; a leader's are four times as high. */
  readonly crash: number;
  readonly cut: number;
  readonly full: number;
  /** Per round: a link between two members, in one direction. */
  readonly link: number;
  /** Per leader and round. Without work a member that missed nothing can win at any time. */
  readonly work: number;
  readonly membership: number;
  readonly transfer: number;
}

function drawRates(random: SeededRandom): Rates {
  const draw = (...rates: number[]): number => random.pick(rates) ?? 0;
  return {
    loss: draw(0, 10, 100),
    doubling: draw(0, 50),
    disorder: draw(0, 50, 300),
    crash: draw(0, 1, 5, 10),
    cut: draw(0, 1, 5),
    full: draw(0, 0, 2),
    link: draw(0, 30, 100),
    work: draw(10, 100, 1000),
    membership: draw(0, 5, 20),
    transfer: draw(0, 5, 20),
  };
}

class Simulation {
  readonly #random: SeededRandom;
  readonly #checker = new SafetyChecker();
  readonly #seats: Seat[] = [];
  readonly #settings: Settings;
  readonly #rates: Rates;
  /** Until when a link, `from>to`, is cut. */
  readonly #links = new Map<string, number>();
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
    this.#rates = drawRates(random);
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
        muteUntilMs: 0,
        deafUntilMs: 0,
      };
      this.#seats.push(seat);
      this.#start(seat);
    }
  }

  #happens(rate: number): boolean {
    return this.#faults && this.#random.below(1000) < rate;
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
      if (this.#lost(packet)) {
        this.#report(packet, false);
        continue;
      }
      this.#network.push(packet);
      if (this.#happens(this.#rates.doubling)) this.#network.push(packet);
    }
  }

  /** Cut off members neither send nor are sent to; what is under way already arrives. */
  #lost({ message }: Packet): boolean {
    if (!this.#faults) return false;
    const cut = ({ id, muteUntilMs, deafUntilMs }: Seat): boolean =>
      (id === message.from && muteUntilMs > this.#nowMs) ||
      (id === message.to && deafUntilMs > this.#nowMs);
    return this.#happens(this.#rates.loss) || this.#seats.some(cut) ||
      (this.#links.get(`${message.from}>${message.to}`) ?? 0) > this.#nowMs;
  }

  /** Delivers some of what is under way: mostly in order, sometimes not, some of it much later. */
  #deliver(): void {
    const count = this.#faults ? this.#random.below(this.#network.length + 1) : Infinity;
    for (let i = 0; i < count && this.#network.length > 0; i++) {
      const wild = this.#happens(this.#rates.disorder);
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
    this.#report(packet, seat?.machine !== undefined);
    if (seat?.machine === undefined) return;
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
    const work = !this.#faults || this.#happens(this.#rates.work);
    for (let i = work ? random.below(4) : 0; i > 0; i--) {
      const text = `c${++this.#commands}`.padEnd(random.below(60), ".");
      raft.propose(new Text(text));
    }
    if (!this.#faults) return;
    if (this.#happens(this.#rates.transfer)) {
      raft.transferLeadership(random.pick(raft.membership.voters) ?? "");
    }
    if (this.#happens(this.#rates.membership)) this.#changeMembership(machine);
  }

  #changeMembership(machine: Machine): void {
    const random = this.#random;
    const ids = random.shuffled(this.#seats.map((seat) => seat.id));
    const voters = ids.slice(0, 1 + random.below(5));
    const learners = ids.slice(voters.length, voters.length + random.below(3));
    machine.raft.proposeMembership({ voters, learners });
  }

  #harm(seat: Seat, machine: Machine): void {
    const random = this.#random;
    // A leader is where it hurts most.
    const times = machine.raft.role === "leader" ? 4 : 1;
    const untilMs = this.#nowMs + random.below(300);
    if (this.#happens(this.#rates.full)) machine.raft.acceptEntries(random.oneIn(2));
    if (this.#happens(this.#rates.cut * times)) {
      const way = random.below(3);
      if (way !== 0) seat.muteUntilMs = untilMs;
      if (way !== 1) seat.deafUntilMs = untilMs;
    }
    if (this.#happens(this.#rates.crash * times)) this.#crash(seat, machine);
  }

  #cutLink(): void {
    const random = this.#random;
    const [from, to] = [random.pick(this.#seats), random.pick(this.#seats)];
    if (from === undefined || to === undefined) return;
    this.#links.set(`${from.id}>${to.id}`, this.#nowMs + random.below(300));
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
    if (this.#happens(this.#rates.link)) this.#cutLink();
    this.#deliver();
  }

  /** Once nothing bad happens any more, every member of the newest membership catches up. */
  #heal(): void {
    this.#faults = false;
    this.#links.clear();
    for (const seat of this.#seats) {
      seat.downUntilMs = seat.muteUntilMs = seat.deafUntilMs = 0;
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
