import type { CertifiedKey } from "../io/mod.ts";
import type { ShardSetup } from "../shard/mod.ts";
import type { Log, LogFields, LogLevel } from "./log.ts";

/** What the first shard tells a worker. `extra` is for the worker's entry, not for this room. */
export type ToWorker =
  | {
    readonly type: "start";
    readonly setup: ShardSetup;
    readonly ports: readonly (MessagePort | undefined)[];
    readonly extra: unknown;
  }
  | {
    readonly type: "listen";
    readonly hostname: string;
    readonly port: number;
    /** Undefined speaks plain HTTP. */
    readonly tls: CertifiedKey | undefined;
  }
  | { readonly type: "renew"; readonly extra: unknown }
  | { readonly type: "hand_over" | "quiet" | "stop" };

/** What a worker tells the first shard. */
export type FromWorker =
  | { readonly type: "started" | "listening" | "renewed" | "handed_over" | "quiet" | "stopped" }
  | { readonly type: "failed"; readonly reason: string }
  | {
    readonly type: "log";
    readonly level: LogLevel;
    readonly message: string;
    readonly fields?: LogFields;
  };

/** The workers that run all shards but the first. A worker that dies takes the node down. */
export class Crew {
  readonly #workers: readonly Worker[];
  readonly #onFatal: (reason: Error) => void;
  readonly #log: Log;
  readonly #waiting = new Map<Worker, (message: FromWorker) => void>();
  /** Resolves once a worker has answered all that it was asked so far. */
  readonly #asked = new Map<Worker, Promise<void>>();
  /** Why a worker gives no more answers. */
  readonly #lost = new Map<Worker, string>();
  #leaving = false;

  constructor(options: {
    spawn: () => Worker;
    size: number;
    onFatal: (reason: Error) => void;
    log: Log;
  }) {
    this.#onFatal = options.onFatal;
    this.#log = options.log;
    this.#workers = Array.from({ length: options.size }, options.spawn);
    this.#workers.forEach((worker, at) => this.#attend(worker, at + 1));
  }

  /**
   * Starts every shard but the first, each with a line to every other.
   *
   * @param setupOf the setup of a shard, by index from 1
   * @returns the first shard's lines, by index
   */
  async start(
    setupOf: (index: number) => ShardSetup,
    extra: unknown,
  ): Promise<(MessagePort | undefined)[]> {
    const [own = [], ...lines] = connect(this.#workers.length + 1);
    try {
      await Promise.all(this.#workers.map((worker, at) => {
        const ports = lines[at] ?? [];
        const message: ToWorker = { type: "start", setup: setupOf(at + 1), ports, extra };
        return this.#ask(worker, message, "started", ports.filter((port) => port !== undefined));
      }));
    } catch (reason) {
      for (const port of own) port?.close();
      throw reason;
    }
    return own;
  }

  /** Has every worker listen on a port that the first shard listens on already. */
  async listen(hostname: string, port: number, tls?: CertifiedKey): Promise<void> {
    await Promise.all(
      this.#workers.map((worker) =>
        this.#ask(worker, { type: "listen", hostname, port, tls }, "listening")
      ),
    );
  }

  /** Hands every worker's entry what is new of what it was given at the start. */
  async renew(extra: unknown): Promise<void> {
    await Promise.all(
      this.#workers.map((worker) => this.#ask(worker, { type: "renew", extra }, "renewed")),
    );
  }

  /** Has every worker hand its leaderships over to other nodes. */
  async handOver(): Promise<void> {
    await Promise.all(
      this.#workers.map((worker) => this.#ask(worker, { type: "hand_over" }, "handed_over")),
    );
  }

  /** Has every worker end live reads, take no new connections, and answer the requests it has. */
  async quiet(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => this.#ask(worker, { type: "quiet" }, "quiet")));
  }

  /** Has every worker make what it holds durable and end. */
  async stop(): Promise<void> {
    this.#leaving = true;
    await Promise.all(
      this.#workers.map((worker) => this.#ask(worker, { type: "stop" }, "stopped")),
    );
    this.terminate();
  }

  /** Ends all workers at once. */
  terminate(): void {
    this.#leaving = true;
    for (const worker of this.#workers) worker.terminate();
  }

  #attend(worker: Worker, shard: number): void {
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.type === "log") return this.#log(data.level, data.message, data.fields);
      if (data.type === "failed") return this.#lose(worker, data.reason);
      this.#waiting.get(worker)?.(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#lose(worker, `shard ${shard} died: ${event.message}`);
    };
  }

  #lose(worker: Worker, reason: string): void {
    this.#lost.set(worker, reason);
    this.#waiting.get(worker)?.({ type: "failed", reason });
    this.#waiting.delete(worker);
    if (!this.#leaving) this.#onFatal(new Error(reason));
  }

  /** A worker is asked one thing at a time. */
  #ask(
    worker: Worker,
    message: ToWorker,
    wanted: FromWorker["type"],
    transfer: Transferable[] = [],
  ): Promise<void> {
    const before = this.#asked.get(worker) ?? Promise.resolve();
    const asked = before.then(() => this.#askNow(worker, message, wanted, transfer));
    this.#asked.set(worker, asked.catch(() => {}));
    return asked;
  }

  #askNow(
    worker: Worker,
    message: ToWorker,
    wanted: FromWorker["type"],
    transfer: Transferable[],
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const lost = this.#lost.get(worker);
      if (lost !== undefined) return reject(new Error(lost));
      this.#waiting.set(worker, (answer) => {
        this.#waiting.delete(worker);
        if (answer.type === wanted) resolve();
        else reject(new Error(answer.type === "failed" ? answer.reason : `not ${wanted}`));
      });
      worker.postMessage(message, transfer);
    });
  }
}

/** A line between every two of `count` shards; `lines[a][b]` is a's end of the one to b. */
function connect(count: number): (MessagePort | undefined)[][] {
  const lines: (MessagePort | undefined)[][] = Array.from({ length: count }, () => []);
  for (let a = 0; a < count; a++) {
    (lines[a] as (MessagePort | undefined)[])[a] = undefined;
    for (let b = a + 1; b < count; b++) {
      const { port1, port2 } = new MessageChannel();
      (lines[a] as (MessagePort | undefined)[])[b] = port1;
      (lines[b] as (MessagePort | undefined)[])[a] = port2;
    }
  }
  return lines;
}
