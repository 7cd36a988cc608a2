/**
 * A proxy that gives each connection to the next server, and lets a connection carry one request
 * alone: clients that keep connections open would stay with one server otherwise.
 *
 * @module
 */

import { type Address, close, writeAll } from "../cluster/link.ts";

const CHUNK_BYTES = 64 << 10;
/** More than any request's head here. */
const HEAD_BYTES_MAX = 256 << 10;

/** The proxy; it ends with all its connections. */
export class RoundRobin implements AsyncDisposable {
  /** Connections given to each server so far, in the servers' order. */
  readonly counts: number[];
  readonly #listener: Deno.TcpListener;
  readonly #servers: readonly Address[];
  readonly #open = new Set<Deno.TcpConn>();
  readonly #running = new Set<Promise<void>>();
  #next = 0;

  private constructor(listener: Deno.TcpListener, servers: readonly Address[]) {
    this.#listener = listener;
    this.#servers = servers;
    this.counts = servers.map(() => 0);
    this.#follow(this.#accept());
  }

  /** Listens on a free port of the loopback interface. */
  static open(servers: readonly Address[]): RoundRobin {
    return new RoundRobin(Deno.listen({ hostname: "127.0.0.1", port: 0 }), servers);
  }

  /** Base URL, without a slash at the end. */
  get url(): string {
    const { hostname, port } = this.#listener.addr;
    return `http://${hostname}:${port}`;
  }

  /** Closes everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    close(this.#listener);
    for (const connection of this.#open) close(connection);
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async #accept(): Promise<void> {
    for await (const near of this.#listener) this.#follow(this.#carry(near));
  }

  async #carry(near: Deno.TcpConn): Promise<void> {
    this.#open.add(near);
    let far: Deno.TcpConn | undefined;
    try {
      const head = await readHead(near);
      const at = this.#next++ % this.#servers.length;
      const server = this.#servers[at];
      if (head === undefined || server === undefined) return;
      this.counts[at] = (this.counts[at] ?? 0) + 1;
      far = await Deno.connect(server);
      this.#open.add(far);
      near.setNoDelay(true);
      far.setNoDelay(true);
      await writeAll(far, head);
      const ways = [copy(near, far), copy(far, near)];
      for (const way of ways) this.#follow(way);
      await Promise.race(ways);
    } catch {
      // Either end broke; the other one learns it by the end of its connection.
    } finally {
      for (const connection of [near, far]) {
        if (connection === undefined) continue;
        close(connection);
        this.#open.delete(connection);
      }
    }
  }

  #follow(task: Promise<void>): void {
    this.#running.add(task);
    task.finally(() => this.#running.delete(task));
  }
}

/** The head of a request that asks for its connection to be closed, and what came behind it. */
async function readHead(from: Deno.TcpConn): Promise<Uint8Array | undefined> {
  // One character a byte, so that bytes of any encoding come out as they went in.
  let text = "";
  const chunk = new Uint8Array(CHUNK_BYTES);
  while (text.length < HEAD_BYTES_MAX) {
    const end = text.indexOf("\r\n\r\n");
    if (end >= 0) {
      const head = text.slice(0, end).replace(/\r\nconnection:[^\r\n]*/gi, "");
      return bytesOf(`${head}\r\nconnection: close${text.slice(end)}`);
    }
    const count = await from.read(chunk);
    if (count === null) return undefined;
    for (let at = 0; at < count; at++) text += String.fromCharCode(chunk[at] ?? 0);
  }
  throw new Error(`a request's head is longer than ${HEAD_BYTES_MAX} bytes`);
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Resolves when `from` has ended, or either end broke. */
async function copy(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  const chunk = new Uint8Array(CHUNK_BYTES);
  try {
    for (;;) {
      const count = await from.read(chunk);
      if (count === null) return;
      await writeAll(to, chunk.subarray(0, count));
    }
  } catch {
    // It is over either way.
  }
}
