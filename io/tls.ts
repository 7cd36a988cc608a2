/**
 * TLS between nodes, each of which shows a certificate: the stack itself, and nothing here, looks
 * whether they are good. `node:tls` can ask for the certificate of whoever connects, and believes the
 * given authorities alone, neither of which Deno's own interface does.
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import { isIP, type Socket } from "node:net";
import { setImmediate } from "node:timers";
import { connect, createServer, type Server, type TLSSocket } from "node:tls";
import {
  type CertifiedKey,
  type Connection,
  type Network,
  type NetworkAddress,
  NetworkError,
  type NetworkErrorCode,
  type NetworkListener,
} from "./mod.ts";

/** Bytes that wait for a reader before the other end is told to wait. */
const WAITING_BYTES_MAX = 1024 * 1024;
/** Connections that have not shown a good certificate yet; one more is closed at once. */
const STRANGERS_MAX = 64;
/** A handshake of TLS takes no longer, connecting included. */
const HANDSHAKE_MS_MAX = 2_000;
const VERSION = "TLSv1.3";

/** What this end shows, and whom it believes. */
export interface NetworkKey extends CertifiedKey {
  /** Certificates of authorities, PEM: whoever has one of theirs is let in. */
  readonly authorities: string;
}

/** TCP with TLS 1.3 in both directions. */
export class TlsNetwork implements Network {
  readonly #listeners = new Set<TlsListener>();
  #key: NetworkKey;

  constructor(key: NetworkKey) {
    this.#key = key;
  }

  /** Shows another certificate, and believes other authorities, from the next connection on. */
  renew(key: NetworkKey): void {
    this.#key = key;
    for (const listener of this.#listeners) listener.renew(key);
  }

  connect({ hostname, port }: NetworkAddress): Promise<Connection> {
    const address = nameOf(hostname, port);
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port, ...optionsOf(this.#key) });
      // Nobody else would end a handshake that the other end does not go on with.
      const timer = setTimeout(
        () => socket.destroy(new Error("no handshake in time")),
        HANDSHAKE_MS_MAX,
      );
      const fail = (reason: unknown) => {
        clearTimeout(timer);
        reject(networkError("unreachable", address, reason));
      };
      socket.once("error", fail);
      socket.once("secureConnect", () => {
        clearTimeout(timer);
        socket.off("error", fail);
        resolve(new TlsConnection(socket, address));
      });
    });
  }

  listen(
    { hostname, port }: NetworkAddress,
    shared: boolean,
    accept: (connection: Connection) => void,
  ): Promise<NetworkListener> {
    const server = createServer({
      ...optionsOf(this.#key),
      requestCert: true,
      rejectUnauthorized: true,
    });
    return new Promise((resolve, reject) => {
      const fail = (reason: Error & { code?: string }) => {
        const code = reason.code === "EADDRINUSE" ? "in_use" : "failed";
        reject(networkError(code, nameOf(hostname, port), reason));
      };
      server.once("error", fail);
      server.listen({ host: hostname, port, reusePort: shared }, () => {
        server.off("error", fail);
        const listener = new TlsListener(server, hostname, accept, () => {
          this.#listeners.delete(listener);
        });
        this.#listeners.add(listener);
        resolve(listener);
      });
    });
  }
}

function optionsOf({ certificate, key, authorities }: NetworkKey) {
  return { cert: certificate, key, ca: authorities, minVersion: VERSION } as const;
}

class TlsListener implements NetworkListener {
  readonly port: number;
  readonly #server: Server;
  readonly #onClose: () => void;
  /** Those who have not shown a certificate, by their addresses. */
  readonly #strangers = new Map<string, Socket>();
  #closed: Promise<void> | undefined;

  constructor(
    server: Server,
    readonly hostname: string,
    accept: (connection: Connection) => void,
    onClose: () => void,
  ) {
    this.#server = server;
    this.#onClose = onClose;
    const address = server.address();
    this.port = typeof address === "object" && address !== null ? address.port : 0;
    server.on("connection", (socket: Socket) => this.#meet(socket));
    server.on("secureConnection", (socket: TLSSocket) => {
      const remote = remoteOf(socket);
      this.#strangers.delete(remote);
      if (this.#closed !== undefined) return void socket.destroy();
      accept(new TlsConnection(socket, remote));
    });
    // Of one connection, which is over then.
    server.on("tlsClientError", () => {});
    // Such as for want of file handles: the next connection may fare better.
    server.on("error", () => {});
  }

  renew(key: NetworkKey): void {
    this.#server.setSecureContext(optionsOf(key));
  }

  close(): Promise<void> {
    return this.#closed ??= new Promise((resolve) => {
      this.#onClose();
      for (const socket of this.#strangers.values()) socket.destroy();
      // Its own word would come when the last connection has ended, and these live on. The handle is
      // closed before the event loop comes round.
      this.#server.close();
      setImmediate(resolve);
    });
  }

  /** Whoever connects has little time to show a certificate, and few may do so at once. */
  #meet(socket: Socket): void {
    if (this.#strangers.size >= STRANGERS_MAX) return void socket.destroy();
    const remote = remoteOf(socket);
    this.#strangers.set(remote, socket);
    const timer = setTimeout(() => {
      if (this.#strangers.get(remote) === socket) socket.destroy();
    }, HANDSHAKE_MS_MAX);
    socket.once("close", () => {
      clearTimeout(timer);
      if (this.#strangers.get(remote) === socket) this.#strangers.delete(remote);
    });
  }
}

/** A TLS connection whose other end has shown a good certificate. */
class TlsConnection implements Connection {
  readonly #socket: TLSSocket;
  readonly #certificate: X509Certificate | undefined;
  /** What has come and was not read. */
  readonly #chunks: Uint8Array[] = [];
  #waitingBytes = 0;
  #wake: (() => void) | undefined;
  #failure: Error | undefined;
  #ended = false;
  #closed = false;

  constructor(socket: TLSSocket, readonly remote: string) {
    this.#socket = socket;
    const { raw } = socket.getPeerCertificate() ?? {};
    this.#certificate = raw && new X509Certificate(raw);
    socket.setNoDelay(true);
    socket.on("data", (chunk: Uint8Array) => this.#take(chunk));
    socket.on("end", () => this.#end());
    socket.on("close", () => this.#end());
    socket.on("error", (reason) => {
      this.#failure ??= reason;
      this.#end();
    });
  }

  vouchesFor(hostname: string): boolean {
    const certificate = this.#certificate;
    const found = isIP(hostname) === 0
      ? certificate?.checkHost(hostname)
      : certificate?.checkIP(hostname);
    return found !== undefined;
  }

  async read(into: Uint8Array): Promise<number> {
    while (this.#chunks.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = undefined;
    }
    if (this.#closed) throw this.#broken();
    const chunk = this.#chunks[0];
    if (chunk === undefined) {
      if (this.#failure !== undefined) throw this.#broken();
      return 0;
    }
    const count = Math.min(into.length, chunk.length);
    into.set(chunk.subarray(0, count));
    if (count === chunk.length) this.#chunks.shift();
    else this.#chunks[0] = chunk.subarray(count);
    this.#waitingBytes -= count;
    if (this.#waitingBytes < WAITING_BYTES_MAX / 2 && this.#socket.isPaused()) {
      this.#socket.resume();
    }
    return count;
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed || this.#ended) return reject(this.#broken());
      this.#socket.write(bytes, (reason) => {
        if (reason === null || reason === undefined) return resolve();
        this.#failure ??= reason;
        reject(this.#broken());
      });
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#end();
    this.#socket.destroy();
  }

  #take(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes > WAITING_BYTES_MAX) this.#socket.pause();
    this.#wake?.();
  }

  #end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  #broken(): NetworkError {
    const reason = this.#closed ? "closed on this side" : this.#failure ?? "the connection is over";
    return networkError("broken", this.remote, reason);
  }
}

function remoteOf({ remoteAddress, remotePort }: Socket): string {
  return nameOf(remoteAddress ?? "", remotePort ?? 0);
}

function nameOf(hostname: string, port: number): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

function networkError(code: NetworkErrorCode, address: string, reason: unknown): NetworkError {
  return new NetworkError(code, address, reason instanceof Error ? reason.message : String(reason));
}
