/**
 * Requests without an answer in a cluster: what they asked for may sit in a message, or in the log
 * of a replica that is cut off, and happen long afterwards. Here is known when it no longer can.
 *
 * @module
 */

/** Until then messages that were under way have arrived or never will. */
const GRACE_MS = 1_500;

/** The end of one replica's log, as it was at some moment. */
export interface LogEnd {
  readonly group: number;
  readonly index: number;
  readonly term: number;
}

interface Request {
  readonly decided: () => void;
  /** When nobody worked on it any more; Infinity while somebody may. */
  sinceMs: number;
  /** Logs that may hold it; undefined while messages may. */
  ends: LogEnd[] | undefined;
}

/** All requests of a run that may yet take effect, though nobody waits for them. */
export class Undecided {
  readonly #requests = new Set<Request>();

  /** How many there are. */
  get size(): number {
    return this.#requests.size;
  }

  /**
   * @param over resolves once no process works on the request any more
   * @param nowMs read when it has
   * @param decided called when the request has taken effect, or never will
   */
  add(over: Promise<unknown>, nowMs: () => number, decided: () => void): void {
    const request: Request = { decided, sinceMs: Infinity, ends: undefined };
    this.#requests.add(request);
    const end = () => {
      request.sinceMs = nowMs();
    };
    over.then(end, end);
  }

  /** Messages were held up until now: a machine was paused, or a link. */
  delayed(nowMs: number): void {
    for (const request of this.#requests) {
      if (request.ends === undefined && request.sinceMs < nowMs) request.sinceMs = nowMs;
    }
  }

  /**
   * To be called now and then.
   *
   * @param ends of the logs of all replicas, also of those that are down
   * @param isSettled whether that part of a log is committed, or never will be
   */
  look(nowMs: number, ends: () => LogEnd[], isSettled: (end: LogEnd) => boolean): void {
    let found: LogEnd[] | undefined;
    for (const request of this.#requests) {
      if (request.ends === undefined) {
        if (nowMs < request.sinceMs + GRACE_MS) continue;
        request.ends = found ??= ends();
      }
      request.ends = request.ends.filter((end) => !isSettled(end));
      if (request.ends.length > 0) continue;
      this.#requests.delete(request);
      request.decided();
    }
  }
}
