import { denoNetwork } from "../io/deno.ts";
import type { Network } from "../io/mod.ts";
import { TlsNetwork } from "../io/tls.ts";
import type { SecuritySetup } from "./security.ts";

/** How this node reaches the others: TCP, or TLS where it has a certificate for that. */
export function networkOf({ cluster }: SecuritySetup): Network {
  return cluster === undefined ? denoNetwork : new TlsNetwork(cluster);
}

/** Shows what is new to whoever connects from now on. */
export function renewNetwork(network: Network, { cluster }: SecuritySetup): void {
  if (network instanceof TlsNetwork && cluster !== undefined) network.renew(cluster);
}
