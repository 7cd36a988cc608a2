import { Violation } from "../violation.ts";

/** What is asked of a bucket. `make`: a create of a stream makes its bucket where it is missing. */
export type BucketAction = "create" | "delete" | "make";

/** What a bucket may have been between two moments. */
export interface BucketWindow {
  open: boolean;
  absent: boolean;
  /** No request was under way. */
  quiet: boolean;
}

/** A request that is under way. */
export interface BucketCall {
  readonly action: BucketAction;
  /** A create or a delete was under way at some time during this one. */
  creates: boolean;
  deletes: boolean;
  readonly before: "open" | "absent" | "unknown";
}

/**
 * One bucket. Creating and deleting take steps in all groups, and a delete may be taken back, so
 * while one is under way, or was cut short by a crash, the bucket may be seen open or absent.
 */
export class BucketModel {
  #state: "open" | "absent" | "unknown" = "absent";
  readonly #calls = new Set<BucketCall>();
  readonly #cutShort = new Set<BucketCall>();
  readonly #windows = new Set<BucketWindow>();

  /** @param id its name */
  constructor(readonly id: string) {}

  /** Is it certainly there? */
  get isOpen(): boolean {
    const { open, absent } = this.#possible();
    return open && !absent;
  }

  /** Begins to note what the bucket may be. */
  watch(): BucketWindow {
    const window = this.#possible();
    this.#windows.add(window);
    return window;
  }

  /** Ends what {@linkcode BucketModel.watch} began. */
  unwatch(window: BucketWindow): void {
    this.#windows.delete(window);
  }

  /** A request begins. */
  begin(action: BucketAction): BucketCall {
    const call: BucketCall = { action, creates: false, deletes: false, before: this.#state };
    for (const other of [...this.#calls, ...this.#cutShort]) {
      if (other.action === "delete") call.deletes = true;
      else call.creates = true;
      if (action === "delete") other.deletes = true;
      else other.creates = true;
    }
    this.#calls.add(call);
    this.#noteAll();
    return call;
  }

  /** The answer of a create or delete. */
  end(call: BucketCall, answer: string): void {
    this.#calls.delete(call);
    const alone = !call.creates && !call.deletes;
    const known = alone && call.before !== "unknown";
    const expected = call.before === "open"
      ? { create: "existed", delete: "deleted or bucket_not_empty", make: "made or nothing" }
      : { create: "created", delete: "bucket_not_found", make: "made or nothing" };
    if (known && !expected[call.action].split(" or ").includes(answer)) {
      throw new Violation("buckets", `${this.id} was ${call.before}: ${call.action}: ${answer}`);
    }
    switch (answer) {
      case "created":
      case "existed":
        this.#state = call.deletes ? "unknown" : "open";
        break;
      case "made":
        // One group has it; while somebody makes it, others may not have it yet.
        if (call.deletes || (call.creates && this.#state !== "open")) this.#state = "unknown";
        else this.#state = "open";
        break;
      case "deleted":
      case "bucket_not_found":
        this.#state = call.creates ? "unknown" : "absent";
        break;
      case "bucket_not_empty":
        this.#state = call.deletes ? "unknown" : "open";
        break;
      case "nothing":
        if (call.before !== "open" || call.deletes) this.#state = "unknown";
        break;
      default:
        throw new Violation("buckets", `${this.id}: ${call.action} was answered ${answer}`);
    }
    this.#noteAll();
  }

  /** A request was answered so that it certainly did nothing. */
  void(call: BucketCall): void {
    this.#calls.delete(call);
    if (call.creates || call.deletes) this.#state = "unknown";
    this.#noteAll();
  }

  /** A request will never be answered; what it began may yet be finished. */
  lost(call: BucketCall): void {
    this.#calls.delete(call);
    this.#cutShort.add(call);
    this.#state = "unknown";
    this.#noteAll();
  }

  /** Whatever was cut short has been finished by now. */
  settle(): void {
    this.#cutShort.clear();
  }

  /** Somebody has looked for it, and may have seen what it was at any time of the window. */
  seen(open: boolean, window: BucketWindow): void {
    this.unwatch(window);
    if (!(open ? window.open : window.absent)) {
      throw new Violation("buckets", `${this.id} is ${open ? "there" : "missing"}, and can't be`);
    }
    if (window.quiet) this.#state = open ? "open" : "absent";
  }

  #possible(): BucketWindow {
    const calls = [...this.#calls, ...this.#cutShort];
    const open = this.#state !== "absent";
    const window = { open, absent: this.#state !== "open", quiet: calls.length === 0 };
    for (const call of calls) {
      if (call.action === "delete") window.absent = true;
      else window.open = true;
    }
    return window;
  }

  #noteAll(): void {
    const { open, absent, quiet } = this.#possible();
    for (const window of this.#windows) {
      window.open ||= open;
      window.absent ||= absent;
      window.quiet &&= quiet;
    }
  }
}
