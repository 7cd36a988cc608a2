import type { Clock } from "../io/mod.ts";
import type { Raft } from "../raft/mod.ts";
import type { Eventually } from "./answers.ts";
import type { CommandPayload } from "./payload.ts";
import { type Continue, PendingReads } from "./reads.ts";

/** What is asked of the core. */
type Consensus = Pick<
  Raft<CommandPayload>,
  "appliedIndex" | "commitIndex" | "hasLease" | "readIndex"
>;

/** Tells when a replica has applied whatever was acknowledged before somebody asked. */
export class ReadIndex extends PendingReads {
  readonly #raft: Consensus;
  readonly #clock: Clock;
  readonly #onAsked: () => void;

  /** @param onAsked called when the core was asked something: it may be answered already */
  constructor(raft: Consensus, clock: Clock, onAsked: () => void) {
    super();
    this.#raft = raft;
    this.#clock = clock;
    this.#onAsked = onAsked;
  }

  /** Is the state here all that anybody may know of, because this replica leads for sure? */
  get isCurrent(): boolean {
    const raft = this.#raft;
    return raft.appliedIndex === raft.commitIndex && raft.hasLease(this.#clock.monotonicMs());
  }

  /** What `answer` says once this replica is current; `lost` where that can't be proven. */
  whenCurrent<T>(answer: () => T, lost: T): Eventually<T> {
    return this.isCurrent ? answer() : this.proven((proven) => proven ? answer() : lost);
  }

  /**
   * What `answer` says once it is proven that this replica has applied what was acknowledged before
   * the call, or can't be; called the moment that is known, before anything more is applied.
   */
  proven<T>(answer: (proven: boolean) => Eventually<T>): Promise<T> {
    return new Promise((resolve) => this.confirm((proven) => resolve(answer(proven))));
  }

  /** Calls `read` once that is known. */
  confirm(read: Continue): void {
    const nowMs = this.#clock.monotonicMs();
    const context = this.add(nowMs, read);
    if (context === undefined) return;
    if (this.#raft.readIndex(context, nowMs) !== undefined) return this.refuse(context);
    this.#onAsked();
  }
}
