/**
 * Tokens and auth files made for a test.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** What a token of the file may do. */
export interface GivenToken {
  readonly scopes: readonly string[];
  readonly buckets: readonly string[];
  readonly expires_at?: string;
}

/** The token that {@linkcode authFileOf} knows under a name. */
export function tokenOf(name: string): string {
  return `${name}-0123456789abcdef`;
}

/** Headers that show it. */
export function bearer(name: string): { authorization: string } {
  return { authorization: `Bearer ${tokenOf(name)}` };
}

/** Text of an auth file with a token for each name. */
export function authFileOf(
  tokens: Readonly<Record<string, GivenToken>>,
  issuers: readonly object[] = [],
): string {
  const entries = Object.entries(tokens).map(([name, rights]) => {
    const sha256 = createHash("sha256").update(tokenOf(name)).digest("hex");
    return { name, sha256, ...rights };
  });
  return JSON.stringify({ tokens: entries, issuers }, undefined, 2);
}
