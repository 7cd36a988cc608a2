import type { HeaderMap } from "./answer.ts";

/** An answer to make more of, and what it says. */
interface Template {
  readonly response: Response;
  readonly status: number;
  readonly headers: HeaderMap;
}

/**
 * A body that many get, mostly under the same headers. Deno copies the bytes of every `Response` that
 * is made, looks through its headers and registers it with the collector; clones of one share its
 * bytes and what was looked at.
 */
export class SharedBody {
  readonly bytes: Uint8Array;
  #asked = false;
  #template: Template | undefined;
  #packed: Promise<SharedBody> | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get length(): number {
    return this.bytes.length;
  }

  /** Was it asked for before? Who is alone with it is better off with a `Response` of its own. */
  get isAsked(): boolean {
    const asked = this.#asked;
    this.#asked = true;
    return asked;
  }

  /** The same bytes packed by `pack`, once for all. */
  packed(pack: (bytes: Uint8Array) => Promise<Uint8Array>): Promise<SharedBody> {
    return this.#packed ??= pack(this.bytes).then((bytes) => new SharedBody(bytes));
  }

  /** An answer with this body: `headers` are those of others, too, `own` nobody else's. */
  response(status: number, headers: HeaderMap, own: HeaderMap | undefined): Response {
    let template = this.#template;
    if (template?.status !== status || !areSame(template.headers, headers)) {
      const response = new Response(this.bytes as BodyInit, { status });
      addAll(response, headers);
      this.#template = template = { response, status, headers };
    }
    const response = template.response.clone();
    if (own !== undefined) addAll(response, own);
    return response;
  }
}

function addAll({ headers }: Response, more: HeaderMap): void {
  for (const name in more) headers.append(name, more[name] as string);
}

function areSame(one: HeaderMap, other: HeaderMap): boolean {
  let left = 0;
  for (const name in one) {
    if (one[name] !== other[name]) return false;
    left++;
  }
  for (const _ in other) left--;
  return left === 0;
}
