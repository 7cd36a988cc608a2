import type { CertifiedKey } from "../io/mod.ts";
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
  /** Waited for before connections are closed, which breaks off bodies that come over them. */
  readonly settle?: () => Promise<void>;
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
/** How long a port may take to become free again that can't be shared. */
const FREE_MS_MAX = 2_000;
const FREE_PAUSE_MS = 2;
/** How long two listeners share a port when one takes over from the other. */
const TAKE_OVER_MS = 50;

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

class ServedPlane implements Listener {
  readonly hostname: string;
  readonly port: number;
  readonly shared: boolean;
  readonly #answer: Handler;
  readonly #settle: () => Promise<void>;
  #server: Deno.HttpServer<Deno.NetAddr>;
  /** Servers that show older certificates, while they finish what they have. */
  readonly #leaving = new Set<Promise<void>>();
  #stopped = false;

  constructor(answer: Handler, options: ListenOptions) {
    this.#answer = answer;
    this.#settle = options.settle ?? (() => Promise.resolve());
    this.shared = options.shared;
    this.hostname = options.hostname;
    this.#server = this.#serve(options.port, options.tls);
    this.hostname = this.#server.addr.hostname;
    this.port = this.#server.addr.port;
  }

  async renew(tls: CertifiedKey): Promise<void> {
    if (this.#stopped) return;
    const before = this.#server;
    if (canSharePort()) {
      // The new one listens before the old one stops: there is no moment without a listener.
      this.#server = this.#serve(this.port, tls);
      // What has connected to the old one while this one was made is accepted meanwhile.
      await new Promise((resolve) => setTimeout(resolve, TAKE_OVER_MS));
      this.#leave(before);
    } else {
      this.#leave(before);
      this.#server = await this.#serveOnceFree(tls);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const grace = new Promise<void>((resolve) => timer = setTimeout(resolve, GRACE_MS));
    this.#leave(this.#server);
    await Promise.race([Promise.all(this.#leaving), grace]);
    clearTimeout(timer);
  }

  #leave(server: Deno.HttpServer<Deno.NetAddr>): void {
    const left: Promise<void> = this.#settle()
      .then(() => server.shutdown())
      .finally(() => this.#leaving.delete(left));
    this.#leaving.add(left);
  }

  #serve(port: number, tls: CertifiedKey | undefined): Deno.HttpServer<Deno.NetAddr> {
    const { hostname, shared } = this;
    const reusePort = shared || (tls !== undefined && canSharePort());
    return Deno.serve({
      hostname,
      port,
      ...(reusePort ? { reusePort: true } : {}),
      ...(tls === undefined ? {} : { cert: tls.certificate, key: tls.key }),
      onListen() {},
    }, this.#answer);
  }

  async #serveOnceFree(tls: CertifiedKey): Promise<Deno.HttpServer<Deno.NetAddr>> {
    const deadlineMs = performance.now() + FREE_MS_MAX;
    for (;;) {
      try {
        return this.#serve(this.port, tls);
      } catch (reason) {
        if (!(reason instanceof Deno.errors.AddrInUse) || performance.now() > deadlineMs) {
          throw reason;
        }
        await new Promise((resolve) => setTimeout(resolve, FREE_PAUSE_MS));
      }
    }
  }
}
