/**
 * A plain HTTP client for black-box tests: every body is read whole, nothing is retried.
 *
 * @module
 */

import { serverFixture, type ServerOptions, type ServerProcess } from "../server.ts";

/** What a request may carry besides method and path. */
export interface RequestParts {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: BodyInit;
  readonly redirect?: RequestRedirect;
}

/** A response whose body has been read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  /** The body as UTF-8. */
  readonly text: string;
}

/** Requests that have no answer after this long are an error of their own, not a hung test run. */
export const ANSWER_MS_MAX = 15_000;

/** Sends one request and reads the whole response. */
export async function send(url: string, method: string, parts: RequestParts = {}): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: parts.headers,
    body: parts.body,
    redirect: parts.redirect ?? "manual",
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  });
  const bytes = await response.bytes();
  return {
    status: response.status,
    headers: response.headers,
    bytes,
    text: new TextDecoder().decode(bytes),
  };
}

/** A server for the tests of one file, and requests to it by path. */
export class Api {
  readonly #server: () => ServerProcess;

  /** Use {@linkcode serve}. */
  constructor(server: () => ServerProcess) {
    this.#server = server;
  }

  /** The process that answers. */
  get server(): ServerProcess {
    return this.#server();
  }

  /** Base URL, without a slash at the end. */
  get url(): string {
    return this.server.url;
  }

  /** Any request. `path` begins with a slash. */
  send(method: string, path: string, parts?: RequestParts): Promise<Answer> {
    return send(this.url + path, method, parts);
  }

  /** GET. */
  get(path: string, headers?: Record<string, string>): Promise<Answer> {
    return this.send("GET", path, { headers });
  }

  /** HEAD. */
  head(path: string, headers?: Record<string, string>): Promise<Answer> {
    return this.send("HEAD", path, { headers });
  }

  /** DELETE. */
  delete(path: string, headers?: Record<string, string>): Promise<Answer> {
    return this.send("DELETE", path, { headers });
  }

  /** PUT of a stream. */
  put(
    path: string,
    contentType: string | undefined,
    body?: BodyInit,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    return this.send("PUT", path, { body, headers: typed(contentType, headers) });
  }

  /** POST to a stream. */
  post(
    path: string,
    contentType: string | undefined,
    body?: BodyInit,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    return this.send("POST", path, { body, headers: typed(contentType, headers) });
  }

  /** PUT that must make a new stream; answers its path, `/v1/stream/…`. */
  async create(
    contentType: string,
    body?: BodyInit,
    headers?: Record<string, string>,
  ): Promise<string> {
    const path = fresh();
    const answer = await this.put(path, contentType, body, headers);
    if (answer.status !== 201) throw new Error(`PUT ${path}: ${answer.status} ${answer.text}`);
    return path;
  }

  /** POST that must be accepted; answers the new tail. */
  async append(
    path: string,
    contentType: string,
    body: BodyInit,
    headers?: Record<string, string>,
  ): Promise<string> {
    const answer = await this.post(path, contentType, body, headers);
    if (answer.status !== 204 && answer.status !== 200) {
      throw new Error(`POST ${path}: ${answer.status} ${answer.text}`);
    }
    return answer.headers.get("stream-next-offset") ?? "";
  }
}

/** One server for all tests of the file that calls this. */
export function serve(options: ServerOptions = { memory: true }): Api {
  return new Api(serverFixture(options));
}

let made = 0;

/** A path in flat form that no other test of this file uses. */
export function fresh(): string {
  return `/v1/stream/tests/stream-${++made}`;
}

/** A valid bucket id that no other test of this file uses. */
export function freshBucket(): string {
  return `bucket-${++made}`;
}

/** Offset `position` as the server writes it: 20 digits. */
export function offset(position: number): string {
  return String(position).padStart(20, "0");
}

function typed(
  contentType: string | undefined,
  headers: Record<string, string>,
): Record<string, string> {
  return contentType === undefined ? headers : { "content-type": contentType, ...headers };
}
