/**
 * Messages and snapshots that follow from a name and a number, so that a model knows every byte of
 * them and keeps none. All of it is ASCII: a character is a byte.
 *
 * @module
 */

import { random } from "../crash/random.ts";

const BLOCK_CHARACTERS = 1 << 19;
const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.,;:!?()/+*= ";
const SNAPSHOT_CHARACTERS_MAX = 48 << 10;

/** How long messages are: most are short, and a few longer than what one frame or page holds. */
const LENGTHS: readonly { readonly share: number; readonly max: number }[] = [
  { share: 0.7, max: 4 << 10 },
  { share: 0.28, max: 24 << 10 },
  { share: 0.02, max: 320 << 10 },
];

/** What all texts are cut from. */
const BLOCK = makeBlock();

/** Message `n` of a life of a stream; of JSON its stored form without the separator. */
export function messageOf(life: string, n: number, json: boolean): string {
  const next = random(hashOf(`${life}/${n}`));
  const padding = cut(next, lengthOf(next));
  return json ? `{"in":"${life}","n":${n},"text":"${padding}"}` : `${life}/${n}:${padding};`;
}

/** The snapshot that is published at an offset of a life. */
export function snapshotOf(life: string, offset: number): string {
  const next = random(hashOf(`${life}@${offset}`));
  return `${life}@${offset}:${cut(next, Math.floor(next() * SNAPSHOT_CHARACTERS_MAX))}`;
}

function lengthOf(next: () => number): number {
  let chance = next();
  const kind = LENGTHS.find(({ share }) => (chance -= share) < 0) ?? { max: 1 };
  return Math.floor(next() * kind.max);
}

function cut(next: () => number, length: number): string {
  const from = Math.floor(next() * (BLOCK_CHARACTERS - length));
  return BLOCK.slice(from, from + length);
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash >>> 0;
}

function makeBlock(): string {
  const next = random(1);
  const letters = Array.from(
    { length: BLOCK_CHARACTERS },
    () => LETTERS[Math.floor(next() * LETTERS.length)],
  );
  return letters.join("");
}
