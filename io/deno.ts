/**
 * Time, randomness, files and network of the real machine.
 *
 * @module
 */

import { statfs, type StatsFs } from "node:fs";
import { setImmediate } from "node:timers";
import { threadCoreTime } from "./machine.ts";
import {
  type Clock,
  type Connection,
  type CoreTime,
  type Disk,
  DiskError,
  type DiskErrorCode,
  type DiskFile,
  type DiskLock,
  type Network,
  type NetworkAddress,
  NetworkError,
  type NetworkErrorCode,
  type NetworkListener,
  type Random,
  type Timer,
} from "./mod.ts";

/** Longest delay that `setTimeout` takes; a longer one would fire at once. */
const TIMER_DELAY_MS_MAX = 2 ** 31 - 1;
/** Most bytes that one call of `getRandomValues` fills. */
const RANDOM_CALL_BYTES_MAX = 65_536;
/** How long a file waits for a handle where the process has none left, and how often it looks. */
const HANDLE_WAIT_MS = 10_000;
const HANDLE_PAUSE_MS = 20;
/** Pause after the system could not accept a connection, such as for want of file handles. */
const ACCEPT_PAUSE_MS = 100;

/** The machine's clocks and the event loop's timers. */
export class DenoClock implements Clock {
  #timers = new Set<DenoTimer>();
  #deferred: (() => void)[] = [];
  #deferredLast: (() => void)[] = [];
  #scheduled = false;
  #closed = false;

  monotonicMs(): number {
    return performance.now();
  }

  wallMs(): number {
    return Date.now();
  }

  coreTime(): CoreTime | undefined {
    return threadCoreTime();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = new DenoTimer(this.#timers, callback, performance.now() + delayMs);
    if (!this.#closed) timer.arm();
    return timer;
  }

  // A macrotask per turn, whatever the number of callbacks: an immediate costs microseconds, and
  // runs after the I/O at hand, where a timer of 0 ms may wait for two.
  defer(callback: () => void): void {
    if (this.#closed) return;
    this.#deferred.push(callback);
    this.#schedule();
  }

  deferLast(callback: () => void): void {
    if (this.#closed) return;
    this.#deferredLast.push(callback);
    this.#schedule();
  }

  /** Forgets every pending callback and takes no new ones, so that nothing keeps the process alive. */
  close(): void {
    this.#closed = true;
    this.#deferred = [];
    this.#deferredLast = [];
    for (const timer of this.#timers) timer.cancel();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#runDeferred);
  }

  readonly #runDeferred = (): void => {
    const callbacks = this.#deferred;
    this.#deferred = [];
    this.#runAll(callbacks);
    this.#scheduled = false;
    if (this.#deferred.length > 0) this.#schedule();
    const last = this.#deferredLast;
    this.#deferredLast = [];
    this.#runAll(last);
  };

  #runAll(callbacks: readonly (() => void)[]): void {
    for (const callback of callbacks) {
      if (!this.#closed) callback();
    }
  }
}

class DenoTimer implements Timer {
  #id: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly pending: Set<DenoTimer>,
    readonly callback: () => void,
    readonly dueMs: number,
  ) {}

  arm(): void {
    this.pending.add(this);
    const delayMs = Math.max(0, this.dueMs - performance.now());
    this.#id = setTimeout(this.#fire, Math.min(Math.ceil(delayMs), TIMER_DELAY_MS_MAX));
  }

  cancel(): void {
    this.pending.delete(this);
    clearTimeout(this.#id);
  }

  readonly #fire = (): void => {
    if (this.dueMs > performance.now()) return this.arm();
    this.pending.delete(this);
    this.callback();
  };
}

/** Randomness of the machine: fast for {@linkcode Random.next}, unguessable for bytes. */
export const denoRandom: Random = {
  next: Math.random,
  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += RANDOM_CALL_BYTES_MAX) {
      crypto.getRandomValues(bytes.subarray(at, at + RANDOM_CALL_BYTES_MAX));
    }
    return bytes;
  },
};

/** The machine's file systems. */
export const denoDisk: Disk = {
  async open(path: string, options: { create: boolean }): Promise<DiskFile> {
    return new DenoFile(path, await opened(path, options.create));
  },
  makeDirectory: (path) => mapped(path, Deno.mkdir(path, { recursive: true })),
  async list(path: string): Promise<string[]> {
    const names = await mapped(
      path,
      withHandle(() => Array.fromAsync(Deno.readDir(path), ({ name }) => name)),
    );
    return names.sort();
  },
  rename: (from, to) => mapped(from, Deno.rename(from, to)),
  remove: (path) => mapped(path, Deno.remove(path)),
  async syncDirectory(path: string): Promise<void> {
    // Windows opens no folders; its file systems journal names by themselves.
    if (Deno.build.os === "windows") return;
    const folder = await mapped(path, withHandle(() => Deno.open(path, { read: true })));
    try {
      await folder.sync();
    } catch (error) {
      throw diskError(path, error);
    } finally {
      folder.close();
    }
  },
  freeBytes(path: string): Promise<number> {
    const asked = new Promise<StatsFs>((resolve, reject) => {
      statfs(path, (error, stats) => error ? reject(error) : resolve(stats));
    });
    return mapped(path, asked).then((stats) => stats.bavail * stats.bsize);
  },
  async lock(path: string): Promise<DiskLock> {
    const file = await opened(path, true);
    let held = false;
    try {
      held = await file.tryLock(true);
    } catch (error) {
      throw diskError(path, error);
    } finally {
      if (!held) file.close();
    }
    if (!held) throw new DiskError("locked", path, "another process holds this lock");
    // The file stays: removing it would let two processes lock two files of the same name.
    return { release: () => file.close() };
  },
};

class DenoFile implements DiskFile {
  /** Where the next plain write or read would land: saves a seek per write of a growing tail. */
  #position = 0;

  constructor(readonly path: string, readonly file: Deno.FsFile) {}

  async read(into: Uint8Array, position: number): Promise<number> {
    try {
      this.#seek(position);
      let done = 0;
      while (done < into.length) {
        const count = await this.file.read(into.subarray(done));
        if (count === null) break;
        done += count;
      }
      this.#position = position + done;
      return done;
    } catch (error) {
      throw this.#failed(error);
    }
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    try {
      this.#seek(position);
      for (let done = 0; done < bytes.length;) done += await this.file.write(bytes.subarray(done));
      this.#position = position + bytes.length;
    } catch (error) {
      throw this.#failed(error);
    }
  }

  writeSync(bytes: Uint8Array, position: number): void {
    try {
      this.#seek(position);
      let done = this.file.writeSync(bytes);
      while (done < bytes.length) done += this.file.writeSync(bytes.subarray(done));
      this.#position = position + bytes.length;
    } catch (error) {
      throw this.#failed(error);
    }
  }

  sync(): Promise<void> {
    return mapped(this.path, this.file.syncData());
  }

  syncSync(): void {
    try {
      this.file.syncDataSync();
    } catch (error) {
      throw diskError(this.path, error);
    }
  }

  async size(): Promise<number> {
    return (await mapped(this.path, this.file.stat())).size;
  }

  truncate(length: number): Promise<void> {
    return mapped(this.path, this.file.truncate(length));
  }

  close(): void {
    this.file.close();
  }

  #seek(position: number): void {
    if (this.#position === position) return;
    this.file.seekSync(position, Deno.SeekMode.Start);
    this.#position = position;
  }

  #failed(error: unknown): DiskError {
    this.#position = -1;
    return diskError(this.path, error);
  }
}

function opened(path: string, create: boolean): Promise<Deno.FsFile> {
  return mapped(path, withHandle(() => Deno.open(path, { read: true, write: true, create })));
}

/**
 * Clients may have taken all handles for a moment, until connections are closed for want of them. A
 * journal that could not have its next file would end the node.
 */
async function withHandle<T>(open: () => Promise<T>): Promise<T> {
  const deadlineMs = performance.now() + HANDLE_WAIT_MS;
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (!lacksHandle(error) || performance.now() > deadlineMs) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, HANDLE_PAUSE_MS));
  }
}

/** Of this process, or of the whole machine. */
function lacksHandle(error: unknown): boolean {
  const code = codeOf(error);
  return code === "EMFILE" || code === "ENFILE";
}

async function mapped<T>(path: string, outcome: Promise<T>): Promise<T> {
  try {
    return await outcome;
  } catch (error) {
    throw diskError(path, error);
  }
}

function diskError(path: string, error: unknown): DiskError {
  const detail = error instanceof Error ? error.message : String(error);
  return new DiskError(kindOf(codeOf(error)), path, detail);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

function kindOf(code: unknown): DiskErrorCode {
  switch (code) {
    case "ENOENT":
      return "not_found";
    case "ENOSPC":
    case "EDQUOT":
      return "full";
    default:
      return "failed";
  }
}

/** The machine's TCP. Small writes leave at once (`TCP_NODELAY`). */
export const denoNetwork: Network = {
  async connect({ hostname, port }: NetworkAddress): Promise<Connection> {
    const address = nameOf(hostname, port);
    try {
      return new DenoConnection(await Deno.connect({ hostname, port }), address);
    } catch (error) {
      throw networkError("unreachable", address, error);
    }
  },
  listen(
    { hostname, port }: NetworkAddress,
    shared: boolean,
    accept: (connection: Connection) => void,
  ): Promise<NetworkListener> {
    try {
      // Without the flag for it, Deno ends the process at the mere mention of `reusePort`.
      const reusePort = shared && "listenDatagram" in Deno;
      const listener = Deno.listen(reusePort ? { hostname, port, reusePort } : { hostname, port });
      return Promise.resolve(new DenoListener(listener, hostname, accept));
    } catch (error) {
      const code = error instanceof Deno.errors.AddrInUse ? "in_use" : "failed";
      return Promise.reject(networkError(code, nameOf(hostname, port), error));
    }
  },
};

class DenoListener implements NetworkListener {
  readonly port: number;
  #closed = false;
  #accepting: Promise<void>;
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly listener: Deno.TcpListener,
    readonly hostname: string,
    readonly onAccept: (connection: Connection) => void,
  ) {
    this.port = listener.addr.port;
    this.#accepting = this.#accept();
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      clearTimeout(this.#pause);
      this.listener.close();
    }
    // The system has the address until the last look for a connection is over.
    return this.#accepting;
  }

  async #accept(): Promise<void> {
    while (!this.#closed) {
      let accepted: Deno.TcpConn;
      try {
        accepted = await this.listener.accept();
      } catch {
        if (this.#closed) return;
        this.#pause = setTimeout(() => this.#accepting = this.#accept(), ACCEPT_PAUSE_MS);
        return;
      }
      const { hostname, port } = accepted.remoteAddr;
      if (this.#closed) return accepted.close();
      this.onAccept(new DenoConnection(accepted, nameOf(hostname, port)));
    }
  }
}

class DenoConnection implements Connection {
  #closed = false;

  constructor(readonly connection: Deno.TcpConn, readonly remote: string) {
    try {
      connection.setNoDelay(true);
    } catch {
      // The other end has gone already: the first read says so.
    }
  }

  async read(into: Uint8Array): Promise<number> {
    try {
      return await this.connection.read(into) ?? 0;
    } catch (error) {
      throw this.#broken(error);
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      let done = await this.connection.write(bytes);
      while (done < bytes.length) done += await this.connection.write(bytes.subarray(done));
    } catch (error) {
      throw this.#broken(error);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.connection.close();
  }

  #broken(error: unknown): NetworkError {
    if (this.#closed) return new NetworkError("broken", this.remote, "closed on this side");
    return networkError("broken", this.remote, error);
  }
}

function nameOf(hostname: string, port: number): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

function networkError(code: NetworkErrorCode, address: string, error: unknown): NetworkError {
  return new NetworkError(code, address, error instanceof Error ? error.message : String(error));
}
