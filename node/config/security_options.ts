/**
 * Options of who may connect, and how that is kept from others: a part of the table of all options.
 *
 * @module
 */

import { ConfigError } from "./config_error.ts";
import * as kinds from "./kinds.ts";
import type { Option } from "./options.ts";
import type { OptionValues } from "./types.ts";

/** Keys of these options. */
type SecurityKey = "authFile" | Extract<keyof OptionValues, `tls${string}` | `clusterTls${string}`>;

/** The options under "Security". */
export const SECURITY_OPTIONS: { readonly [K in SecurityKey]: Option<OptionValues[K]> } = {
  authFile: pathOption(
    "auth-file",
    "everybody may do everything",
    "tokens and issuers that the client and admin planes let in; read again when it changes",
  ),
  tlsCert: pathOption(
    "tls-cert",
    "plain HTTP",
    "certificate chain of the client and admin planes, PEM; read again on SIGHUP",
  ),
  tlsKey: pathOption("tls-key", "plain HTTP", "its private key, PEM; read again on SIGHUP"),
  clusterTlsCert: pathOption(
    "cluster-tls-cert",
    "plain TCP",
    "certificate chain that this node shows to other nodes, PEM; read again on SIGHUP",
  ),
  clusterTlsKey: pathOption(
    "cluster-tls-key",
    "plain TCP",
    "its private key, PEM; read again on SIGHUP",
  ),
  clusterTlsCa: pathOption(
    "cluster-tls-ca",
    "plain TCP",
    "authorities whose certificates make a node, PEM; read again on SIGHUP",
  ),
};

function pathOption(
  flag: string,
  fallbackText: string,
  help: string,
): Option<string | undefined> {
  return { flag, group: "Security", kind: kinds.path, fallback: undefined, fallbackText, help };
}

/** @throws {ConfigError} when one of several files is given that are of use together alone */
export function checkSecurity(options: OptionValues): void {
  const sets: SecurityKey[][] = [
    ["tlsCert", "tlsKey"],
    ["clusterTlsCert", "clusterTlsKey", "clusterTlsCa"],
  ];
  for (const keys of sets) {
    const given = keys.filter((key) => options[key] !== undefined);
    const missing = keys.find((key) => options[key] === undefined);
    if (given.length === 0 || missing === undefined) continue;
    const [one = missing] = given;
    const [flag, wanted] = [SECURITY_OPTIONS[one].flag, SECURITY_OPTIONS[missing].flag];
    throw new ConfigError(`--${flag} needs --${wanted}`);
  }
}

/** Whether the client and admin planes let in only who shows a token. */
export function asksForTokens({ authFile }: Pick<OptionValues, "authFile">): boolean {
  return authFile !== undefined;
}
