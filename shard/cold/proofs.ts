import type { Answer, Group, Unavailable } from "../../group/mod.ts";
import type { Clock } from "../../io/mod.ts";
import type {
  ColdPiece,
  ColdRange,
  Command,
  CreateStream,
  ForkProof,
  Outcome,
  PublishSnapshot,
} from "../../stream/mod.ts";
import type { ColdReads } from "./reads.ts";

/** How often a command is proposed with a proof: what is proven no longer changes, save by chance. */
const PROOFS_MAX = 3;
/** A proof comes within this, or whoever forwarded the command gives up and knows of no outcome. */
const PROOF_PATIENCE_MS = 4_000;

type CreateFork = CreateStream & { readonly fork: NonNullable<CreateStream["fork"]> };
/** A command of which something may have to be looked up in objects. */
export type Provable = CreateFork | PublishSnapshot;
type Refusal = Extract<Outcome, { refused: unknown }>;

/** May something have to be looked up in objects for this command? */
export function isProvable(command: Command): command is Provable {
  return command.type === "create" ? command.fork !== undefined : command.type === "publish";
}

/** Looks up what commands have to prove. */
export class Proofs {
  readonly #reads: ColdReads;
  readonly #clock: Clock;

  constructor(reads: ColdReads, clock: Clock) {
    this.#reads = reads;
    this.#clock = clock;
  }

  /**
   * Puts a command into a group's log, and again with a proof where the outcome is that it needs one:
   * nothing was applied then.
   */
  propose(group: Group, command: Provable, done: (answer: Answer) => void): void {
    this.#propose(group, command, PROOFS_MAX, done);
  }

  #propose(group: Group, command: Provable, left: number, done: (answer: Answer) => void): void {
    group.propose(command, (answer) => {
      if (!("ok" in answer) || answer.ok !== "unproven") return done(answer);
      if (left === 0) return done({ unavailable: "cold_unavailable" });
      this.#prove(group, command).then((found) => {
        if (!("type" in found)) return done(found);
        if (this.#reads.closed) return done({ unavailable: "stopping" });
        this.#propose(group, found, left - 1, done);
      });
    });
  }

  /** The command with its proof, or what it is answered without the log's having to decide. */
  async #prove(group: Group, command: Provable): Promise<Provable | Refusal | Unavailable> {
    const known = new Map<string, Uint32Array>();
    const ends = (range: ColdRange) => known.get(nameOf(range));
    const deadlineMs = this.#clock.monotonicMs() + PROOF_PATIENCE_MS;
    let damaged: Unavailable | undefined;
    let lacking = "";
    for (;;) {
      const { cold } = group.state;
      const found = command.type === "create"
        ? cold.proveFork(command.fork, ends)
        : cold.proveBoundary(command.key, command.offset, ends);
      if (found === undefined) return anew(command);
      if ("refused" in found) return found;
      if (!("wanted" in found)) return withProof(command, found);
      const { wanted } = found;
      // Otherwise the object was replaced meanwhile.
      if (damaged !== undefined && nameOf(wanted) === lacking) return damaged;
      const leftMs = deadlineMs - this.#clock.monotonicMs();
      if (leftMs <= 0) return { unavailable: "cold_unavailable" };
      const row = await this.#reads.ends(group, wanted, leftMs);
      if (!("unavailable" in row)) known.set(nameOf(wanted), row);
      else if (row.unavailable !== "cold_damaged") return row;
      else [damaged, lacking] = [row, nameOf(wanted)];
    }
  }
}

function nameOf({ number, at }: ColdRange | ColdPiece): string {
  return `${number} ${at}`;
}

function withProof(
  command: Provable,
  found: ForkProof | { readonly incarnation: string },
): Provable {
  if (command.type === "publish") return { ...command, provenIn: found.incarnation };
  return "anchor" in found
    ? { ...anew(command), fork: { ...command.fork, proof: found } }
    : anew(command);
}

/**
 * The same command, to be proposed again. The log takes a body over, and what it has taken is another
 * entry's.
 */
function anew<C extends Provable>(command: C): C {
  return "body" in command ? { ...command, body: command.body && { ...command.body } } : command;
}
