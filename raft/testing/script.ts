/**
 * Runs scripts that tell a cluster's life. A script is a list of steps, parted by blank lines: lines
 * with a verb each, a line `---`, and what they print. Lines that begin with `#` are the story.
 *
 * | verb | |
 * | --- | --- |
 * | `start a b c [learners=d] [empty=e] [inflight=4] [message=100] [retained=0] [lease=off]` | makes members |
 * | `pass 100` | time goes on, unnoticed |
 * | `tick a` | `a` looks at the clock |
 * | `campaign a` | `a` campaigns without waiting |
 * | `propose a x y` | commands |
 * | `ready a` | takes one ready: messages go out, the rest is being written |
 * | `stable a` | what is being written is durable |
 * | `deliver [a->b]`, `drop [a->b]` | what is under way, all or of one direction |
 * | `settle` | all of it, until nothing moves |
 * | `cut a`, `join a` | loses all that goes to and from `a`, or no longer |
 * | `crash a`, `restart a` | what is not durable is gone |
 * | `full a`, `room a` | `a` has no room for entries, or has again |
 * | `read a 1` | a read index question |
 * | `transfer a b` | `a` hands over to `b` |
 * | `members a voters=a,b learners=c` | a membership change |
 * | `snapshot a`, `release a` | writes a RaftSnapshot; lets applied entries leave memory |
 * | `status` | a line per member, and what a leader knows of the others |
 * | `log a` | the log on `a`'s disk |
 *
 * @module
 */

import type { Entry, MemberId, Membership, Message, Ready } from "../mod.ts";
import { type Disk, emptyDisk, Machine, type Packet, SETTINGS, Text } from "./machine.ts";

function printMembership({ voters, outgoing, learners }: Membership): string {
  const parts = [`voters=${voters.join(",")}`];
  if (outgoing.length > 0) parts.push(`outgoing=${outgoing.join(",")}`);
  if (learners.length > 0) parts.push(`learners=${learners.join(",")}`);
  return parts.join(" ");
}

function printEntry(entry: Entry<Text>): string {
  const at = `${entry.index}/${entry.term}`;
  switch (entry.kind) {
    case "command":
      return `${at} ${entry.payload.text}`;
    case "noop":
      return `${at} noop`;
    case "membership":
      return `${at} [${printMembership(entry.membership)}]`;
  }
}

function printEntries(entries: readonly Entry<Text>[]): string {
  return entries.map(printEntry).join(", ");
}

function printDetail(message: Message<Text>): string {
  switch (message.type) {
    case "pre_vote":
    case "vote":
      return ` log ${message.lastIndex}/${message.lastTerm}`;
    case "pre_vote_response":
    case "vote_response":
      return message.granted ? " granted" : " refused";
    case "append": {
      const entries = message.entries.length > 0 ? ` [${printEntries(message.entries)}]` : "";
      return ` after ${message.prevIndex}/${message.prevTerm}${entries} commit ${message.commit}`;
    }
    case "append_ack":
      return ` match ${message.match}`;
    case "append_reject":
      return ` after ${message.rejected} hint ${message.hintIndex}/${message.hintTerm}`;
    case "commit":
      return ` ${message.commit}`;
    case "heartbeat":
      return ` round ${message.round} commit ${message.commit}`;
    case "heartbeat_response":
      return ` round ${message.round}${message.full ? " full" : ""}`;
    case "snapshot":
      return ` mark ${message.mark.index}/${message.mark.term}`;
    case "read_index_response":
      return ` index ${message.index}`;
    case "timeout_now":
    case "read_index":
      return "";
  }
}

function printMessage(message: Message<Text>): string {
  return `${message.from}->${message.to} ${message.type} t${message.term}${printDetail(message)}`;
}

/** `key=a,b` among the words. */
function option(words: readonly string[], key: string): string[] | undefined {
  const word = words.find((word) => word.startsWith(`${key}=`));
  return word?.slice(key.length + 1).split(",").filter((part) => part !== "");
}

/** The cluster of one script. */
class Stage {
  readonly #machines = new Map<MemberId, Machine>();
  readonly #crashed = new Map<MemberId, Disk>();
  readonly #cut = new Set<MemberId>();
  readonly #roles = new Map<MemberId, string>();
  #settings = SETTINGS;
  #network: Packet[] = [];
  #nowMs = 0;
  #lines: string[] = [];

  /** Runs a line; what it prints is collected by {@linkcode printed}. */
  run(line: string): void {
    const words = line.split(/\s+/);
    const verb = words.shift() ?? "";
    this.#dispatch(verb, words);
    this.#noticeRoles();
  }

  /** Takes what was printed. */
  printed(): string[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  #print(line: string): void {
    this.#lines.push(line);
  }

  #machine(id: string | undefined): Machine {
    const machine = this.#machines.get(id ?? "");
    if (machine === undefined) throw new Error(`no member ${id}`);
    return machine;
  }

  #dispatch(verb: string, words: readonly string[]): void {
    const [first = "", second = ""] = words;
    switch (verb) {
      case "start":
        return this.#start(words);
      case "pass":
        this.#nowMs += Number(first);
        return;
      case "deliver":
        return this.#deliver(first);
      case "drop":
        this.#under(first);
        return;
      case "settle":
        return this.#settle();
      case "cut":
        this.#cut.add(first);
        return;
      case "join":
        this.#cut.delete(first);
        return;
      case "restart":
        return this.#restart(first);
      case "status":
        return this.#status();
      default:
        return this.#act(verb, this.#machine(first), second, words.slice(1));
    }
  }

  #act(verb: string, machine: Machine, second: string, words: readonly string[]): void {
    const { raft } = machine;
    switch (verb) {
      case "tick":
        return raft.tick(this.#nowMs);
      case "campaign":
        return this.#answer(raft.campaign() ? undefined : "does not campaign");
      case "propose":
        for (const word of words) {
          const result = raft.propose(new Text(word));
          this.#answer("refused" in result ? `refused: ${result.refused}` : undefined);
        }
        return;
      case "ready":
        return this.#ready(machine);
      case "stable":
        return this.#stable(machine);
      case "crash":
        this.#crashed.set(machine.id, machine.crash(0, undefined));
        this.#machines.delete(machine.id);
        return;
      case "full":
        return raft.acceptEntries(false);
      case "room":
        return raft.acceptEntries(true);
      case "read":
        this.#answer(raft.readIndex(Number(second), this.#nowMs)?.refused);
        return this.#apply(machine);
      case "transfer":
        return this.#answer(raft.transferLeadership(second)?.refused);
      case "members": {
        const result = raft.proposeMembership({
          voters: option(words, "voters") ?? [],
          learners: option(words, "learners") ?? [],
        });
        return this.#answer("refused" in result ? `refused: ${result.refused}` : undefined);
      }
      case "snapshot":
        return machine.snapshot();
      case "release":
        return raft.release(raft.appliedIndex);
      case "log": {
        const { snapshot, entries } = machine.disk;
        if (snapshot.index > 0) this.#print(`snapshot ${snapshot.index}/${snapshot.term}`);
        for (const entry of entries) this.#print(printEntry(entry));
        return;
      }
      default:
        throw new Error(`no verb ${verb}`);
    }
  }

  #answer(text: string | undefined): void {
    if (text !== undefined) this.#print(text);
  }

  #start(words: readonly string[]): void {
    const voters = words.filter((word) => !word.includes("="));
    const learners = option(words, "learners") ?? [];
    this.#settings = {
      ...SETTINGS,
      inflightEntriesMax: Number(option(words, "inflight")?.[0] ?? SETTINGS.inflightEntriesMax),
      messageBytesMax: Number(option(words, "message")?.[0] ?? SETTINGS.messageBytesMax),
      retainedBytesMax: Number(option(words, "retained")?.[0] ?? SETTINGS.retainedBytesMax),
      followingBytesMax: Number(option(words, "following")?.[0] ?? SETTINGS.followingBytesMax),
      catchUpBytesMax: Number(option(words, "catch_up")?.[0] ?? SETTINGS.catchUpBytesMax),
      readLease: option(words, "lease")?.[0] !== "off",
    };
    for (const id of [...voters, ...learners]) this.#place(id, emptyDisk(voters, learners));
    for (const id of option(words, "empty") ?? []) this.#place(id, emptyDisk([]));
  }

  #place(id: MemberId, disk: Disk): void {
    this.#machines.set(id, new Machine(id, disk, this.#settings, this.#nowMs));
    this.#roles.set(id, "follower t0");
  }

  #restart(id: MemberId): void {
    const disk = this.#crashed.get(id);
    if (disk === undefined) throw new Error(`${id} did not crash`);
    this.#crashed.delete(id);
    this.#place(id, disk);
    this.#roles.set(id, `follower t${disk.hardState.term}`);
  }

  #send(packets: readonly Packet[]): void {
    for (const packet of packets) {
      this.#print(printMessage(packet.message));
      this.#network.push(packet);
    }
  }

  #ready(machine: Machine): void {
    const taken = machine.takeReady();
    if (taken !== undefined) {
      this.#printReady(machine, taken.ready);
      this.#send(taken.packets);
    }
    for (const fetch of machine.fetches.splice(0)) {
      this.#print(`${machine.id} reads ${fetch.from}..${fetch.through} back for ${fetch.to}`);
      machine.provide(fetch);
    }
  }

  #printReady(machine: Machine, ready: Ready<Text>): void {
    const parts: string[] = [];
    const { hardState, snapshot, entries } = ready;
    if (hardState !== undefined) {
      parts.push(`term ${hardState.term} vote ${hardState.votedFor ?? "-"}`);
    }
    if (snapshot !== undefined) parts.push(`snapshot ${snapshot.index}/${snapshot.term}`);
    if (entries.length > 0) parts.push(printEntries(entries));
    if (parts.length > 0) this.#print(`${machine.id} writes ${parts.join("; ")}`);
  }

  #stable(machine: Machine): void {
    while (machine.outstanding.length > 0) this.#send(machine.completeOldest());
    this.#apply(machine);
  }

  #apply(machine: Machine): void {
    const entries = machine.apply();
    if (entries.length > 0) this.#print(`${machine.id} applies ${printEntries(entries)}`);
    for (const { context, index } of machine.reads.splice(0)) {
      this.#print(`${machine.id} answers read ${context}: ${index ?? "unknown"}`);
    }
  }

  /** Takes what is under way, in the direction `way` (`a->b`, `a->`, `->b`) or altogether. */
  #under(way: string): Packet[] {
    const [from = "", to = ""] = way.split("->");
    const matches = ({ message }: Packet): boolean =>
      (from === "" || message.from === from) && (to === "" || message.to === to);
    const taken = this.#network.filter(matches);
    this.#network = this.#network.filter((packet) => !matches(packet));
    for (const { message } of taken) {
      if (message.type === "snapshot") {
        this.#machines.get(message.from)?.raft.reportSnapshot(message.to, true);
      }
    }
    return taken;
  }

  #deliver(way: string): void {
    for (const packet of this.#under(way)) {
      const { from, to } = packet.message;
      if (this.#cut.has(from) || this.#cut.has(to)) continue;
      const machine = this.#machines.get(to);
      if (machine === undefined) continue;
      machine.receive(packet, this.#nowMs);
      this.#apply(machine);
      this.#noticeRoles();
    }
  }

  #settle(): void {
    for (let turn = 0; turn < 100; turn++) {
      let moved = this.#network.length > 0;
      this.#deliver("");
      for (const machine of this.#machines.values()) {
        if (machine.raft.hasReady || machine.outstanding.length > 0) moved = true;
        this.#ready(machine);
        this.#noticeRoles();
        this.#stable(machine);
        this.#noticeRoles();
      }
      if (!moved) return;
    }
    throw new Error("does not settle");
  }

  #noticeRoles(): void {
    for (const { id, raft } of this.#machines.values()) {
      const role = `${raft.role} t${raft.term}`;
      if (role === this.#roles.get(id)) continue;
      this.#roles.set(id, role);
      this.#print(`${id} is ${role}`);
    }
  }

  #status(): void {
    for (const machine of this.#machines.values()) {
      const s = machine.raft.status();
      this.#print(
        `${s.id} ${s.role} t${s.term} leader=${
          s.leader ?? "-"
        } log ${s.firstIndex}..${s.lastIndex}` +
          ` stable ${s.stableIndex} commit ${s.commitIndex} applied ${s.appliedIndex}` +
          ` ${printMembership(s.membership)}`,
      );
      for (const o of s.others) {
        this.#print(
          `  ${o.id} ${o.state} match ${o.match} next ${o.next}` +
            (o.inflightEntries > 0 ? ` inflight ${o.inflightEntries}` : "") +
            (o.full ? " full" : ""),
        );
      }
    }
  }
}

/** Runs a script; answers it with what it really prints. */
export function runScript(script: string): string {
  const stage = new Stage();
  const steps: string[] = [];
  for (const step of script.trimEnd().split(/\n\n+/)) {
    const lines = step.split("\n");
    const end = lines.indexOf("---");
    const input = end < 0 ? lines : lines.slice(0, end);
    const verbs = input.filter((line) => line !== "" && !line.startsWith("#"));
    for (const line of verbs) stage.run(line);
    if (verbs.length === 0) steps.push(input.join("\n"));
    else steps.push([...input, "---", ...stage.printed()].join("\n"));
  }
  return steps.join("\n\n") + "\n";
}
