import type { CertifiedKey, LogLine } from "../io/mod.ts";
import type { HandleWatch } from "./handle_watch.ts";
import type { Handler } from "./handler.ts";

/** Where a plane is listened for. */
export interface ListenOptions {
  readonly hostname: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Other shards listen on the same port (`reusePort`). */
  readonly shared: boolean;
  /** Speaks HTTPS; left out speaks plain HTTP. */
  readonly tls?: CertifiedKey | undefined;
  /** Told when connections could not be accepted, or were closed to make room. */
  readonly log: LogLine;
  /** Waited for before connections are closed, which breaks off bodies that come over them. */
  readonly settle?: () => Promise<void> | undefined;
  /** Connections that ask for nothing are closed while it says that file handles are scarce. */
  readonly handles?: HandleWatch | undefined;
}

/** A plane that is listened for. */
export interface Listener {
  readonly hostname: string;
  readonly port: number;
  /** Other shards may listen on it, too. */
  readonly shared: boolean;
  /** Shows this certificate to new connections; those that stand finish what is under way. */
  renew(tls: CertifiedKey): Promise<void>;
  /** Takes no new connections; resolves when the requests under way are answered. */
  stop(): Promise<void>;
}

/** How long requests under way may take to finish once a listener stops. */
const GRACE_MS = 5_000;
/** Pause before it is listened again on a port that was given up; longer each time that fails. */
const PAUSE_MS_MIN = 2;
const PAUSE_MS_MAX = 100;
/** A server that took connections for so many pauses has not failed. */
const LIFE_PAUSES = 10;
/** How long two listeners share a port when one takes over from the other. */
const TAKE_OVER_MS = 50;
/** How often it is asked whether handles are scarce, and how often that is worth a line. */
const LOOK_MS = 1_000;
const LINE_MS = 60_000;
/** Looks between two times that connections are closed: more where it does not help. */
const LOOKS_MAX = 32;

/**
 * Whether several shards may listen on one port: it takes `--unstable-net`, without which asking for
 * it ends the process where nobody can catch it.
 */
export function canSharePort(): boolean {
  return "listenDatagram" in Deno;
}

/** Listens, and has the requests answered. @throws when the address is in use or not there */
export function listen(answer: Handler, options: ListenOptions): Listener {
  return new ServedPlane(answer, options);
}

/**
 * Deno's server, and the next one when that has to give way: to a new certificate, or because it has
 * ended. It ends for good when the system can't give it one connection, such as for want of file
 * handles. Requests under way are answered all the same, whichever server they came to.
 */
class ServedPlane implements Listener {
  readonly hostname: string;
  readonly port: number;
  readonly shared: boolean;
  readonly #answer: Handler;
  readonly #log: LogLine;
  readonly #settle: ListenOptions["settle"];
  readonly #handles: HandleWatch | undefined;
  #tls: CertifiedKey | undefined;
  /** The one that takes connections, but for moments. */
  #server: Deno.HttpServer<Deno.NetAddr> | undefined;
  /** Those that don't any more, while they finish what they have. */
  readonly #leaving = new Set<Promise<void>>();
  readonly #watch: ReturnType<typeof setInterval> | undefined;
  #looks = 0;
  #looksDue = 1;
  #saidMs = -Infinity;
  #pauseMs = PAUSE_MS_MIN;
  #stopped = false;

  constructor(answer: Handler, options: ListenOptions) {
    this.#answer = answer;
    this.#log = options.log;
    this.#settle = options.settle;
    this.#handles = options.handles;
    this.#tls = options.tls;
    this.shared = options.shared;
    this.hostname = options.hostname;
    const server = this.#server = this.#serve(options.port);
    this.hostname = server.addr.hostname;
    this.port = server.addr.port;
    if (this.#handles !== undefined) this.#watch = setInterval(() => this.#look(), LOOK_MS);
  }

  async renew(tls: CertifiedKey): Promise<void> {
    const before = this.#tls;
    this.#tls = tls;
    await this.#replace().catch((reason) => {
      this.#tls = before;
      throw reason;
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#watch);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const grace = new Promise<void>((resolve) => timer = setTimeout(resolve, GRACE_MS));
    if (this.#server !== undefined) this.#leave(this.#server);
    await Promise.race([Promise.all(this.#leaving), grace]);
    clearTimeout(timer);
  }

  /** A new server in place of the one that there is. */
  async #replace(): Promise<void> {
    if (this.#stopped || this.#server === undefined) return;
    if (this.#reusesPort) {
      // The new one listens before the old one stops: there is no moment without a listener.
      const before = this.#server;
      this.#server = this.#serve(this.port);
      // What has connected to the old one while this one was made is accepted meanwhile.
      await passed(TAKE_OVER_MS);
      this.#leave(before);
    } else {
      await this.#listenAgain();
    }
  }

  /** Closes what is idle, and listens again as soon as that is possible. */
  async #listenAgain(): Promise<void> {
    if (this.#server !== undefined) this.#leave(this.#server);
    this.#server = undefined;
    while (this.#server === undefined) {
      await passed(this.#pauseMs);
      if (this.#stopped) return;
      try {
        this.#server = this.#serve(this.port);
      } catch (reason) {
        if (this.#pauseMs === PAUSE_MS_MAX) this.#say(`can't listen on port ${this.port}`, reason);
        this.#failed();
      }
    }
  }

  #failed(): void {
    this.#pauseMs = Math.min(2 * this.#pauseMs, PAUSE_MS_MAX);
  }

  #leave(server: Deno.HttpServer<Deno.NetAddr>): void {
    const left = this.#shutDown(server).finally(() => this.#leaving.delete(left));
    this.#leaving.add(left);
  }

  async #shutDown(server: Deno.HttpServer<Deno.NetAddr>): Promise<void> {
    await this.#settle?.();
    await server.shutdown();
  }

  get #reusesPort(): boolean {
    return this.shared || (this.#tls !== undefined && canSharePort());
  }

  #serve(port: number): Deno.HttpServer<Deno.NetAddr> {
    const tls = this.#tls;
    const sinceMs = performance.now();
    const server = Deno.serve({
      hostname: this.hostname,
      port,
      ...(this.#reusesPort ? { reusePort: true } : {}),
      ...(tls === undefined ? {} : { cert: tls.certificate, key: tls.key }),
      onListen() {},
    }, this.#answer);
    server.finished.catch((reason) => {
      this.#say(`port ${this.port} could not take a connection`, reason);
      if (performance.now() - sinceMs < LIFE_PAUSES * this.#pauseMs) this.#failed();
      else this.#pauseMs = PAUSE_MS_MIN;
      if (server === this.#server && !this.#stopped) void this.#listenAgain();
    });
    return server;
  }

  #look(): void {
    if (!this.#handles?.scarce) {
      this.#looks = 0;
      this.#looksDue = 1;
      return;
    }
    if (++this.#looks < this.#looksDue) return;
    this.#looks = 0;
    this.#looksDue = Math.min(2 * this.#looksDue, LOOKS_MAX);
    this.#say(
      `connections to port ${this.port} that ask for nothing are closed`,
      "file handles are scarce",
    );
    this.#replace().catch((reason) => this.#say(`port ${this.port} keeps its server`, reason));
  }

  #say(line: string, reason: unknown): void {
    if (performance.now() - this.#saidMs < LINE_MS) return;
    this.#saidMs = performance.now();
    this.#log(`${line}: ${reason instanceof Error ? reason.message : reason}`, "warn");
  }
}

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
