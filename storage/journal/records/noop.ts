/** An entry without a payload: a new leader's first one (dissertation §6.4). */
export const NOOP_KIND = 2;
