/**
 * Ports that a node can find free again whenever it starts.
 *
 * They lie below the range from which systems give ports to outgoing connections (Linux 32768,
 * others 49152), and each program that loads this module has some for itself, tests that run beside
 * each other included: while a node is down, nobody else may end up with its port.
 *
 * @module
 */

const PORT_MIN = 12_000;
/** Whoever has a port has the one 10,000 above, too: so far apart a node's planes may be. */
const PORT_MAX = 22_000;
/** Ports of one program, the first of which is its claim. */
const RANGE = 500;
/** The port after a node's own is its admin plane's, unless it is told otherwise. */
const STEP = 2;

const first = claimed();
let last = first;

/** So many ports of the loopback interface that nobody listens on, all different. */
export function freePorts(count: number): number[] {
  const ports: number[] = [];
  while (ports.length < count) {
    last += STEP;
    if (last >= first + RANGE) throw new Error(`one program gets fewer than ${RANGE / STEP} ports`);
    const listener = listenedOn(last);
    if (listener === undefined) continue;
    listener.close();
    ports.push(last);
  }
  return ports;
}

/** The first port of a range, held by listening on it for as long as the program runs. */
function claimed(): number {
  const ranges = (PORT_MAX - PORT_MIN) / RANGE;
  const start = Math.floor(Math.random() * ranges);
  for (let at = 0; at < ranges; at++) {
    const port = PORT_MIN + (start + at) % ranges * RANGE;
    const claim = listenedOn(port);
    if (claim === undefined) continue;
    claim.unref();
    return port;
  }
  throw new Error(`${ranges} programs have all ports from ${PORT_MIN} to ${PORT_MAX}`);
}

function listenedOn(port: number): Deno.Listener | undefined {
  try {
    return Deno.listen({ hostname: "127.0.0.1", port });
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return undefined;
    throw error;
  }
}
