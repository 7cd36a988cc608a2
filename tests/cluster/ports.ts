/**
 * Ports that a node can find free again whenever it starts.
 *
 * @module
 */

/**
 * Below the range from which systems give ports to outgoing connections (Linux 32768, others 49152):
 * while a node is down, no connection of a client may end up with its port.
 */
const PORT_MIN = 12_000;
const PORT_MAX = 32_000;

/** Chosen before by this process, free or not. */
const chosen = new Set<number>();

/** So many ports of the loopback interface that nobody listens on, all different. */
export function freePorts(count: number): number[] {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN));
    if (chosen.has(port) || !isFree(port)) continue;
    chosen.add(port);
    ports.push(port);
  }
  return ports;
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}
