import type { JSONWebKeySet, JWTVerifyGetKey } from "jose";
import type { Clock } from "../../io/mod.ts";
import { AUTH_FILE_BYTES_MAX, parseText } from "./auth_file.ts";
import { AuthFileError } from "./fields.ts";

/** `jose`, once it is there. */
export type Jose = typeof import("jose");

/** An issuer's public keys. */
export interface KeySet {
  /** The key that a token names. Rejects where there is none. */
  readonly find: JWTVerifyGetKey;
}

/** A set of keys as JSON. @throws AuthFileError when it is none */
export function parseKeySet(text: string): JSONWebKeySet {
  const value = parseText(text);
  const keys = typeof value === "object" && value !== null && "keys" in value
    ? value.keys
    : undefined;
  const isSet = Array.isArray(keys) && keys.length > 0 &&
    keys.every((key) => typeof key === "object" && key !== null && typeof key.kty === "string");
  if (!isSet) throw new AuthFileError('expected a JWKS, {"keys": […]}, with one key at least');
  return value as JSONWebKeySet;
}

/** Keys that a file gave: another version of it is another set. */
export function fixedKeySet(jose: Jose, keys: JSONWebKeySet): KeySet {
  return { find: jose.createLocalJWKSet(keys) };
}

/** Keys are asked for again after so long, while those at hand still serve. */
const AGE_MS_MAX = 600_000;
/** For a token whose key is unknown they are asked for, but no more often than this. */
const PAUSE_MS = 30_000;
/** After they could not be had. */
const RETRY_PAUSE_MS = 5_000;
const FETCH_MS_MAX = 5_000;

/** Keys from a URL, kept while they can't be had anew. */
export class FetchedKeySet implements KeySet {
  readonly #jose: Jose;
  readonly #url: string;
  readonly #clock: Clock;
  readonly #log: (line: string) => void;
  #keys: JWTVerifyGetKey | undefined;
  #fetchedMs = -Infinity;
  #askedMs = -Infinity;
  #failed = false;
  #asking: Promise<void> | undefined;

  constructor(jose: Jose, url: string, clock: Clock, log: (line: string) => void) {
    this.#jose = jose;
    this.#url = url;
    this.#clock = clock;
    this.#log = log;
  }

  readonly find: JWTVerifyGetKey = async (header, token) => {
    if (this.#keys === undefined) await this.#ask();
    else if (this.#clock.monotonicMs() - this.#fetchedMs >= AGE_MS_MAX) void this.#ask();
    const keys = this.#keys;
    if (keys === undefined) throw new Error("the issuer's keys can't be had");
    try {
      return await keys(header, token);
    } catch (reason) {
      if (!(reason instanceof this.#jose.errors.JWKSNoMatchingKey)) throw reason;
      await this.#ask();
      // The same keys where it was too early to ask: then they say so again.
      return await (this.#keys ?? keys)(header, token);
    }
  };

  /** Asks for the keys, unless that was done a moment ago. Never rejects. */
  #ask(): Promise<void> {
    if (this.#asking !== undefined) return this.#asking;
    const nowMs = this.#clock.monotonicMs();
    const pauseMs = this.#failed ? RETRY_PAUSE_MS : PAUSE_MS;
    if (nowMs - this.#askedMs < pauseMs) return Promise.resolve();
    this.#askedMs = nowMs;
    return this.#asking = this.#fetch().then((keys) => {
      if (this.#failed) this.#log(`the keys at ${this.#url} are there again`);
      this.#failed = false;
      this.#keys = this.#jose.createLocalJWKSet(keys);
      this.#fetchedMs = this.#clock.monotonicMs();
    }, (reason) => {
      const detail = reason instanceof Error ? reason.message : String(reason);
      if (!this.#failed) this.#log(`the keys at ${this.#url} can't be had: ${detail}`);
      this.#failed = true;
    }).finally(() => this.#asking = undefined);
  }

  async #fetch(): Promise<JSONWebKeySet> {
    const response = await fetch(this.#url, {
      headers: { accept: "application/json" },
      redirect: "error",
      signal: AbortSignal.timeout(FETCH_MS_MAX),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`the answer is ${response.status}`);
    }
    return parseKeySet(await bounded(response));
  }
}

async function bounded(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > AUTH_FILE_BYTES_MAX) throw new Error("the answer is too long");
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
