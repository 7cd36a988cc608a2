/**
 * What a peer says of itself every second or so, and whenever it has nothing else to say.
 *
 * | bytes | |
 * | --- | --- |
 * | 8 | its wall clock, in ms since the Unix epoch: a little-endian float |
 * | 4 | 1 where it is being drained, else 0, little-endian |
 * | 4 each | ids of the nodes that it is connected to, little-endian |
 *
 * @module
 */

/** See the module's page. */
export interface Ping {
  readonly wallMs: number;
  /** It gives leaderships away, and wants none. */
  readonly draining: boolean;
  readonly reaches: readonly number[];
}

const WALL_BYTES = 8;
const HEAD_BYTES = WALL_BYTES + 4;
const ID_BYTES = 4;

/** The payload of a ping. */
export function encodePing({ wallMs, draining, reaches }: Ping): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + ID_BYTES * reaches.length);
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, wallMs, true);
  view.setUint32(WALL_BYTES, draining ? 1 : 0, true);
  reaches.forEach((id, at) => view.setUint32(HEAD_BYTES + ID_BYTES * at, id, true));
  return bytes;
}

/** What a payload says; undefined where it is none. */
export function decodePing(bytes: Uint8Array): Ping | undefined {
  const count = (bytes.length - HEAD_BYTES) / ID_BYTES;
  if (count < 0 || !Number.isInteger(count)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const wallMs = view.getFloat64(0, true);
  if (!Number.isFinite(wallMs)) return undefined;
  const draining = view.getUint32(WALL_BYTES, true) === 1;
  const idOf = (_: unknown, at: number) => view.getUint32(HEAD_BYTES + ID_BYTES * at, true);
  return { wallMs, draining, reaches: Array.from({ length: count }, idOf) };
}
