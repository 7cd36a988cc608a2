import type { Handler } from "./handler.ts";

/** Where a plane is listened for. */
export interface ListenOptions {
  readonly hostname: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Other shards listen on the same port (`reusePort`). */
  readonly shared: boolean;
}

/** A plane that is listened for. */
export interface Listener {
  readonly hostname: string;
  readonly port: number;
  /** Other shards may listen on it, too. */
  readonly shared: boolean;
  /** Takes no new connections; resolves when the requests under way are answered. */
  stop(): Promise<void>;
}

/** How long requests under way may take to finish once a listener stops. */
const GRACE_MS = 5_000;

/**
 * Whether several shards may listen on one port: it takes `--unstable-net`, without which asking for
 * it ends the process where nobody can catch it.
 */
export function canSharePort(): boolean {
  return "listenDatagram" in Deno;
}

/** Listens, and has the requests answered. @throws when the address is in use or not there */
export function listen(answer: Handler, options: ListenOptions): Listener {
  const { hostname, port, shared } = options;
  const server = Deno.serve({
    hostname,
    port,
    ...(shared ? { reusePort: true } : {}),
    onListen() {},
  }, answer);
  return {
    hostname: server.addr.hostname,
    port: server.addr.port,
    shared,
    async stop() {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const grace = new Promise<void>((resolve) => timer = setTimeout(resolve, GRACE_MS));
      await Promise.race([server.shutdown(), grace]);
      clearTimeout(timer);
    },
  };
}
