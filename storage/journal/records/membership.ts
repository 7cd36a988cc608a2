/** An entry whose payload is an encoded membership; this room never looks into it. */
export const MEMBERSHIP_KIND = 3;
