import type { JWTPayload } from "jose";
import type { Clock } from "../../io/mod.ts";
import type { IssuerEntry } from "./auth_file.ts";
import { type Credentials, type Scope, SCOPES } from "./credentials.ts";
import { FetchedKeySet, fixedKeySet, type Jose, type KeySet, parseKeySet } from "./key_set.ts";
import { BucketPatterns } from "./patterns.ts";

/** Patterns that a token may name in its claim; more of them make it good for no bucket. */
const CLAIMED_MAX = 256;

/** Signed tokens (JWT), and those whose signatures count. */
export class Issuers {
  readonly #entries: ReadonlyMap<string, IssuerEntry>;
  readonly #keyFiles: ReadonlyMap<string, string>;
  readonly #clock: Clock;
  readonly #log: (line: string) => void;
  readonly #keys = new Map<IssuerEntry, KeySet>();
  #jose: Promise<Jose> | undefined;

  /** @param keyFiles what the files of keys hold, by the path that the auth file names */
  constructor(
    entries: readonly IssuerEntry[],
    keyFiles: ReadonlyMap<string, string>,
    clock: Clock,
    log: (line: string) => void,
  ) {
    this.#entries = new Map(entries.map((entry) => [entry.issuer, entry]));
    this.#keyFiles = keyFiles;
    this.#clock = clock;
    this.#log = log;
  }

  /** How many there are. */
  get count(): number {
    return this.#entries.size;
  }

  /** What a token is good for; undefined where it is good for nothing. Never rejects. */
  async verify(token: string): Promise<Credentials | undefined> {
    try {
      const jose = await (this.#jose ??= import("jose"));
      // Who signed it decides what it is held against: nothing of it is believed before that.
      const entry = this.#entries.get(jose.decodeJwt(token).iss ?? "");
      if (entry === undefined) return undefined;
      const { payload } = await jose.jwtVerify(token, this.#keysOf(jose, entry).find, {
        issuer: entry.issuer,
        audience: [...entry.audience],
        algorithms: [...entry.algorithms],
        clockTolerance: entry.toleranceMs / 1000,
        currentDate: new Date(this.#clock.wallMs()),
        requiredClaims: ["exp"],
      });
      return credentialsOf(entry, payload);
    } catch {
      return undefined;
    }
  }

  #keysOf(jose: Jose, entry: IssuerEntry): KeySet {
    let keys = this.#keys.get(entry);
    if (keys === undefined) {
      keys = "url" in entry.keys
        ? new FetchedKeySet(jose, entry.keys.url, this.#clock, this.#log)
        : fixedKeySet(jose, parseKeySet(this.#keyFiles.get(entry.keys.file) ?? ""));
      this.#keys.set(entry, keys);
    }
    return keys;
  }
}

function credentialsOf(entry: IssuerEntry, payload: JWTPayload): Credentials {
  const { scopesClaim, bucketsClaim } = entry;
  const scopes = scopesClaim === undefined
    ? entry.scopes
    : scopesIn(payload[scopesClaim], entry.scopes);
  const buckets = [new BucketPatterns(entry.buckets)];
  if (bucketsClaim !== undefined) buckets.push(new BucketPatterns(listIn(payload[bucketsClaim])));
  // It was asked for, so it is there.
  const expiresAtMs = (payload.exp as number) * 1000 + entry.toleranceMs;
  return { name: entry.name, scopes, buckets, expiresAtMs };
}

/** The scopes that a claim names, as far as the issuer may give them. */
function scopesIn(claim: unknown, most: ReadonlySet<Scope>): ReadonlySet<Scope> {
  const named = listIn(claim);
  return new Set(SCOPES.filter((scope) => most.has(scope) && named.includes(scope)));
}

/** A claim as a list: text is parted at blanks, as RFC 8693 has it for `scope`. */
function listIn(claim: unknown): string[] {
  const list = typeof claim === "string" ? claim.split(" ") : claim;
  if (!Array.isArray(list) || list.length > CLAIMED_MAX) return [];
  return list.filter((item): item is string => typeof item === "string" && item !== "");
}
