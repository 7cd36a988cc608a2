import type { Clock } from "../io/mod.ts";
import type { LogFields } from "../node/log.ts";
import type { Reply } from "./answer.ts";
import { Exchange, type Manners } from "./exchange.ts";

/** Takes what is to be said of a request that was answered. */
export type TellRequest = (fields: LogFields) => void;

/** What an exchange that is logged needs beside the others. */
export interface RequestLog {
  readonly clock: Clock;
  readonly tell: TellRequest;
}

/** Where a request came from, as `Deno.serve` says it. */
export interface Arrival {
  readonly remoteAddr?: { readonly hostname?: string; readonly port?: number };
}

const SCHEME_LENGTH = "http://".length;

/**
 * An exchange that is logged once all of its answer was handed over. Queries are left out, as they
 * may hold what is nobody's business, and so are headers and bodies.
 */
export class LoggedExchange extends Exchange {
  readonly #log: RequestLog;
  readonly #remote: string | undefined;
  readonly #beganMs: number;

  constructor(
    manners: Manners,
    request: Request,
    method: string,
    resolve: (response: Response) => void,
    log: RequestLog,
    arrival: Arrival | undefined,
  ) {
    super(manners, request, method, resolve);
    this.#log = log;
    const { hostname, port } = arrival?.remoteAddr ?? {};
    this.#remote = hostname && `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
    this.#beganMs = log.clock.monotonicMs();
  }

  override answer(reply: Reply): void {
    const { status, body } = reply;
    if (!(body instanceof ReadableStream)) {
      const length = typeof body === "string" ? body.length : body?.length ?? 0;
      super.answer(reply);
      return this.#tell(status, this.method === "HEAD" ? 0 : length);
    }
    let length = 0;
    const counted = new TransformStream<Uint8Array, Uint8Array>({
      transform(piece, controller) {
        length += piece.length;
        controller.enqueue(piece);
      },
    });
    // However it ends, by itself or by a client that leaves, the other end has heard of it then.
    const over = () => this.#tell(status, length);
    body.pipeTo(counted.writable).then(over, over);
    super.answer({ ...reply, body: counted.readable });
  }

  #tell(status: number, bytesOut: number): void {
    const { clock, tell } = this.#log;
    const { url, headers } = this.request;
    const bytesIn = Number(headers.get("content-length") ?? NaN);
    tell({
      method: this.method,
      path: pathOf(url),
      status,
      ms: Math.round((clock.monotonicMs() - this.#beganMs) * 1000) / 1000,
      ...(Number.isNaN(bytesIn) ? {} : { bytes_in: bytesIn }),
      bytes_out: bytesOut,
      ...(this.#remote === undefined ? {} : { remote: this.#remote }),
    });
  }
}

function pathOf(url: string): string {
  const start = url.indexOf("/", SCHEME_LENGTH + 1);
  const end = url.indexOf("?", start);
  return url.slice(start, end < 0 ? url.length : end);
}
