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
  #asked: boolean;
  #template: Template | undefined;
  #packed: Promise<SharedBody> | undefined;

  /** @param isForMany it is known to be asked for more than once */
  constructor(bytes: Uint8Array, isForMany = false) {
    this.bytes = bytes;
    this.#asked = isForMany;
  }

  get length(): number {
    return this.bytes.length;
  }

  /**
   * Notes that one more asks for it, and says whether it is for several: who is alone with it is
   * better off with a `Response` of its own.
   */
  ask(): boolean {
    const asked = this.#asked;
    this.#asked = true;
    return asked;
  }

  /** The same bytes packed by `pack`, once for all. */
  packed(pack: (bytes: Uint8Array) => Promise<Uint8Array>): Promise<SharedBody> {
    return this.#packed ??= pack(this.bytes).then((bytes) => new SharedBody(bytes), (reason) => {
      // The next one may fare better.
      this.#packed = undefined;
      throw reason;
    });
  }

  /** An answer with this body. */
  response(status: number, headers: HeaderMap): Response {
    let template = this.#template;
    if (template?.status !== status || !areSame(template.headers, headers)) {
      // Headers that are added later cost less than those that a `Response` is made with.
      const response = new Response(this.bytes as BodyInit, { status });
      for (const name in headers) response.headers.append(name, headers[name] as string);
      this.#template = template = { response, status, headers };
    }
    return template.response.clone();
  }
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
