/**
 * A cluster in memory that everything bad happens to, from a seed.
 *
 * @module
 */

import type { MemberId } from "../mod.ts";
import { SafetyChecker } from "./checker.ts";
import { drawClockRates, drawRates, type Rates } from "./faults.ts";
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
import { ReadChecker } from "./reads.ts";

/** What a run came to; two runs of a seed give the same. */
export interface Outcome {
  readonly committed: number;
  readonly terms: number;
  /** Reads that a lease answered, a round, or a leader to its follower. */
  readonly leased: number;
  readonly confirmed: number;
  readonly forwarded: number;
  readonly crashes: number;
  readonly pauses: number;
  readonly snapshots: number;
  readonly memberships: number;
}

const ROUNDS = 3000;
const SWIFT_ROUNDS = 6000;
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
  muteFromMs: number;
  muteUntilMs: number;
  deafUntilMs: number;
  /** What is sent to it takes `slowMs` longer. */
  slowUntilMs: number;
  slowMs: number;
  /** Until when its process stands still; what arrives waits. */
  pausedUntilMs: number;
  /** From when it notices timers that are due. */
  timersFromMs: number;
  /** Dies at its next opportunity. */
  doomed: boolean;
}

/** A message under way, no sooner there than `dueMs`. */
interface Flight {
  readonly packet: Packet;
  readonly dueMs: number;
}

class Simulation {
  readonly #random: SeededRandom;
  readonly #checker = new SafetyChecker();
  readonly #seats: Seat[] = [];
  readonly #settings: Settings;
  readonly #rates: Rates;
  /** Until when a link, `from>to`, is cut. */
  readonly #links = new Map<string, number>();
  #network: Flight[] = [];
  #nowMs = 0;
  /** Length of the present round. */
  #stepMs = 0;
  #faults = true;
  #commands = 0;
  readonly #reads = new ReadChecker(this.#checker);
  #crashes = 0;
  #pauses = 0;
  #snapshots = 0;
  #memberships = 0;

  constructor(seed: number, changes: Partial<Settings>) {
    const random = this.#random = new SeededRandom(seed);
    this.#rates = drawRates(random);
    const drawn = {
      ...SETTINGS,
      inflightEntriesMax: 1 + random.below(16),
      inflightBytesMax: 100 + random.below(1000),
      messageBytesMax: 50 + random.below(300),
      retainedBytesMax: random.below(2000),
      uncommittedEntriesMax: 5 + random.below(100),
      readLease: !random.oneIn(3),
      random: () => random.next(),
    };
    this.#settings = { ...drawn, followingBytesMax: drawn.retainedBytesMax / 2, ...changes };
    const { swift } = this.#rates;
    const count = random.pick(swift ? [2, 3, 3, 3, 3, 5] : [1, 2, 3, 3, 3, 5]) ?? 3;
    const voters = ["a", "b", "c", "d", "e"].slice(0, count);
    const rates = drawClockRates(random, 7);
    let seats = 0;
    for (const id of ["a", "b", "c", "d", "e", "f", "g"].slice(0, swift ? count + 1 : 7)) {
      const seat: Seat = {
        id,
        machine: undefined,
        disk: emptyDisk(voters.includes(id) ? voters : []),
        rate: rates[seats++] ?? 1,
        offsetMs: random.below(1000),
        downUntilMs: 0,
        muteFromMs: 0,
        muteUntilMs: 0,
        deafUntilMs: 0,
        slowUntilMs: 0,
        slowMs: 0,
        pausedUntilMs: 0,
        timersFromMs: 0,
        doomed: false,
      };
      this.#seats.push(seat);
      this.#start(seat);
    }
  }

  #happens(rate: number): boolean {
    return this.#faults && this.#random.next() * 1000 < rate;
  }

  /** The same for what happens by time; a swift run's rounds are of very different length. */
  #happensNow(rate: number): boolean {
    return this.#happens(this.#rates.swift ? rate * this.#stepMs : rate);
  }

  #clock(seat: Seat): number {
    return seat.offsetMs + this.#nowMs * seat.rate;
  }

  #start(seat: Seat): void {
    const settings = { ...this.#settings, random: this.#lots() };
    const machine = new Machine(seat.id, seat.disk, settings, this.#clock(seat));
    seat.machine = machine;
    this.#checker.started(machine);
    if (this.#random.oneIn(2)) machine.raft.campaign();
  }

  /** A life's lots. In swift runs its timeouts, which follow the first lot, are mostly short. */
  #lots(): () => number {
    const random = this.#random;
    if (!this.#rates.swift) return () => random.next();
    let first = true;
    return () => {
      const lot = random.next();
      const shorten = first || !this.#faults ? 1 : random.pick([0.01, 0.1, 0.1, 1]);
      first = false;
      return lot * (shorten ?? 1);
    };
  }

  #crash(seat: Seat, machine: Machine, downMs: number): void {
    const survives = this.#random.below(machine.outstanding.length + 1);
    const torn = this.#random.oneIn(2) ? this.#random.below(4) : undefined;
    seat.disk = machine.crash(survives, torn);
    seat.machine = undefined;
    seat.downUntilMs = this.#nowMs + downMs;
    seat.doomed = false;
    this.#reads.died(seat.id);
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
      const { slowUntilMs = 0, slowMs = 0 } = this.#seat(packet.message.to) ?? {};
      const flight = { packet, dueMs: slowUntilMs > this.#nowMs ? this.#nowMs + slowMs : 0 };
      this.#network.push(flight);
      if (this.#happens(this.#rates.doubling)) this.#network.push(flight);
      this.#doom(packet);
    }
  }

  /** Who has just promised something and dies must keep it, also towards who it cannot reach now. */
  #doom({ message }: Packet): void {
    switch (message.type) {
      case "vote_response":
      case "heartbeat_response":
      case "append_ack": {
        if (!this.#happens(this.#rates.relapse)) return;
        const seat = this.#seat(message.from);
        if (seat !== undefined) seat.doomed = true;
        if (this.#random.oneIn(2)) {
          this.#links.set(`${message.from}>${message.to}`, this.#nowMs + this.#random.below(100));
        }
      }
    }
  }

  /** Cut off members neither send nor are sent to; what is under way already arrives. */
  #lost({ message }: Packet): boolean {
    if (!this.#faults) return false;
    const { muteFromMs = 0, muteUntilMs = 0 } = this.#seat(message.from) ?? {};
    if (muteFromMs <= this.#nowMs && muteUntilMs > this.#nowMs) return true;
    if ((this.#seat(message.to)?.deafUntilMs ?? 0) > this.#nowMs) return true;
    return this.#happens(this.#rates.loss) ||
      (this.#links.get(`${message.from}>${message.to}`) ?? 0) > this.#nowMs;
  }

  /** Delivers some of what is under way: mostly in order, sometimes not, some of it much later. */
  #deliver(): void {
    const late = this.#faults && (!this.#rates.swift || this.#random.oneIn(16));
    const count = late ? this.#random.below(this.#network.length + 1) : this.#network.length;
    const held: Flight[] = [];
    for (let i = 0; i < count && this.#network.length > 0; i++) {
      const wild = this.#happens(this.#rates.disorder);
      const [flight] = this.#network.splice(
        wild ? this.#random.below(this.#network.length) : 0,
        1,
      );
      if (flight === undefined) continue;
      if (this.#faults && this.#waits(flight)) held.push(flight);
      else this.#deliverOne(flight.packet);
    }
    this.#network.unshift(...held);
    if (this.#network.length > 400) {
      for (const { packet } of this.#network.splice(0, 200)) this.#report(packet, false);
    }
  }

  #waits({ packet, dueMs }: Flight): boolean {
    return dueMs > this.#nowMs ||
      (this.#seat(packet.message.to)?.pausedUntilMs ?? 0) > this.#nowMs;
  }

  #seat(id: MemberId): Seat | undefined {
    return this.#seats.find((seat) => seat.id === id);
  }

  /** The sender of a RaftSnapshot learns whether it went out. */
  #report({ message }: Packet, ok: boolean): void {
    if (message.type !== "snapshot") return;
    this.#seat(message.from)?.machine?.raft.reportSnapshot(message.to, ok);
  }

  #deliverOne(packet: Packet): void {
    const { message } = packet;
    const seat = this.#seat(message.to);
    this.#report(packet, seat?.machine !== undefined);
    if (seat?.machine === undefined) return;
    seat.machine.receive(packet, this.#clock(seat));
    this.#observe(seat, seat.machine);
  }

  #observe(seat: Seat, machine: Machine): void {
    this.#checker.observe(machine);
    this.#reads.observe(machine, this.#clock(seat));
  }

  /** One member's share of a round. */
  #run(seat: Seat, machine: Machine): void {
    const random = this.#random;
    const late = this.#faults && (!this.#rates.swift || random.oneIn(16));
    if (seat.timersFromMs <= this.#nowMs) machine.raft.tick(this.#clock(seat));
    if (!late || random.below(3) > 0) this.#takeReadies(seat, machine);
    if (seat.doomed && this.#faults) return this.#crash(seat, machine, random.below(3));
    const { length } = machine.outstanding;
    for (let left = late ? random.below(length + 1) : length; left > 0;) {
      const batch = machine.outstanding.slice(0, 1 + random.below(left));
      const packets = machine.completeOldest(batch.length);
      for (const ready of batch) this.#checker.written(machine, ready);
      this.#send(packets);
      this.#observe(seat, machine);
      left -= batch.length;
    }
    this.#apply(machine);
    for (const fetch of machine.fetches.splice(0)) machine.provide(fetch);
    for (const answer of machine.reads.splice(0)) this.#reads.answered(machine, answer);
  }

  #takeReadies(seat: Seat, machine: Machine): void {
    for (let taken = machine.takeReady(); taken !== undefined; taken = machine.takeReady()) {
      this.#checker.handed(machine, taken.ready);
      this.#send(taken.packets);
      this.#observe(seat, machine);
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

  /** What clients and operators do. */
  #work(seat: Seat, machine: Machine): void {
    const random = this.#random;
    const { raft } = machine;
    const asks = this.#faults ? this.#happens(this.#rates.read) : random.oneIn(3);
    if (asks) this.#reads.ask(machine, this.#clock(seat));
    if (raft.role !== "leader") return;
    const work = !this.#faults || this.#happens(this.#rates.work);
    for (let i = work ? random.below(4) : 0; i > 0; i--) {
      const text = `c${++this.#commands}`.padEnd(random.below(60), ".");
      raft.propose(new Text(text));
    }
    if (!this.#faults) return;
    if (this.#happensNow(this.#rates.transfer)) {
      raft.transferLeadership(random.pick(raft.membership.voters) ?? "");
    }
    if (this.#happensNow(this.#rates.membership)) this.#changeMembership(machine);
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
    if (this.#happensNow(this.#rates.full)) machine.raft.acceptEntries(random.oneIn(2));
    if (this.#happensNow(this.#rates.cut * times)) this.#cut(seat, untilMs);
    if (this.#happensNow(this.#rates.pause * times)) {
      seat.pausedUntilMs = untilMs;
      seat.timersFromMs = random.oneIn(2) ? untilMs + random.below(30) : 0;
      this.#pauses++;
    }
    if (this.#happensNow(this.#rates.slow)) {
      seat.slowUntilMs = untilMs;
      seat.slowMs = 50 + random.below(150);
    }
    if (this.#happensNow(this.#rates.crash * times)) {
      this.#crash(seat, machine, random.below(300));
    }
  }

  #cut(seat: Seat, untilMs: number): void {
    const random = this.#random;
    const way = random.below(6);
    if (way !== 0) {
      seat.muteFromMs = this.#nowMs;
      seat.muteUntilMs = untilMs;
    }
    if (way === 1) {
      // What was said to it arrives for a while after it has become silent itself.
      seat.muteFromMs += random.below(50);
      seat.slowUntilMs = untilMs;
      seat.slowMs = 50 + random.below(150);
    } else if (way !== 2) {
      seat.deafUntilMs = untilMs;
    }
  }

  #cutLink(): void {
    const random = this.#random;
    const leader = this.#seats.find(({ machine }) => machine?.raft.role === "leader");
    const from = random.oneIn(4) ? random.pick(this.#seats)?.id : leader?.id;
    const to = random.pick(leader?.machine?.raft.membership.voters ?? []);
    this.#links.set(`${from}>${to}`, this.#nowMs + random.below(300));
  }

  /** In swift runs time hardly passes while something is under way. */
  #passTime(): void {
    const step = this.#random.next();
    if (!this.#faults) this.#stepMs = 3;
    else if (!this.#rates.swift) this.#stepMs = step * 8;
    else {
      const busy = this.#network.some((flight) => !this.#waits(flight)) ||
        this.#seats.some(({ machine }) => machine !== undefined && machine.outstanding.length > 0);
      this.#stepMs = step * (busy ? 0.2 : 2);
    }
    this.#nowMs += this.#stepMs;
  }

  #round(): void {
    this.#passTime();
    for (const seat of this.#seats) {
      const { machine } = seat;
      if (machine === undefined) {
        if (this.#nowMs >= seat.downUntilMs) this.#start(seat);
        continue;
      }
      if (seat.pausedUntilMs > this.#nowMs) continue;
      // A request may come before the timers that are due.
      if (this.#random.oneIn(2)) this.#work(seat, machine);
      this.#run(seat, machine);
      if (seat.machine === undefined) continue;
      this.#work(seat, machine);
      this.#observe(seat, machine);
      if (this.#faults) this.#harm(seat, machine);
    }
    if (this.#happensNow(this.#rates.link)) this.#cutLink();
    this.#deliver();
  }

  /** Once nothing bad happens any more, every member of the newest membership catches up. */
  #heal(): void {
    this.#faults = false;
    this.#links.clear();
    for (const seat of this.#seats) {
      seat.downUntilMs =
        seat.muteUntilMs =
        seat.deafUntilMs =
        seat.pausedUntilMs =
          0;
      seat.doomed = false;
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
      const machine = this.#seat(id)?.machine;
      return machine !== undefined && machine.raft.appliedIndex > before;
    });
  }

  run(): Outcome {
    const rounds = this.#rates.swift ? SWIFT_ROUNDS : ROUNDS;
    for (let i = 0; i < rounds; i++) this.#round();
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
      leased: this.#reads.leased,
      confirmed: this.#reads.confirmed - this.#reads.leased,
      forwarded: this.#reads.forwarded,
      crashes: this.#crashes,
      pauses: this.#pauses,
      snapshots: this.#snapshots,
      memberships: this.#memberships,
    };
  }
}

/** Runs one seed, with settings that differ where `changes` says; throws when a property breaks. */
export function simulate(seed: number, changes: Partial<Settings> = {}): Outcome {
  return new Simulation(seed, changes).run();
}
