import type { BucketPatterns } from "./patterns.ts";

/** What a token may be good for. None of them holds another. */
export const SCOPES = ["read", "write", "admin"] as const;

/** One of {@linkcode SCOPES}. */
export type Scope = typeof SCOPES[number];

/** What somebody may do who has shown a good token. */
export interface Credentials {
  /** Of the token or its issuer, as the auth file has it: never the token itself. */
  readonly name: string;
  /** What the token is good for. */
  readonly scopes: ReadonlySet<Scope>;
  /** All of them must match a bucket: those of the auth file, and those that a token names itself. */
  readonly buckets: readonly BucketPatterns[];
  /** When it ends, by the wall clock; undefined for what lasts until the file says otherwise. */
  readonly expiresAtMs: number | undefined;
}

/** Whether the token is good for a bucket, for whatever its scopes are. */
export function coversBucket({ buckets }: Credentials, bucket: string): boolean {
  return buckets.every((patterns) => patterns.match(bucket));
}
