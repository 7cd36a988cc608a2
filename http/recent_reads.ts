import { SharedBody } from "./shared_body.ts";

/** Smaller answers are quicker made than found. */
const KEPT_BYTES_MIN = 16 * 1024;
/** Bytes that are kept for all streams together. */
const KEPT_BYTES_MAX = 16 * 1024 * 1024;

/**
 * The bodies of large catch-up reads of late. Many who come at once, to the same session or document,
 * read the same stretch of it; what lies at an offset of an incarnation never changes, so that a
 * stretch's name is all that must match.
 */
export class RecentReads {
  readonly #bodies = new Map<string, SharedBody>();
  #bytes = 0;

  /** The body of that name, made by `make` where it is not at hand. */
  body(name: string, make: () => Uint8Array): Uint8Array | SharedBody {
    const kept = this.#bodies.get(name);
    if (kept !== undefined) return kept;
    const bytes = make();
    if (bytes.length < KEPT_BYTES_MIN || bytes.length > KEPT_BYTES_MAX) return bytes;
    const body = new SharedBody(bytes);
    this.#bodies.set(name, body);
    this.#bytes += body.length;
    for (const [oldest, { length }] of this.#bodies) {
      if (this.#bytes <= KEPT_BYTES_MAX) break;
      this.#bodies.delete(oldest);
      this.#bytes -= length;
    }
    return body;
  }
}
