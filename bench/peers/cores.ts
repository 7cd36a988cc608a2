/**
 * Who runs where: all servers on one core, the load generator on another.
 *
 * @module
 */

/** The core of every server. */
export const SERVER_CORE = 0;

/** The core of the load generator. */
export const LOAD_CORE = 1;

/** Why this machine can't run the benches, or `undefined`. */
export function machineIsUnfit(): string | undefined {
  if (Deno.build.os !== "linux") return "the benches need Linux: taskset, /proc and epoll";
  if (navigator.hardwareConcurrency < 2) return "the benches need two cores";
  return undefined;
}
