/**
 * A TCP proxy that sits on one peer link, in the direction in which a node dials.
 *
 * ```ts
 * await using link = Link.open(() => ({ hostname: "127.0.0.1", port: 14437 }));
 * // node 1 dials link.address in place of node 2
 * link.cut();         // no byte gets through, and no connection breaks: a network that loses packets
 * link.heal();
 * link.break();       // connections are reset, new ones too: a machine that refuses them
 * ```
 *
 * @module
 */

/** Where something listens. */
export interface Address {
  readonly hostname: string;
  readonly port: number;
}

/** Bytes of the node that dials go `out`, of the one that accepts `in`. */
export type Way = "out" | "in";

/** Bytes on their way through a link with a delay; beyond it the link reads no more. */
const DELAYED_BYTES_MAX = 8 << 20;
const CHUNK_BYTES = 64 << 10;

/** See the module's page. */
export class Link implements AsyncDisposable {
  /** Every byte takes this long, both ways. */
  delayMs = 0;
  /** At most so many bytes get through each connection in a second, each way. */
  bytesPerSecond = Infinity;
  /** Connections that were accepted so far. */
  accepted = 0;
  readonly #listener: Deno.TcpListener;
  readonly #target: () => Address;
  readonly #connections = new Set<Deno.TcpConn>();
  readonly #running = new Set<Promise<void>>();
  readonly #cut: Record<Way, boolean> = { out: false, in: false };
  #broken = false;
  #closed = false;
  #healed = Promise.withResolvers<void>();

  private constructor(listener: Deno.TcpListener, target: () => Address) {
    this.#listener = listener;
    this.#target = target;
    this.#follow(this.#accept());
  }

  /** Listens on a free port of its own; `target` is asked for every connection. */
  static open(target: () => Address): Link {
    return new Link(Deno.listen({ hostname: "127.0.0.1", port: 0 }), target);
  }

  /** Where it listens. */
  get address(): Address {
    const { hostname, port } = this.#listener.addr;
    return { hostname, port };
  }

  /** Holds all bytes back, or those of one way, until {@linkcode heal}. */
  cut(ways: readonly Way[] = ["out", "in"]): void {
    for (const way of ways) this.#cut[way] = true;
  }

  /** Resets every connection, and each new one, until {@linkcode heal}. */
  break(): void {
    this.#broken = true;
    for (const connection of this.#connections) close(connection);
  }

  /** Everything gets through again, what was held back first. */
  heal(): void {
    this.#broken = false;
    this.#cut.out = this.#cut.in = false;
    this.#healed.resolve();
    this.#healed = Promise.withResolvers();
  }

  /** Ends with all its connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    close(this.#listener);
    this.break();
    this.heal();
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async #accept(): Promise<void> {
    for await (const near of this.#listener) {
      this.accepted++;
      if (this.#broken) near.close();
      else this.#follow(this.#carry(near));
    }
  }

  async #carry(near: Deno.TcpConn): Promise<void> {
    this.#connections.add(near);
    let far: Deno.TcpConn | undefined;
    try {
      far = await Deno.connect(this.#target());
      this.#connections.add(far);
      near.setNoDelay(true);
      far.setNoDelay(true);
      if (this.#broken || this.#closed) return;
      await Promise.race([this.#pump(near, far, "out"), this.#pump(far, near, "in")]);
    } catch {
      // The target does not listen: what a node that is down looks like.
    } finally {
      for (const connection of [near, far]) {
        if (connection === undefined) continue;
        close(connection);
        this.#connections.delete(connection);
      }
    }
  }

  /** Resolves when this way has ended, by the end of a connection or its failure. */
  #pump(from: Deno.TcpConn, to: Deno.TcpConn, way: Way): Promise<void> {
    const pumping = this.#copy(from, to, way).catch(() => {});
    this.#follow(pumping);
    return pumping;
  }

  async #copy(from: Deno.TcpConn, to: Deno.TcpConn, way: Way): Promise<void> {
    let sent = Promise.resolve();
    let waiting = 0;
    for (;;) {
      // A slow link gives a little often, or it would look as if it were cut.
      const chunk = new Uint8Array(Math.min(CHUNK_BYTES, Math.ceil(this.bytesPerSecond / 20)));
      const { bytesPerSecond } = this;
      const count = await from.read(chunk).catch(() => null);
      const due = performance.now() + this.delayMs;
      const bytes = count === null ? undefined : chunk.subarray(0, count);
      waiting += count ?? 0;
      sent = sent.then(async () => {
        await until(due);
        // The end of a connection is news that a cut link does not carry either.
        while (this.#cut[way]) await this.#healed.promise;
        if (bytes !== undefined) await writeAll(to, bytes);
        waiting -= count ?? 0;
      });
      sent.catch(() => {});
      if (bytes === undefined || this.delayMs === 0 || waiting > DELAYED_BYTES_MAX) await sent;
      if (bytes === undefined) return;
      if (bytesPerSecond < Infinity) await until(due + 1_000 * bytes.length / bytesPerSecond);
    }
  }

  #follow(task: Promise<void>): void {
    this.#running.add(task);
    task.finally(() => this.#running.delete(task));
  }
}

/** Writes all of `bytes`. */
export async function writeAll(to: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}

/** Closes what may be closed already. */
export function close(resource: { close(): void }): void {
  try {
    resource.close();
  } catch {
    // It is.
  }
}

function until(due: number): Promise<void> | undefined {
  const ms = due - performance.now();
  return ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : undefined;
}
