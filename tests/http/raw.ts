/**
 * HTTP/1.1 by hand over TCP, for what `fetch` normalizes, refuses to send or hides: dot segments,
 * header limits, broken chunks, bodies that never end, compressed bytes.
 *
 * @module
 */

/** A response as it came. */
export interface RawAnswer {
  readonly status: number;
  /** Names in lower case; of a repeated header the last. */
  readonly headers: Map<string, string>;
  /** Body without chunk framing. */
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** What is known of an answer before it comes. */
export interface Expected {
  /** It answers a HEAD, and has no body whatever its headers say. */
  readonly head?: boolean;
  /** Server-Sent Events may go on for ever: do not read them. */
  readonly skipEvents?: boolean;
}

/** How long a raw exchange may take. */
const EXCHANGE_MS_MAX = 15_000;

/** A TCP connection to the server. */
export class RawConnection implements Disposable {
  readonly #conn: Deno.TcpConn;
  #buffer = new Uint8Array(0);
  #closed = false;

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  /** Connects. */
  static async open(address: { hostname: string; port: number }): Promise<RawConnection> {
    const conn = await Deno.connect(address);
    conn.setNoDelay(true);
    return new RawConnection(conn);
  }

  /** Sends bytes as they are; resolves when the kernel took them all. */
  async write(data: string | Uint8Array): Promise<void> {
    let bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    while (bytes.length > 0) bytes = bytes.subarray(await this.#conn.write(bytes));
  }

  /** Says that nothing more comes, as half-closed connections do. */
  async closeWrite(): Promise<void> {
    await this.#conn.closeWrite();
  }

  /**
   * Reads one response; `undefined` when the connection ends before one is whole.
   *
   * @throws when it takes longer than `timeoutMs`
   */
  async answer(
    timeoutMs = EXCHANGE_MS_MAX,
    expected: Expected = {},
  ): Promise<RawAnswer | undefined> {
    const timer = setTimeout(() => this[Symbol.dispose](), timeoutMs);
    try {
      return await this.#answer(expected);
    } finally {
      const late = this.#closed;
      clearTimeout(timer);
      // deno-lint-ignore no-unsafe-finally -- a hang must not look like an answer
      if (late) throw new Error(`no answer within ${timeoutMs} ms`);
    }
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
  }

  async #answer(expected: Expected): Promise<RawAnswer | undefined> {
    let end = -1;
    while ((end = indexOf(this.#buffer, HEAD_END)) < 0) {
      if (!(await this.#fill())) return undefined;
    }
    const head = new TextDecoder().decode(this.#take(end));
    this.#take(HEAD_END.length);
    const [statusLine = "", ...lines] = head.split("\r\n");
    const status = Number(statusLine.split(" ")[1]);
    const headers = new Map<string, string>();
    for (const line of lines) {
      const colon = line.indexOf(":");
      headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
    }
    if (status === 100) return await this.#answer(expected);
    let bytes: Uint8Array | undefined = new Uint8Array(0);
    const events = headers.get("content-type")?.startsWith("text/event-stream") === true;
    const skip = expected.head === true || (expected.skipEvents === true && events);
    if (!skip && status !== 204 && status !== 304) {
      if (headers.get("transfer-encoding") === "chunked") bytes = await this.#chunks();
      else if (headers.has("content-length")) {
        bytes = await this.#exactly(Number(headers.get("content-length")));
      } else {
        while (await this.#fill());
        bytes = this.#take(this.#buffer.length);
      }
    }
    if (bytes === undefined) return undefined;
    return { status, headers, bytes, text: new TextDecoder().decode(bytes) };
  }

  async #chunks(): Promise<Uint8Array | undefined> {
    const parts: Uint8Array[] = [];
    for (;;) {
      let end = -1;
      while ((end = indexOf(this.#buffer, LINE_END)) < 0) {
        if (!(await this.#fill())) return undefined;
      }
      const size = parseInt(new TextDecoder().decode(this.#take(end)), 16);
      this.#take(LINE_END.length);
      const part = await this.#exactly(size + LINE_END.length);
      if (part === undefined) return undefined;
      if (size === 0) return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
      parts.push(part.slice(0, size));
    }
  }

  async #exactly(length: number): Promise<Uint8Array | undefined> {
    while (this.#buffer.length < length) {
      if (!(await this.#fill())) return undefined;
    }
    return this.#take(length);
  }

  #take(length: number): Uint8Array {
    const taken = this.#buffer.slice(0, length);
    this.#buffer = this.#buffer.slice(length);
    return taken;
  }

  async #fill(): Promise<boolean> {
    const chunk = new Uint8Array(65536);
    let count: number | null;
    try {
      count = await this.#conn.read(chunk);
    } catch {
      count = null; // reset by the server, or closed by the timer
    }
    if (count === null) return false;
    const joined = new Uint8Array(this.#buffer.length + count);
    joined.set(this.#buffer);
    joined.set(chunk.subarray(0, count), this.#buffer.length);
    this.#buffer = joined;
    return true;
  }
}

/** Sends one request on a connection of its own and reads the response. */
export async function exchange(
  address: { hostname: string; port: number },
  request: string | Uint8Array,
): Promise<RawAnswer | undefined> {
  using connection = await RawConnection.open(address);
  await connection.write(request);
  const head = typeof request === "string" && request.startsWith("HEAD ");
  return await connection.answer(EXCHANGE_MS_MAX, { head });
}

/** A request without a body, its target as given. */
export function request(
  method: string,
  target: string,
  headers: Readonly<Record<string, string>> = {},
  body = "",
): string {
  const length = body === ""
    ? {}
    : { "content-length": String(new TextEncoder().encode(body).length) };
  const lines = Object.entries({ host: "test", ...length, ...headers })
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n${body}`;
}

const HEAD_END = new TextEncoder().encode("\r\n\r\n");
const LINE_END = new TextEncoder().encode("\r\n");

function indexOf(haystack: Uint8Array, needle: Uint8Array): number {
  for (let at = 0; at + needle.length <= haystack.length; at++) {
    let same = 0;
    while (same < needle.length && haystack[at + same] === needle[same]) same++;
    if (same === needle.length) return at;
  }
  return -1;
}
