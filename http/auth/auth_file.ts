/**
 * The auth file (`--auth-file`): who may do what. `docs/security.md` explains it to people.
 *
 * @module
 */

import { duration } from "../../node/config/kinds.ts";
import { parseJsonc } from "../../node/config/jsonc.ts";
import { type Scope, SCOPES } from "./credentials.ts";
import { AuthFileError, Fields, listOf, textUpTo } from "./fields.ts";

/** A larger auth file, or file of keys, is taken for a mistake. */
export const AUTH_FILE_BYTES_MAX = 1024 * 1024;
/** Every request is compared with all of them. */
const TOKENS_MAX = 1024;
const ISSUERS_MAX = 64;
const PATTERNS_MAX = 256;
const NAME_LENGTH_MAX = 128;
const BUCKET_LENGTH_MAX = 1024;
const URL_LENGTH_MAX = 2048;

/** What an issuer's tokens may be signed with. Those with a shared secret are none of them. */
const ALGORITHMS = [
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
];
const DEFAULT_ALGORITHMS = ["ES256", "EdDSA", "RS256"];
const DEFAULT_TOLERANCE_MS = 30_000;
const tolerance = duration(0, 600_000);

/** What whoever shows the token may do. */
export interface Rights {
  /** For logs. */
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
  /** Patterns of buckets. */
  readonly buckets: readonly string[];
}

/** A token that is known by its hash. */
export interface TokenEntry extends Rights {
  /** 32 bytes. */
  readonly sha256: Uint8Array;
  readonly expiresAtMs: number | undefined;
}

/** Where an issuer's keys are. */
export type KeyPlace = { readonly file: string } | { readonly url: string };

/** Who signs tokens, and what they are good for at most. */
export interface IssuerEntry extends Rights {
  readonly issuer: string;
  /** A token must name one of them. */
  readonly audience: readonly string[];
  readonly algorithms: readonly string[];
  readonly keys: KeyPlace;
  /** By how much the issuer's clock may be off. */
  readonly toleranceMs: number;
  /** The claim that says which of the scopes a token has; undefined gives it all of them. */
  readonly scopesClaim: string | undefined;
  /** The claim that says which of the buckets; undefined gives it all of them. */
  readonly bucketsClaim: string | undefined;
}

/** All that the file says. */
export interface AuthFile {
  readonly tokens: readonly TokenEntry[];
  readonly issuers: readonly IssuerEntry[];
}

/** @throws AuthFileError that names line or field, and repeats nothing that may be secret */
export function parseAuthFile(text: string): AuthFile {
  const top = new Fields("", parseText(text), ["tokens", "issuers"]);
  const tokens = top.objects("tokens", TOKENS_MAX, readToken);
  const issuers = top.objects("issuers", ISSUERS_MAX, readIssuer);
  for (const [at, { sha256 }] of tokens.entries()) {
    const before = tokens.findIndex((token) => sameBytes(token.sha256, sha256));
    if (before !== at) {
      throw new AuthFileError(`tokens[${at}].sha256: the same token as tokens[${before}]`);
    }
  }
  for (const [at, { issuer }] of issuers.entries()) {
    const before = issuers.findIndex((one) => one.issuer === issuer);
    if (before !== at) {
      throw new AuthFileError(`issuers[${at}].issuer: the same as that of issuers[${before}]`);
    }
  }
  return { tokens, issuers };
}

/** JSON with comments. The parser's own words quote what it reads: only the place is repeated. */
export function parseText(text: string): unknown {
  try {
    return parseJsonc(text);
  } catch (error) {
    const said = error instanceof Error ? error.message : "";
    const place = /line \d+ column \d+/.exec(said)?.[0];
    throw new AuthFileError(`not valid JSON${place === undefined ? "" : `, at ${place}`}`);
  }
}

function readToken(where: string, value: unknown): TokenEntry {
  const fields = new Fields(where, value, ["name", "sha256", "scopes", "buckets", "expires_at"]);
  const sha256 = fields.needed(
    "sha256",
    "64 hexadecimal digits, the SHA-256 of the token (printf %s TOKEN | sha256sum)",
    (raw) => typeof raw === "string" && /^[0-9a-fA-F]{64}$/.test(raw) ? raw : undefined,
  );
  const expiresAtMs = fields.optional(
    "expires_at",
    "an RFC 3339 time such as 2030-01-31T12:00:00Z",
    readTime,
  );
  const bytes = Uint8Array.from({ length: 32 }, (_, at) => parseInt(sha256.substr(2 * at, 2), 16));
  return { ...readRights(fields), sha256: bytes, expiresAtMs };
}

function readIssuer(where: string, value: unknown): IssuerEntry {
  const fields = new Fields(where, value, [
    "name",
    "issuer",
    "audience",
    "algorithms",
    "jwks_file",
    "jwks_url",
    "clock_tolerance",
    "scopes",
    "buckets",
    "scopes_claim",
    "buckets_claim",
  ]);
  const anyText = textUpTo(URL_LENGTH_MAX);
  const claim = textUpTo(NAME_LENGTH_MAX);
  const algorithm = (raw: unknown) => ALGORITHMS.find((known) => known === raw);
  const algorithms = fields.optional(
    "algorithms",
    `a list out of ${ALGORITHMS.join(", ")}`,
    nonEmpty(listOf(ALGORITHMS.length, algorithm)),
  );
  return {
    ...readRights(fields),
    issuer: fields.needed("issuer", "what the tokens' iss says", anyText),
    audience: fields.needed(
      "audience",
      "what the tokens' aud says, or a list of what it may say",
      (raw) => typeof raw === "string" ? listed(anyText(raw)) : nonEmpty(listOf(64, anyText))(raw),
    ),
    algorithms: algorithms ?? DEFAULT_ALGORITHMS,
    keys: readKeyPlace(fields),
    toleranceMs:
      fields.optional("clock_tolerance", tolerance.expected, (raw) => tolerance.read(raw)) ??
        DEFAULT_TOLERANCE_MS,
    scopesClaim: fields.optional("scopes_claim", "the name of a claim", claim),
    bucketsClaim: fields.optional("buckets_claim", "the name of a claim", claim),
  };
}

function readRights(fields: Fields): Rights {
  const scope = (raw: unknown) => SCOPES.find((known) => known === raw);
  const scopes = fields.needed(
    "scopes",
    `a list out of ${SCOPES.join(", ")}`,
    nonEmpty(listOf(SCOPES.length, scope)),
  );
  return {
    name: fields.needed("name", "a name for logs", textUpTo(NAME_LENGTH_MAX)),
    scopes: new Set(scopes),
    buckets: fields.needed(
      "buckets",
      'a list of buckets, * standing for any text: ["*"] are all, [] is none',
      listOf(PATTERNS_MAX, textUpTo(BUCKET_LENGTH_MAX)),
    ),
  };
}

function readKeyPlace(fields: Fields): KeyPlace {
  const file = fields.optional("jwks_file", "a path", textUpTo(URL_LENGTH_MAX));
  const url = fields.optional(
    "jwks_url",
    "an https:// URL, or an http:// one on loopback",
    (raw) => typeof raw === "string" && isKeyUrl(raw) ? raw : undefined,
  );
  if (file !== undefined && url === undefined) return { file };
  if (url !== undefined && file === undefined) return { url };
  throw fields.wrong("jwks_file", "this or jwks_url, and not both");
}

/** Keys that came over a line that others write to would let them in. */
function isKeyUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username + url.password !== "" || text.length > URL_LENGTH_MAX) {
    return false;
  }
  if (url.protocol === "https:") return true;
  const isLoopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
  return url.protocol === "http:" && isLoopback;
}

function readTime(raw: unknown): number | undefined {
  if (typeof raw !== "string") return undefined;
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(raw)) return undefined;
  const ms = Date.parse(raw);
  return Number.isNaN(ms) ? undefined : ms;
}

function nonEmpty<T>(
  read: (raw: unknown) => T[] | undefined,
): (raw: unknown) => T[] | undefined {
  return (raw) => {
    const values = read(raw);
    return values === undefined || values.length === 0 ? undefined : values;
  };
}

function listed(text: string | undefined): string[] | undefined {
  return text === undefined ? undefined : [text];
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.every((byte, at) => byte === other[at]);
}
