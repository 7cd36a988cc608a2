/**
 * Where the admin plane listens (SPEC sections 1 and 13).
 *
 * @module
 */

import { ConfigError } from "./config_error.ts";
import { type HostPort, hostPort, isLoopback } from "./kinds.ts";
import { OPTIONS } from "./options.ts";
import { asksForTokens } from "./security_options.ts";
import type { OptionValues } from "./types.ts";

const PORT_MAX = 65_535;
const LOOPBACK = "127.0.0.1";
/**
 * Where the admin plane listens: as given, or on loopback at the port above the client plane's.
 *
 * @throws {ConfigError} when nothing follows, or it may not listen there
 */
export function adminListenOf(
  options: Pick<OptionValues, "adminListen" | "listen" | "authFile">,
): HostPort {
  const listen = options.adminListen ?? besideClients(options.listen);
  const obstacle = adminObstacle(listen, asksForTokens(options));
  if (obstacle !== undefined) throw new ConfigError(obstacle);
  return listen;
}

/**
 * Why the admin plane may not listen on an address; undefined where it may. Whoever reaches it can
 * take the cluster apart: anywhere but on loopback it has to ask for tokens.
 */
export function adminObstacle(address: HostPort, asksForTokens = false): string | undefined {
  if (asksForTokens || isLoopback(address.hostname)) return undefined;
  return `the admin plane can't listen on ${hostPort.write(address)}, which is not loopback: it ` +
    `asks nobody who they are without --${OPTIONS.authFile.flag}`;
}

function besideClients({ hostname, port }: HostPort): HostPort {
  const loopback = isLoopback(hostname) ? hostname : LOOPBACK;
  if (port < PORT_MAX) return { hostname: loopback, port: port === 0 ? 0 : port + 1 };
  throw new ConfigError(
    `--${OPTIONS.listen.flag} with port ${port} needs --${OPTIONS.adminListen.flag}: ${port + 1} ` +
      "is no port",
  );
}
