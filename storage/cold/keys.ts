/**
 * What objects are called.
 *
 * A key is folders and a name, `formation/group/number-term.object`; the store puts its own root in
 * front. A folder's name holds no dot and an object's holds one, so that a walk through folders
 * needs to ask of nothing what it is. A prefix is folders alone and ends in `/`: that of group 1 is
 * none of group 10's.
 *
 * @module
 */

/** One group's objects: what no sweep of that group ever leaves. */
export interface ColdScope {
  /** The cluster's formation id. */
  readonly formation: string;
  /** The Raft group. */
  readonly group: number;
}

/**
 * Which object. A number is taken anew for every object of a group, and the term belongs to the
 * leader that named it: two leaders that each believe to be the only one name different objects.
 */
export interface ColdObjectName extends ColdScope {
  /** From 1 on. */
  readonly number: number;
  /** Of the leader that took the number. */
  readonly term: number;
}

/** Most bytes of a formation id. */
export const FORMATION_BYTES_MAX = 64;
/** Most characters of a key: with a root in front, S3 takes 1,024. */
const KEY_CHARACTERS_MAX = 512;

/** Digits of a number in a key, so that listings are in order. */
const NUMBER_DIGITS = 12;
const SUFFIX = ".object";
const FOLDER = /^[a-z0-9][a-z0-9_-]{0,99}$/;
const NAME = /^[a-z0-9][a-z0-9_-]{0,99}\.[a-z0-9]{1,20}$/;
const OBJECT = /^([^/]+)\/(0|[1-9]\d*)\/(\d{12,16})-(\d{1,16})\.object$/;

/** May a folder in a key be called this? */
export function isFolderName(text: string): boolean {
  return FOLDER.test(text);
}

/** May an object be called this, in its folder? */
export function isObjectFileName(text: string): boolean {
  return NAME.test(text);
}

/** Is this a key? */
export function isKey(text: string): boolean {
  const slash = text.lastIndexOf("/") + 1;
  return text.length <= KEY_CHARACTERS_MAX && isPrefix(text.slice(0, slash)) &&
    isObjectFileName(text.slice(slash));
}

/** Is this a prefix? The empty one is: it is all keys'. */
export function isPrefix(text: string): boolean {
  if (text === "") return true;
  return text.endsWith("/") && text.slice(0, -1).split("/").every(isFolderName);
}

/** Passes a key on. @throws RangeError when it is none */
export function checkedKey(key: string): string {
  if (!isKey(key)) throw new RangeError(`no key of an object: ${key}`);
  return key;
}

/** Passes a prefix on. @throws RangeError when it is none */
export function checkedPrefix(prefix: string): string {
  if (!isPrefix(prefix)) throw new RangeError(`no prefix of keys: ${prefix}`);
  return prefix;
}

/** Prefix of all keys of a formation. @throws RangeError when it can't be in a key */
export function formationPrefix(formation: string): string {
  if (!isFolderName(formation) || formation.length > FORMATION_BYTES_MAX) {
    throw new RangeError(`no formation id: ${formation}`);
  }
  return `${formation}/`;
}

/** Prefix of all keys of a group. @throws RangeError when either can't be in a key */
export function groupPrefix({ formation, group }: ColdScope): string {
  if (!Number.isSafeInteger(group) || group < 0) throw new RangeError(`no group: ${group}`);
  return `${formationPrefix(formation)}${group}/`;
}

/** An object's key. @throws RangeError when the name can't be in one */
export function objectKey({ formation, group, number, term }: ColdObjectName): string {
  for (const part of [number, term]) {
    if (!Number.isSafeInteger(part) || part < 0) throw new RangeError(`no number or term: ${part}`);
  }
  const padded = String(number).padStart(NUMBER_DIGITS, "0");
  return `${groupPrefix({ formation, group })}${padded}-${term}${SUFFIX}`;
}

/** Which object a key names; undefined where it is not one that {@linkcode objectKey} makes. */
export function objectNameOf(key: string): ColdObjectName | undefined {
  const match = OBJECT.exec(key);
  if (match === null) return undefined;
  const [, formation = "", ...numbers] = match;
  const [group = 0, number = 0, term = 0] = numbers.map(Number);
  const name = { formation, group, number, term };
  try {
    return objectKey(name) === key ? name : undefined;
  } catch {
    return undefined;
  }
}
