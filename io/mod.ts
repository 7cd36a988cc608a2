/**
 * What the server needs from the world outside, as interfaces.
 *
 * Everything above this folder reaches time, randomness, files and other machines through these types
 * alone, so the same code runs on a real machine (`deno.ts`) and inside the deterministic simulator
 * (`tests/sim/`).
 *
 * @module
 */

/** Time, and the means to run something later. */
export interface Clock {
  /** Milliseconds on a clock that never goes back; its zero means nothing. */
  monotonicMs(): number;
  /** Milliseconds since the Unix epoch as the machine believes them; may jump either way. */
  wallMs(): number;
  /** Runs `callback` once, no sooner than `delayMs` from now. */
  setTimer(delayMs: number, callback: () => void): Timer;
  /**
   * Runs `callback` after what the event loop has at hand now: the end of a turn. Not for work that
   * goes on turn after turn: while the loop has such work it asks the system what has arrived every
   * 61st turn only. That pauses by {@linkcode Clock.setTimer}, be it for 0 ms.
   */
  defer(callback: () => void): void;
  /** Runs `callback` after what is deferred for the same turn, be it later: all it sends is there. */
  deferLast(callback: () => void): void;
  /** How this thread got on with its core; undefined, or left out, where the system does not say. */
  coreTime?(): CoreTime | undefined;
}

/** A thread's time since it began; while it does neither, it has nothing to do. */
export interface CoreTime {
  /** Milliseconds on a core. */
  readonly ranMs: number;
  /** Milliseconds ready to go on, while others had the core. */
  readonly waitedMs: number;
}

/** A pending callback of {@linkcode Clock.setTimer}. */
export interface Timer {
  /** Forgets the callback; harmless after it ran. */
  cancel(): void;
}

/** How loud a line is: what an operator should see to is a warning, and what is lost an error. */
export type LineLevel = "info" | "warn" | "error";

/** Takes lines for the operator, `info` unless told otherwise. */
export type LogLine = (line: string, level?: LineLevel) => void;

/** What spans are begun for. */
export type SpanName = "append" | "read" | "forward" | "flush";

/** What is said of a span, by names as OpenTelemetry has them. Nothing that only a stream's users know. */
export type SpanFacts = Readonly<Record<string, string | number>>;

/** Tells how long things take, one by one. Undefined in place of it tells nothing, and costs nothing. */
export interface Tracer {
  /** Begins a span below whatever request is being answered. */
  begin(name: SpanName, facts: SpanFacts): Span;
}

/** Something that takes time. */
export interface Span {
  /** It is over. */
  end(facts: SpanFacts, failed?: boolean): void;
}

/** What the node may have numbers of. */
export interface MetricInstrument {
  readonly name: string;
  readonly help: string;
  /** A counter never falls. */
  readonly kind: "gauge" | "counter";
}

/** A number of the node. */
export interface MetricRow {
  /** Of its instrument. */
  readonly name: string;
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
}

/** A source of randomness. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** `length` bytes that nobody can guess (from a real machine) or that follow the seed (simulated). */
  bytes(length: number): Uint8Array;
}

/**
 * Files. Paths are absolute, separated by `/`. Every promise rejects with a {@linkcode DiskError}.
 *
 * What is written is durable only after {@linkcode DiskFile.sync}; a file that was created, renamed
 * or removed is durably so only after {@linkcode Disk.syncDirectory} of its folder.
 */
export interface Disk {
  /** Opens a file for reading and writing. `create` makes it where missing; otherwise `not_found`. */
  open(path: string, options: { create: boolean }): Promise<DiskFile>;
  /** Makes a folder and those above it; harmless where it exists. */
  makeDirectory(path: string): Promise<void>;
  /** Names in a folder, sorted by code unit. `not_found` where there is none. */
  list(path: string): Promise<string[]>;
  /** Renames a file, replacing what stood at `to`. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; `not_found` where there is none. */
  remove(path: string): Promise<void>;
  /** Makes the creations, renames and removals in a folder durable. */
  syncDirectory(path: string): Promise<void>;
  /** Bytes that may still be written on the file system that holds `path`. */
  freeBytes(path: string): Promise<number>;
  /** Takes the folder's lock file for this process; `locked` when another process holds it. */
  lock(path: string): Promise<DiskLock>;
}

/** An open file. Calls on one file do not overlap unless said otherwise. */
export interface DiskFile {
  /** Fills `into` from `position`; answers how many bytes there were (fewer only at the end). */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes all of `bytes` at `position`, off the event loop. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /**
   * Writes all of `bytes` at `position` before it returns; throws a {@linkcode DiskError}. May be
   * called while a {@linkcode DiskFile.sync} is under way, which then need not cover it.
   */
  writeSync(bytes: Uint8Array, position: number): void;
  /** fdatasync: what was written before the call is durable when this resolves. */
  sync(): Promise<void>;
  /**
   * The same, on the event loop; throws a {@linkcode DiskError}. Not while a
   * {@linkcode DiskFile.sync} is under way.
   */
  syncSync(): void;
  /** Length in bytes. */
  size(): Promise<number>;
  /** Cuts or extends (with zeros) to `length` bytes. */
  truncate(length: number): Promise<void>;
  /** Gives the handle back; the file may not be used afterwards. */
  close(): void;
}

/** A held lock of {@linkcode Disk.lock}. */
export interface DiskLock {
  /** Gives the lock back. */
  release(): void;
}

/** Why a file operation failed. */
export type DiskErrorCode = "not_found" | "locked" | "full" | "failed";

/** A failed file operation. */
export class DiskError extends Error {
  /** @param code what kind of failure; @param path the file or folder; @param detail one line */
  constructor(readonly code: DiskErrorCode, readonly path: string, detail: string) {
    super(`${path}: ${detail}`);
    this.name = "DiskError";
  }
}

/** Where a process listens. */
export interface NetworkAddress {
  /** A host name or an IP address, IPv6 without brackets. */
  readonly hostname: string;
  /** TCP port; 0, for {@linkcode Network.listen} alone, lets the machine choose one. */
  readonly port: number;
}

/** Byte streams between processes: TCP. Every promise rejects with a {@linkcode NetworkError}. */
export interface Network {
  /** Opens a connection; `unreachable` when nobody accepts it. May take as long as the system likes. */
  connect(address: NetworkAddress): Promise<Connection>;
  /**
   * Accepts connections until the listener is closed. `in_use` when the address is taken.
   * @param shared several listeners of this program may share the address, and connections are
   * spread over them; where the runtime can't do that, it is as if false
   */
  listen(
    address: NetworkAddress,
    shared: boolean,
    accept: (connection: Connection) => void,
  ): Promise<NetworkListener>;
}

/** What shows who this end is: a certificate chain, its own first, and its private key, as PEM. */
export interface CertifiedKey {
  /** The chain. */
  readonly certificate: string;
  /** Secret. */
  readonly key: string;
}

/** One end of a byte stream: in order, without loss, until it breaks. */
export interface Connection {
  /** The other end's address, for people to read. */
  readonly remote: string;
  /** Whether the other end's certificate is for that host; not there where none was asked for. */
  vouchesFor?(hostname: string): boolean;
  /**
   * Reads what has come, at least one byte, at most what `into` holds; 0 once the other end has
   * closed. `broken` when the connection is lost, or closed here. Reads do not overlap.
   */
  read(into: Uint8Array): Promise<number>;
  /**
   * Writes all of `bytes`, which must not change before this resolves: they are with the system
   * then, not with the other end. `broken` as for reads. Writes do not overlap.
   */
  write(bytes: Uint8Array): Promise<void>;
  /** Gives the connection back; what was not written yet may be lost. Harmless when repeated. */
  close(): void;
}

/** What {@linkcode Network.listen} gives. */
export interface NetworkListener extends NetworkAddress {
  /**
   * Accepts no more; connections that it accepted live on. Never rejects, and the address is free
   * when it resolves. Harmless when repeated.
   */
  close(): Promise<void>;
}

/** Why a network operation failed. */
export type NetworkErrorCode = "unreachable" | "in_use" | "broken" | "failed";

/** A failed network operation. */
export class NetworkError extends Error {
  /** @param code what kind of failure; @param address of the other end; @param detail one line */
  constructor(readonly code: NetworkErrorCode, readonly address: string, detail: string) {
    super(`${address}: ${detail}`);
    this.name = "NetworkError";
  }
}

export { pause } from "./pause.ts";
