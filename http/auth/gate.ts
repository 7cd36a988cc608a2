import { hash } from "node:crypto";
import type { Clock } from "../../io/mod.ts";
import { WWW_AUTHENTICATE } from "../../protocol/mod.ts";
import type { Eventually } from "../../shard/mod.ts";
import { type Reply, respondError } from "../answer.ts";
import { type AuthFile, parseAuthFile } from "./auth_file.ts";
import type { Credentials } from "./credentials.ts";
import { ADMIN_NEED, allowed, type Decision, type Need } from "./decision.ts";
import { Issuers } from "./issuers.ts";
import { StaticTokens } from "./tokens.ts";

/** What a gate goes by: the texts of the auth file and of the files it names. A structured clone. */
export interface AuthTexts {
  /** The auth file. */
  readonly text: string;
  /** Files of keys, by the path that the auth file names. */
  readonly keyFiles: ReadonlyMap<string, string>;
}

/** Who stands at the gate: somebody known, or nobody, with a bad token or none. */
export type Visitor = Credentials | "no token" | "bad token";

/** Longest token that is looked at. */
const TOKEN_LENGTH_MAX = 8 * 1024;
/** What RFC 6750 lets a token consist of. */
const BEARER = /^[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9\-._~+/]+=*) *$/;
const SIGNED = /^[^.]+\.[^.]+\.[^.]+$/;
/** A signed token is not verified again for so long: a key that is taken back counts until then. */
const VERIFIED_MS = 60_000;
/** Signed tokens that are remembered; with more in use all are verified anew. */
const VERIFIED_MAX = 4_096;

interface Verified {
  readonly credentials: Credentials;
  readonly atMs: number;
}

/** Lets in who shows a token that is good for what they want. */
export class Gate {
  readonly #clock: Clock;
  readonly #log: (line: string) => void;
  #tokens: StaticTokens = new StaticTokens([]);
  #issuers: Issuers;
  /** By the token's hash. */
  #verified = new Map<string, Verified>();

  /** @throws AuthFileError when the text is not right */
  constructor(texts: AuthTexts, clock: Clock, log: (line: string) => void) {
    this.#clock = clock;
    this.#log = log;
    this.#issuers = new Issuers([], new Map(), clock, log);
    this.renew(texts);
  }

  /** Goes by another version of the file from now on. @throws AuthFileError, and keeps to the old one */
  renew({ text, keyFiles }: AuthTexts): void {
    const { tokens, issuers }: AuthFile = parseAuthFile(text);
    this.#tokens = new StaticTokens(tokens);
    this.#issuers = new Issuers(issuers, keyFiles, this.#clock, this.#log);
    this.#verified = new Map();
  }

  /** Who sends a request. Never rejects. */
  identify(headers: Headers): Eventually<Visitor> {
    const header = headers.get("authorization");
    if (header === null) return "no token";
    if (header.length > TOKEN_LENGTH_MAX) return "bad token";
    const token = BEARER.exec(header)?.[1];
    if (token === undefined) return "bad token";
    // As text, since a buffer costs as much again as the hash.
    const sha256 = hash("sha256", token, "binary");
    const found = this.#tokens.find(sha256);
    if (found !== undefined) return this.#unlessExpired(found);
    if (this.#issuers.count === 0 || !SIGNED.test(token)) return "bad token";
    return this.#verify(token, sha256);
  }

  #verify(token: string, sha256: string): Eventually<Visitor> {
    const all = this.#verified;
    const known = all.get(sha256);
    const nowMs = this.#clock.monotonicMs();
    if (known !== undefined && nowMs - known.atMs < VERIFIED_MS) {
      return this.#unlessExpired(known.credentials);
    }
    return this.#issuers.verify(token).then((credentials) => {
      if (credentials === undefined) return "bad token";
      if (all.size >= VERIFIED_MAX) all.clear();
      all.set(sha256, { credentials, atMs: nowMs });
      return this.#unlessExpired(credentials);
    });
  }

  #unlessExpired(credentials: Credentials): Visitor {
    const { expiresAtMs = Infinity } = credentials;
    return this.#clock.wallMs() < expiresAtMs ? credentials : "bad token";
  }
}

/** Why a visitor is not let in; undefined where all needs are met. */
export function refusalOf(visitor: Visitor, needs: readonly Need[]): Reply | undefined {
  const credentials = typeof visitor === "string" ? undefined : visitor;
  for (const need of needs) {
    const decision = allowed(credentials, need);
    if (decision !== "ok") return respondRefused(decision, visitor);
  }
}

/** The answer of RFC 6750 section 3: what was wrong stands in `WWW-Authenticate`. */
function respondRefused(decision: Exclude<Decision, "ok">, visitor: Visitor): Reply {
  if (decision === 403) {
    const challenge = 'Bearer realm="ursula", error="insufficient_scope"';
    return respondError("forbidden", { [WWW_AUTHENTICATE]: challenge });
  }
  const error = visitor === "bad token" ? ', error="invalid_token"' : "";
  return respondError("unauthorized", { [WWW_AUTHENTICATE]: `Bearer realm="ursula"${error}` });
}

/**
 * Why the admin plane turns a request away; undefined lets it in. Every route of it but health needs
 * the scope `admin`, whatever the token's buckets.
 *
 * @param gate undefined lets everybody do everything
 */
export async function adminRefusal(
  gate: Gate | undefined,
  headers: Headers,
): Promise<Reply | undefined> {
  return gate && refusalOf(await gate.identify(headers), [ADMIN_NEED]);
}
