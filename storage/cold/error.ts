/**
 * Why a cold store did not do what it was asked to.
 *
 * | kind | | try again |
 * | --- | --- | --- |
 * | `not_found` | there is no object of that key | no |
 * | `denied` | the store refuses this client: credentials, permissions, region | once somebody has changed that |
 * | `no_bucket` | the place where all objects lie is missing | once somebody has made it |
 * | `unavailable` | unreachable, too slow, overloaded, broken off | yes |
 * | `full` | no room | yes, once there is some |
 * | `corrupt` | the object is not what was put there: rotten, cut short, another one | elsewhere |
 *
 * @module
 */

/** What kind of failure; see the module's text. */
export type ColdErrorKind =
  | "not_found"
  | "denied"
  | "no_bucket"
  | "unavailable"
  | "full"
  | "corrupt";

/** What else there is to say of a failure. */
export interface ColdErrorOptions {
  /** The error that lies behind. */
  readonly cause?: unknown;
  /** The byte of the object as it lies in the store where it is damaged. */
  readonly offset?: number;
}

/** A failed operation of a cold store. */
export class ColdError extends Error {
  /** Where the object is damaged, in bytes of what lies in the store; undefined for other kinds. */
  readonly offset: number | undefined;

  /**
   * @param kind what kind of failure
   * @param store the store's name
   * @param key the object's key, a prefix, or undefined where the whole store is meant
   * @param detail one line
   */
  constructor(
    readonly kind: ColdErrorKind,
    readonly store: string,
    readonly key: string | undefined,
    detail: string,
    options: ColdErrorOptions = {},
  ) {
    const place = key === undefined ? store : `${store}: ${key}`;
    super(
      options.offset === undefined
        ? `${place}: ${detail}`
        : `${place}: damaged at byte ${options.offset}: ${detail}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = "ColdError";
    this.offset = options.offset;
  }
}
