/**
 * SHA-256 as the S3 client asks for it, without holding up the event loop: a request is signed with
 * the hash of its body, which for a large one takes milliseconds.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";

/** Larger ones are hashed on another thread. */
const INLINE_BYTES_MAX = 64 << 10;

type SourceData = string | ArrayBuffer | ArrayBufferView;

/** A hash, or with a secret an HMAC; what the client calls a constructor of checksums. */
export class Sha256 {
  #inline: Hash | Hmac;
  #isEmpty = true;
  /** The only piece so far, a large one. */
  #large: Uint8Array<ArrayBuffer> | undefined = undefined;

  constructor(readonly secret?: SourceData) {
    this.#inline = this.#begun();
  }

  /** Takes more bytes; they must not change before the digest is there. */
  update(data: Uint8Array): void {
    if (this.#large !== undefined) this.#inline.update(this.#large);
    this.#large = undefined;
    if (this.#isEmpty && this.secret === undefined && data.length > INLINE_BYTES_MAX) {
      // What the client hands over is never shared memory.
      this.#large = data as Uint8Array<ArrayBuffer>;
    } else this.#inline.update(data);
    this.#isEmpty = false;
  }

  /** The hash of everything. */
  async digest(): Promise<Uint8Array> {
    if (this.#large === undefined) return new Uint8Array(this.#inline.digest());
    return new Uint8Array(await crypto.subtle.digest("SHA-256", this.#large));
  }

  /** Begins anew. */
  reset(): void {
    this.#inline = this.#begun();
    this.#isEmpty = true;
    this.#large = undefined;
  }

  #begun(): Hash | Hmac {
    return this.secret === undefined
      ? createHash("sha256")
      : createHmac("sha256", bytesOf(this.secret));
  }
}

function bytesOf(data: SourceData): Uint8Array {
  if (typeof data === "string") return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
