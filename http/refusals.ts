import { CONTENT_TYPE, ERRORS, renderError, RETRY_AFTER } from "../protocol/mod.ts";
import type { Admission } from "../shard/mod.ts";
import { RETRY_AFTER_SECONDS } from "./answer.ts";
import type { HttpSettings } from "./context.ts";

/**
 * Turns writes away that an overloaded shard has no room for. At twice the load every second write
 * meets this, so nothing of it is looked at but its method, and the answer is a copy of one that is
 * there: a third of what an append takes, where any other answer takes half. It has the headers
 * alone that a client acts on; each more would be 4 % of it, and P§10.7 asks for its two where
 * browsers are served what others wrote.
 */
export class Refusals {
  readonly #admission: Admission;
  readonly #answer: Response;

  constructor(admission: Admission, corsOrigins: HttpSettings["corsOrigins"]) {
    this.#admission = admission;
    const { status } = ERRORS.overloaded;
    const headers = {
      [CONTENT_TYPE]: "application/json",
      [RETRY_AFTER]: RETRY_AFTER_SECONDS,
      ...(corsOrigins === "*" ? { "access-control-allow-origin": "*" } : {}),
    };
    this.#answer = new Response(renderError("overloaded"), { status, headers });
  }

  /** The answer to a write that there is no room for; undefined for all else. */
  of(method: string): Response | undefined {
    const admission = this.#admission;
    if (!admission.full || (method !== "POST" && method !== "PUT")) return undefined;
    return admission.admits() ? undefined : this.#answer.clone();
  }
}
