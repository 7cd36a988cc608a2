import {
  type AdminError,
  flatPath,
  PRODUCER_EPOCH,
  STREAM_EARLIEST_OFFSET,
} from "../protocol/mod.ts";
import { CallError, reasonOf } from "./client.ts";
import { UsageError } from "./failure.ts";
import { pause } from "./machine.ts";

/** How long a long-poll may wait for something to come. */
export const LONG_POLL_MS = 20_000;
/** How long an answer may take to begin, and each piece of it to come. */
export const ANSWER_MS_MAX = 30_000;
/** How long no node may give an answer that counts. */
const PATIENCE_MS = 30_000;
const PAUSE_MS = 50;
const PAUSE_MS_MAX = 1_000;

/** A request of the data plane. */
export interface StreamRequest {
  readonly method?: "GET" | "HEAD" | "PUT" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  /** Ends it, and the reading of what it answers. */
  readonly signal?: AbortSignal;
  /** Without an answer nobody knows what became of it, and it must not be sent again. */
  readonly once?: boolean;
  /** How long to go on without an answer, in ms. */
  readonly patienceMs?: number;
  /** Told each time that it has to be sent again. */
  readonly onTrouble?: (why: string) => void;
}

/**
 * The data plane, through whichever node answers. What is sent here may be sent twice (reads,
 * creates, appends with a producer), so there is one rule: without an answer, or with 503, the next
 * node is asked, for half a minute.
 */
export class Streams {
  readonly #urls: readonly string[];
  readonly #token: string | undefined;
  #at = 0;

  constructor(urls: readonly string[], token: string | undefined) {
    this.#urls = urls;
    this.#token = token;
  }

  /**
   * Sends a request until it is answered, and answers what is below 400.
   *
   * @throws {CallError} with what else was answered, or that nothing was
   */
  async send(path: string, request: StreamRequest = {}): Promise<Response> {
    const { signal, patienceMs = PATIENCE_MS } = request;
    const deadlineMs = performance.now() + patienceMs;
    for (let attempt = 0;; attempt++) {
      const found = await this.#try(path, request);
      signal?.throwIfAborted();
      if (found instanceof Response) return found;
      const mayRepeat = found.status === 503 || (found.status === 0 && request.once !== true);
      if (!mayRepeat || performance.now() > deadlineMs) throw found;
      request.onTrouble?.(found.message);
      this.#at = (this.#at + 1) % this.#urls.length;
      const round = Math.floor(attempt / this.#urls.length);
      await pause(Math.min(PAUSE_MS * 2 ** round, PAUSE_MS_MAX), signal);
    }
  }

  /** {@linkcode send} where only the headers of the answer matter. */
  async tell(path: string, request: StreamRequest): Promise<Headers> {
    const response = await this.send(path, request);
    await response.body?.cancel();
    return response.headers;
  }

  async #try(path: string, request: StreamRequest): Promise<Response | CallError> {
    const { method = "GET", body, signal } = request;
    const url = this.#urls[this.#at] ?? "";
    const headers: Record<string, string> = { ...request.headers };
    if (this.#token !== undefined) headers.authorization = `Bearer ${this.#token}`;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), ANSWER_MS_MAX);
    try {
      const either = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]);
      const response = await fetch(url + path, { method, headers, body, signal: either });
      if (response.status < 400) return response;
      return refusal(response, await response.text());
    } catch (error) {
      return new CallError(`${url}: ${late.signal.aborted ? "no answer" : reasonOf(error)}`, 0);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** What the node said, where it said something: to HEAD it does not. */
function refusal({ status, headers }: Response, text: string): CallError {
  const epoch = Number(headers.get(PRODUCER_EPOCH) ?? NaN);
  const earliest = headers.get(STREAM_EARLIEST_OFFSET);
  try {
    const { code, message } = (JSON.parse(text) as AdminError).error;
    const first = code === "offset_trimmed" && earliest !== null ? `: ${earliest}` : "";
    return new CallError(message + first, status, { code, epoch });
  } catch {
    return status === 404
      ? new CallError("there is no such stream", status, { code: "stream_not_found" })
      : new CallError(`answered ${status}`, status);
  }
}

/** A stream as it is named on the command line: `/{bucket}/{stream}`, in plain letters. */
export interface StreamName {
  readonly bucket: string;
  readonly stream: string;
  /** Path of the client plane. */
  readonly path: string;
}

/** @throws {UsageError} when it names no stream */
export function parseStreamName(text: string): StreamName {
  const key = text.replace(/^\//, "");
  const slash = key.indexOf("/");
  if (slash < 1 || slash === key.length - 1) {
    throw new UsageError(`expected a stream such as /demo/hello, got ${JSON.stringify(text)}`);
  }
  return { bucket: key.slice(0, slash), stream: key.slice(slash + 1), path: flatPath(key) };
}
