/**
 * A server that can be measured.
 *
 * @module
 */

/** One kind of server in one setting. */
export interface Peer<S extends Running = Running> {
  /** How it stands in the tables. */
  name: string;
  /** Why it can't be measured here and how to get it, or `undefined` when it is at hand. */
  absent(): Promise<string | undefined>;
  /** Starts one on its core, with nothing in it. */
  start(): Promise<S>;
}

/** A server that runs and answers. */
export interface Running {
  pid: number;
  /** Its port on 127.0.0.1. */
  port: number;
  /** What stands before a stream's name in a path, such as `/v1/stream/`. */
  prefix: string;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}
