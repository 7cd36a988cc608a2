import type { StreamKey } from "../stream/types.ts";

/** FNV-1a, 32 bits (offset basis and prime of its authors). */
const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

const encoder = new TextEncoder();

/**
 * The group that a stream's path, or a bucket's id, hashes to: FNV-1a over its UTF-8 bytes, its bits
 * mixed once more (as MurmurHash3 ends), modulo the group count. Fixed with the data for ever.
 */
export function groupOf(key: StreamKey, groupCount: number): number {
  let hash = FNV_BASIS;
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i);
    if (code > 0x7f) return mix(hashBytes(encoder.encode(key))) % groupCount;
    hash = Math.imul(hash ^ code, FNV_PRIME);
  }
  return mix(hash) % groupCount;
}

function hashBytes(bytes: Uint8Array): number {
  let hash = FNV_BASIS;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, FNV_PRIME);
  return hash;
}

function mix(hash: number): number {
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The journal that holds a group's records: how many there are is fixed with the data. */
export function journalOf(group: number, journalCount: number): number {
  return group % journalCount;
}

/** The shard that owns a journal and its groups: shards share the journals out at each start. */
export function shardOf(journal: number, shardCount: number): number {
  return journal % shardCount;
}
