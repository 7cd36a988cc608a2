import { type ErrorCode, parsePath, type Route } from "../protocol/mod.ts";

/** Paths that are remembered; with more of them in use all are forgotten and learnt anew. */
const PATHS_MAX = 16_384;

/**
 * Paths of streams and what they name. A path that came before is not parsed again, and its key is
 * the very string that the tables further down know already: no new hash, no comparison of letters.
 */
export class Routes {
  #known = new Map<string, Route>();

  /** What a raw path names, or why it is none. */
  of(rawPath: string): Route | ErrorCode {
    const known = this.#known.get(rawPath);
    if (known !== undefined) return known;
    const route = parsePath(rawPath);
    if (typeof route === "string" || !("key" in route)) return route;
    // Each offset comes a few times, and then never again.
    if (route.kind === "snapshot") return route;
    if (this.#known.size >= PATHS_MAX) this.#known.clear();
    this.#known.set(rawPath, route);
    return route;
  }
}
