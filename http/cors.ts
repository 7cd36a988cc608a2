import { ALLOWED_REQUEST_HEADERS, EXPOSED_HEADERS } from "../protocol/mod.ts";
import type { HeaderMap } from "./answer.ts";
import type { HttpSettings } from "./context.ts";

const METHODS = "GET, HEAD, PUT, POST, DELETE, OPTIONS";
/** How long a browser may remember a preflight: a day. */
const PREFLIGHT_SECONDS = "86400";
const EXPOSED = EXPOSED_HEADERS.join(", ");
const ALLOWED = ALLOWED_REQUEST_HEADERS.join(", ");

/** Lets pages of other origins in, as far as the configuration says (SPEC section 3, CORS). */
export class Cors {
  readonly #origins: HttpSettings["corsOrigins"];

  constructor(origins: HttpSettings["corsOrigins"]) {
    this.#origins = origins;
  }

  /** Adds to an answer what a page of the request's origin needs to read it. */
  admit(request: Request, headers: HeaderMap, method: string = request.method): void {
    if (this.#origins === "off") return;
    // Nothing keeps the answer to a POST, so it needs the headers only where a page will read it.
    if (method === "POST" && request.headers.get("origin") === null) return;
    const origin = this.#allowed(request);
    if (this.#origins !== "*") {
      headers["vary"] = headers["vary"] ? `${headers["vary"]}, origin` : "origin";
    }
    if (origin === undefined) return;
    headers["access-control-allow-origin"] = origin;
    headers["access-control-expose-headers"] = EXPOSED;
  }

  /** What a preflight is answered beside {@linkcode Cors.admit}'s headers. */
  preflight(): HeaderMap {
    if (this.#origins === "off") return {};
    return {
      "access-control-allow-methods": METHODS,
      "access-control-allow-headers": ALLOWED,
      "access-control-max-age": PREFLIGHT_SECONDS,
    };
  }

  #allowed(request: Request): string | undefined {
    if (this.#origins === "*") return "*";
    const origin = request.headers.get("origin");
    return origin !== null && this.#origins.includes(origin) ? origin : undefined;
  }
}
