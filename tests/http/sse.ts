/**
 * Reads Server-Sent Events the way the WHATWG specification parses them.
 *
 * @module
 */

/** One event, or one comment line. */
export interface SseEvent {
  /** `data`, `control`, or `comment` for a comment line. */
  readonly event: string;
  /** Data lines joined with newlines; the text of a comment. */
  readonly data: string;
}

/** Control events of the protocol (P§5.8). */
export interface Control {
  readonly streamNextOffset: string;
  readonly streamCursor?: string;
  readonly upToDate?: boolean;
  readonly streamClosed?: boolean;
}

/** Waiting longer than this for an event is an error. */
const EVENT_MS_MAX = 10_000;

/** An open SSE response. */
export class EventReader implements AsyncDisposable {
  readonly response: Response;
  readonly #abort: AbortController;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #decoder = new TextDecoder();
  #buffer = "";
  #event = "";
  #data: string[] = [];

  private constructor(response: Response, abort: AbortController) {
    this.response = response;
    this.#abort = abort;
    this.#reader = response.body?.getReader();
  }

  /** Sends the GET and resolves with the response's head. */
  static async open(url: string, headers: Record<string, string> = {}): Promise<EventReader> {
    const abort = new AbortController();
    const response = await fetch(url, { headers, signal: abort.signal });
    return new EventReader(response, abort);
  }

  /** The next event that is no comment; `undefined` when the server has ended the response. */
  async next(timeoutMs = EVENT_MS_MAX): Promise<SseEvent | undefined> {
    for (;;) {
      const event = await this.nextOrComment(timeoutMs);
      if (event?.event !== "comment") return event;
    }
  }

  /** The next event or comment; `undefined` when the server has ended the response. */
  async nextOrComment(timeoutMs = EVENT_MS_MAX): Promise<SseEvent | undefined> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const found = this.#parse();
      if (found !== undefined) return found;
      const chunk = await this.#read(deadline - performance.now());
      if (chunk === undefined) return undefined;
      this.#buffer += this.#decoder.decode(chunk, { stream: true });
    }
  }

  /** The next event, which must be a control event. */
  async control(timeoutMs = EVENT_MS_MAX): Promise<Control> {
    const event = await this.next(timeoutMs);
    if (event?.event !== "control") {
      throw new Error(`no control event but ${JSON.stringify(event)}`);
    }
    return JSON.parse(event.data);
  }

  /** The payload of the next event, which must be a data event. */
  async data(timeoutMs = EVENT_MS_MAX): Promise<string> {
    const event = await this.next(timeoutMs);
    if (event?.event !== "data") throw new Error(`no data event but ${JSON.stringify(event)}`);
    return event.data;
  }

  /** All events until the server ends the response. */
  async rest(timeoutMs = EVENT_MS_MAX): Promise<SseEvent[]> {
    const events: SseEvent[] = [];
    for (let event = await this.next(timeoutMs); event; event = await this.next(timeoutMs)) {
      events.push(event);
    }
    return events;
  }

  /** Goes away, as a client that closes its tab does. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#reader?.cancel().catch(() => {});
  }

  async #read(timeoutMs: number): Promise<Uint8Array | undefined> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`no event within ${Math.round(timeoutMs)} ms`)),
        Math.max(0, timeoutMs),
      );
    });
    try {
      return (await Promise.race([this.#reader?.read(), timeout]))?.value;
    } finally {
      clearTimeout(timer);
    }
  }

  #parse(): SseEvent | undefined {
    for (;;) {
      const line = /^([^\r\n]*)(\r\n|\n|\r(?!$))/.exec(this.#buffer);
      if (line === null) return undefined;
      this.#buffer = this.#buffer.slice(line[0].length);
      const text = line[1] ?? "";
      if (text.startsWith(":")) return { event: "comment", data: text.slice(1).trim() };
      if (text === "") {
        const event = { event: this.#event || "message", data: this.#data.join("\n") };
        const complete = this.#data.length > 0 || this.#event !== "";
        this.#event = "";
        this.#data = [];
        if (complete) return event;
        continue;
      }
      const colon = text.indexOf(":");
      const field = colon < 0 ? text : text.slice(0, colon);
      const value = colon < 0 ? "" : text.slice(colon + 1).replace(/^ /, "");
      if (field === "event") this.#event = value;
      if (field === "data") this.#data.push(value);
    }
  }
}
