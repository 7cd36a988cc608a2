/**
 * What a peer says of itself every second or so, and whenever it has nothing else to say.
 *
 * | bytes | |
 * | --- | --- |
 * | 8 | its wall clock, in ms since the Unix epoch: a little-endian float |
 * | 4 each | ids of the nodes that it is connected to, little-endian |
 *
 * @module
 */

/** See the module's page. */
export interface Ping {
  readonly wallMs: number;
  readonly reaches: readonly number[];
}

const WALL_BYTES = 8;
const ID_BYTES = 4;

/** The payload of a ping. */
export function encodePing({ wallMs, reaches }: Ping): Uint8Array {
  const bytes = new Uint8Array(WALL_BYTES + ID_BYTES * reaches.length);
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, wallMs, true);
  reaches.forEach((id, at) => view.setUint32(WALL_BYTES + ID_BYTES * at, id, true));
  return bytes;
}

/** What a payload says; undefined where it is none. */
export function decodePing(bytes: Uint8Array): Ping | undefined {
  const count = (bytes.length - WALL_BYTES) / ID_BYTES;
  if (count < 0 || !Number.isInteger(count)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const wallMs = view.getFloat64(0, true);
  if (!Number.isFinite(wallMs)) return undefined;
  const idOf = (_: unknown, at: number) => view.getUint32(WALL_BYTES + ID_BYTES * at, true);
  return { wallMs, reaches: Array.from({ length: count }, idOf) };
}
