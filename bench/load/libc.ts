/**
 * The few system calls of Linux that the load generator needs, called directly.
 *
 * One reader's share of an SSE fan-out costs the best server about 5 µs. A client that spends more
 * than that on each delivery would measure itself, and `Deno.connect` and `node:net` both do (see
 * README.md). `epoll_wait` and `recv` through FFI leave about one system call a delivery.
 *
 * @module
 */

const library = Deno.dlopen("libc.so.6", {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  // Both return ssize_t; the lengths here stay far below 2 GiB, so the low half is the value, and
  // a number comes back where "isize" would make a BigInt of every call.
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  timerfd_create: { parameters: ["i32", "i32"], result: "i32" },
  timerfd_settime: { parameters: ["i32", "i32", "buffer", "pointer"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
});
const libc = library.symbols;

const AF_INET = 2;
const SOCK_STREAM = 1;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const CLOCK_MONOTONIC = 1;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLLIN = 1;

/** `struct epoll_event` is packed on x86-64 only. */
const EVENT_BYTES = Deno.build.arch === "x86_64" ? 12 : 16;
const EVENT_DATA_AT = EVENT_BYTES - 8;

/** How many ready sockets one {@linkcode Poller.wait} reports at most. */
const EVENTS_MAX = 1024;

const encoder = new TextEncoder();

/**
 * Connects to a port of 127.0.0.1 with Nagle's algorithm off.
 *
 * @returns the file descriptor
 * @throws {Error} when the server refuses, or the limit of open files is reached
 */
export function connect(port: number): number {
  const fd = libc.socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) throw new Error("no socket left: raise the limit of open files (ulimit -n)");
  const address = new Uint8Array(16);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_INET, true);
  view.setUint16(2, port, false);
  address.set([127, 0, 0, 1], 4);
  if (libc.connect(fd, address, address.length) !== 0) {
    libc.close(fd);
    throw new Error(`nothing accepts connections on 127.0.0.1:${port}`);
  }
  const on = new Uint8Array(new Int32Array([1]).buffer);
  libc.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, on, on.length);
  return fd;
}

/** Closes a descriptor that {@linkcode connect} made. */
export function close(fd: number): void {
  libc.close(fd);
}

/**
 * Sends all of `bytes`, waiting while the socket's buffer is full.
 *
 * @throws {Error} when the connection is gone
 */
export function send(fd: number, bytes: Uint8Array<ArrayBuffer>): void {
  let rest = bytes;
  while (rest.length > 0) {
    const sent = libc.send(fd, rest, BigInt(rest.length), MSG_NOSIGNAL);
    if (sent <= 0) throw new Error("the server closed a connection");
    rest = rest.subarray(sent);
  }
}

/** {@linkcode send} for text. */
export function sendText(fd: number, text: string): void {
  send(fd, encoder.encode(text));
}

/**
 * Receives what has arrived, without waiting.
 *
 * @returns how many bytes now stand at the beginning of `into`; 0 at the end of the connection; -1
 * when nothing has arrived. The buffer's last byte is never written: a scanner may use it
 */
export function receive(fd: number, into: Uint8Array<ArrayBuffer>): number {
  return libc.recv(fd, into, BigInt(into.length - 1), MSG_DONTWAIT);
}

/** Waits for any of many sockets to have something to read (level-triggered). */
export class Poller {
  readonly #epoll = libc.epoll_create1(0);
  readonly #events = new Uint8Array(EVENT_BYTES * EVENTS_MAX);
  readonly #view = new DataView(this.#events.buffer);

  /** Watches a descriptor. */
  add(fd: number): void {
    this.#control(EPOLL_CTL_ADD, fd);
  }

  /** Stops watching a descriptor. */
  remove(fd: number): void {
    this.#control(EPOLL_CTL_DEL, fd);
  }

  #control(operation: number, fd: number): void {
    const event = new Uint8Array(EVENT_BYTES);
    const view = new DataView(event.buffer);
    view.setUint32(0, EPOLLIN, true);
    view.setInt32(EVENT_DATA_AT, fd, true);
    libc.epoll_ctl(this.#epoll, operation, fd, event);
  }

  /**
   * Waits until something is ready.
   *
   * @param timeoutMs in whole milliseconds; 0 only looks
   * @returns how many sockets are ready, for {@linkcode ready}; 0 after the timeout
   */
  wait(timeoutMs: number): number {
    return Math.max(0, libc.epoll_wait(this.#epoll, this.#events, EVENTS_MAX, timeoutMs));
  }

  /** Gives the poller's own descriptor back; those it watched stay open. */
  close(): void {
    libc.close(this.#epoll);
  }

  /** The descriptor at `index` of what the last {@linkcode wait} reported. */
  ready(index: number): number {
    return this.#view.getInt32(index * EVENT_BYTES + EVENT_DATA_AT, true);
  }
}

/** A descriptor that is ready once an interval: `epoll_wait` itself counts in milliseconds. */
export class Ticker {
  readonly fd: number = libc.timerfd_create(CLOCK_MONOTONIC, 0);
  readonly #expirations = new Uint8Array(8);

  /** @param micros the interval, below a second */
  constructor(micros: number) {
    // `struct itimerspec`: the interval, then the first time, each in seconds and nanoseconds.
    const nanos = BigInt(micros) * 1000n;
    const spec = new Uint8Array(new BigInt64Array([0n, nanos, 0n, nanos]).buffer);
    libc.timerfd_settime(this.fd, 0, spec, null);
  }

  /** Makes it wait for the next time. Blocks where none has passed. */
  take(): void {
    libc.read(this.fd, this.#expirations, 8n);
  }
}
