import type { ReadAnswer as RaftAnswer } from "../raft/mod.ts";

/** A read that proof did not come for within this is refused. */
const PATIENCE_MS = 5_000;

/** Goes on with a read: `proven` when the replica has applied what it must have. */
export type Continue = (proven: boolean) => void;

/** Reads that share one question to the leader. */
interface Batch {
  readonly context: number;
  readonly sinceMs: number;
  readonly reads: Continue[];
  /** Applied up to here the batch may go on; undefined until the leader has answered. */
  index: number | undefined;
}

/**
 * Reads that wait for a read index (dissertation §6.4), and then for the replica to come that far.
 * All that are asked within a turn share one question.
 */
export class PendingReads {
  #batches: Batch[] = [];
  #open: Batch | undefined;
  #nextContext = 1;

  /** Nobody waits. */
  get empty(): boolean {
    return this.#batches.length === 0;
  }

  /** Adds a read; answers the context to ask Raft with, undefined where it joins others. */
  add(nowMs: number, read: Continue): number | undefined {
    if (this.#open !== undefined) {
      this.#open.reads.push(read);
      return undefined;
    }
    const context = this.#nextContext++;
    this.#open = { context, sinceMs: nowMs, reads: [read], index: undefined };
    this.#batches.push(this.#open);
    return context;
  }

  /** The question is on its way (or refused): later reads ask one of their own. */
  close(): void {
    this.#open = undefined;
  }

  /** Takes Raft's answers. */
  answered(answers: readonly RaftAnswer[]): void {
    for (const { context, index } of answers) {
      const batch = this.#batches.find((one) => one.context === context);
      if (batch === undefined) continue;
      if (batch === this.#open) this.#open = undefined;
      if (index === undefined) this.#end(batch, false);
      else batch.index = index;
    }
  }

  /** Lets go on who waited for `appliedIndex` or less. */
  applied(appliedIndex: number): void {
    for (const batch of [...this.#batches]) {
      if (batch.index !== undefined && batch.index <= appliedIndex) this.#end(batch, true);
    }
  }

  /** Refuses the reads of a question that Raft refused. */
  refuse(context: number): void {
    this.answered([{ context, index: undefined }]);
  }

  /** Refuses who has waited for too long. */
  expire(nowMs: number): void {
    for (const batch of [...this.#batches]) {
      if (nowMs - batch.sinceMs >= PATIENCE_MS) this.#end(batch, false);
    }
  }

  /** Refuses everybody. */
  refuseAll(): void {
    for (const batch of [...this.#batches]) this.#end(batch, false);
  }

  #end(batch: Batch, proven: boolean): void {
    if (batch === this.#open) this.#open = undefined;
    this.#batches = this.#batches.filter((one) => one !== batch);
    for (const read of batch.reads) read(proven);
  }
}
