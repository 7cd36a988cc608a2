import type { Span } from "../io/mod.ts";
import type { Eventually } from "../shard/mod.ts";
import { type Reply, respondError } from "./answer.ts";
import type { Credentials } from "./auth/mod.ts";
import type { Cors } from "./cors.ts";
import { OPERATION } from "./operations.ts";
import { ANSWER_BYTES_MIN, type Outgoing } from "./outgoing.ts";
import { SharedBody } from "./shared_body.ts";
import type { Traffic } from "./traffic.ts";
import type { TurnTime } from "./turn_time.ts";

/** Longer bodies are streamed from where they lie, in pieces: clones would hold all of a copy. */
const SHARED_BYTES_MAX = 256 * 1024;

/** What all exchanges of a plane share. */
export interface Manners {
  readonly cors: Cors;
  readonly time: TurnTime;
  /** Counts what is answered. */
  readonly traffic: Traffic;
  /** What clients have yet to take. */
  readonly outgoing: Outgoing;
  /** Told of what no request should cause. */
  readonly onError: (reason: unknown) => void;
}

/** One request, and the one answer to it. */
export class Exchange {
  readonly request: Request;
  /** Read once: each look at a `Request` is a call into the runtime. */
  readonly method: string;
  /** Of whom it comes from; undefined where nobody is asked. */
  credentials: Credentials | undefined;
  /** What is asked for, as far as that is known: its number, see `operations.ts`. */
  operation: number = OPERATION.other;
  readonly #startMs: number;
  /** Ends with the answer. */
  span: Span | undefined;
  readonly #manners: Manners;
  readonly #resolve: (response: Response) => void;

  constructor(
    manners: Manners,
    request: Request,
    method: string,
    resolve: (response: Response) => void,
  ) {
    this.#startMs = manners.time.turnMs;
    this.request = request;
    this.method = method;
    this.#manners = manners;
    this.#resolve = resolve;
  }

  /** Answers, with the headers that every answer carries. */
  answer(reply: Reply): void {
    const { status, headers } = reply;
    if (this.span !== undefined) endSpan(this.span, reply);
    headers["x-content-type-options"] = "nosniff";
    headers["cross-origin-resource-policy"] = "cross-origin";
    const { cors, time, traffic } = this.#manners;
    cors.admit(this.request, headers, this.method);
    // A turn answers many appends; what else there is may take long within its one turn.
    const endMs = this.operation === OPERATION.append ? time.turnMs : time.nowMs;
    traffic.record(this.operation, status, endMs - this.#startMs);
    this.#resolve(responseOf(reply, this.method, this.#manners.outgoing));
  }

  /** Answers with a reply that may be yet to come. */
  answerWith(reply: Eventually<Reply>): void {
    if (!(reply instanceof Promise)) return this.answer(reply);
    reply.then((value) => this.answer(value), (reason) => this.fail(reason));
  }

  /** Answers that the server could not, and says why to whoever looks after it. */
  fail(reason: unknown): void {
    this.#manners.onError(reason);
    this.answer(respondError("internal"));
  }
}

function endSpan(span: Span, { status, body }: Reply): void {
  const facts: Record<string, number> = { "http.response.status_code": status };
  if (body instanceof Uint8Array || body instanceof SharedBody) {
    facts["ursula.answer.bytes"] = body.length;
  }
  span.end(facts, status >= 500);
}

function responseOf(
  { status, headers, body }: Reply,
  method: string,
  outgoing: Outgoing,
): Response {
  if (method === "HEAD") return new Response(null, { status, headers });
  const isShared = body instanceof SharedBody;
  if (isShared && body.length <= SHARED_BYTES_MAX && body.ask()) {
    return body.response(status, headers);
  }
  const bytes = isShared ? body.bytes : body;
  if (!(bytes instanceof Uint8Array) || bytes.length <= ANSWER_BYTES_MIN) {
    return new Response(bytes as BodyInit | null, { status, headers });
  }
  // From where they lie: a `Response` would copy them first.
  headers["content-length"] = String(bytes.length);
  return new Response(outgoing.body(bytes) as BodyInit, { status, headers });
}
