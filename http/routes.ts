import { type ErrorCode, parsePath, type Route } from "../protocol/mod.ts";

/** Paths that are remembered at most: a power of two. */
const SLOTS = 1 << 14;

/**
 * Paths of streams and what they name. A path that came before is not parsed again, and its key is
 * the very string that the tables further down know already: no new hash, no comparison of letters.
 *
 * Not a `Map`: to look up a string that was just made, V8 first seeks its twin among all strings of
 * the program, which costs 0.4 µs. Each path has one slot here, which is the one's that came twice in
 * a row there: whoever sends paths that fall together has them parsed, no more.
 */
export class Routes {
  /** By slot: the hash of the path that came last. */
  readonly #came = new Int32Array(SLOTS);
  readonly #paths = new Array<string>(SLOTS).fill("");
  readonly #routes = new Array<Route | undefined>(SLOTS).fill(undefined);

  /** What a raw path names, or why it is none. */
  of(rawPath: string): Route | ErrorCode {
    const hash = hashOf(rawPath);
    const slot = hash & (SLOTS - 1);
    const known = this.#routes[slot];
    if (known !== undefined && this.#paths[slot] === rawPath) return known;
    const path = copyOf(rawPath);
    const route = parsePath(path);
    if (typeof route === "string" || !("key" in route)) return route;
    const isBack = this.#came[slot] === hash;
    this.#came[slot] = hash;
    // Each offset comes a few times, and then never again.
    if (!isBack || route.kind === "snapshot") return route;
    this.#paths[slot] = path;
    this.#routes[slot] = route;
    return route;
  }
}

function hashOf(path: string): number {
  let hash = path.length;
  for (let at = 0; at < path.length; at++) hash = Math.imul(hash, 31) + path.charCodeAt(at);
  return hash ^ (hash >>> 16);
}

/** The same letters, but not as a part of the URL, which would be kept as long: V8 copies to join. */
function copyOf(path: string): string {
  return `/${path}`.slice(1);
}
