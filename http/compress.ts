import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { ETAG } from "../protocol/mod.ts";
import type { Eventually } from "../shard/mod.ts";
import type { HeaderMap } from "./answer.ts";
import { SharedBody } from "./shared_body.ts";

/** Shorter answers are sent as they are (SPEC section 3). */
const COMPRESSED_BYTES_MIN = 1024;
/** Content types that compression is worth its time for. */
const COMPRESSIBLE =
  /^\s*(text\/|application\/([a-z0-9.+-]+\+)?(json|xml|x-ndjson|ndjson|javascript))/i;

const gzipped = promisify<Uint8Array, { level: number }, Uint8Array>(gzip);

/**
 * The body to send to a client that may take gzip, and what the headers must say of it. Off the
 * event loop. A compressed answer's tag becomes a weak one: other bytes, the same meaning.
 */
export function compressed(
  request: Request,
  contentType: string,
  headers: HeaderMap,
  body: Uint8Array | SharedBody,
): Eventually<Uint8Array | SharedBody> {
  if (!mayCompress(contentType, body.length)) return body;
  headers["vary"] = "accept-encoding";
  if (!acceptsGzip(request.headers.get("accept-encoding"))) return body;
  headers["content-encoding"] = "gzip";
  const etag = headers[ETAG];
  if (etag !== undefined) headers[ETAG] = `W/${etag}`;
  return body instanceof SharedBody ? body.packed(pack) : pack(body);
}

function pack(bytes: Uint8Array): Promise<Uint8Array> {
  return gzipped(bytes, { level: constants.Z_BEST_SPEED });
}

/** Whether such an answer may come compressed, and so varies with what the client accepts. */
export function mayCompress(contentType: string, bytes: number): boolean {
  return bytes >= COMPRESSED_BYTES_MIN && COMPRESSIBLE.test(contentType);
}

/** RFC 9110 section 12.5.3, as far as gzip is concerned. */
function acceptsGzip(acceptEncoding: string | null): boolean {
  if (acceptEncoding === null) return false;
  return acceptEncoding.split(",").some((part) => {
    const [coding = "", ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
    if (coding !== "gzip" && coding !== "x-gzip") return false;
    return !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
