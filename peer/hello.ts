import { HELLO_BYTES_MAX, HELLO_TEXT_BYTES_MAX, PEER_PROTOCOL_VERSION } from "./bounds.ts";
import { Refusal } from "./refusal.ts";
import type { PeerSelf } from "./types.ts";

/** What every hello begins with: whoever says something else is no peer. */
const MAGIC = new TextEncoder().encode("URSULAPP");
/** Magic, version, length of the rest. */
export const HELLO_HEADER_BYTES = MAGIC.length + 4;
/** Fresh randomness of a hello, so that no proof can be used twice. */
export const CHALLENGE_BYTES = 32;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** Texts of a hello are ids: anything else could do harm in a log. */
const ID = /^[!-~]*$/;

/** The first thing that each end says. */
export interface Hello extends PeerSelf {
  readonly challenge: Uint8Array;
  /** Does this end want a proof of the secret, and give one? */
  readonly secret: boolean;
  /** Milliseconds since the Unix epoch. */
  readonly wallMs: number;
}

/** Bytes of a hello: header, then challenge, secret, numbers, and texts with their lengths. */
export function encodeHello(hello: Hello): Uint8Array {
  const texts = [hello.clusterId, hello.formationId, hello.storeId, hello.coldStore].map((text) =>
    encoder.encode(text)
  );
  for (const text of texts) {
    if (text.length > HELLO_TEXT_BYTES_MAX) throw new RangeError("an id is too long for a hello");
  }
  const fixed = CHALLENGE_BYTES + 1 + 4 * 4 + 8;
  const rest = texts.reduce((sum, text) => sum + 1 + text.length, fixed);
  const bytes = new Uint8Array(HELLO_HEADER_BYTES + rest);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC, 0);
  view.setUint16(MAGIC.length, PEER_PROTOCOL_VERSION, true);
  view.setUint16(MAGIC.length + 2, rest, true);
  let at = HELLO_HEADER_BYTES;
  bytes.set(hello.challenge, at);
  at += CHALLENGE_BYTES;
  view.setUint8(at, hello.secret ? 1 : 0);
  view.setUint32(at + 1, hello.nodeId, true);
  view.setUint32(at + 5, hello.groupCount, true);
  view.setUint32(at + 9, hello.commandVersions.min, true);
  view.setUint32(at + 13, hello.commandVersions.max, true);
  view.setFloat64(at + 17, hello.wallMs, true);
  at += 25;
  for (const text of texts) {
    bytes[at++] = text.length;
    bytes.set(text, at);
    at += text.length;
  }
  return bytes;
}

/**
 * How many bytes follow a header.
 * @throws Refusal when there is no talking to who sent it
 */
export function readHelloHeader(header: Uint8Array): number {
  if (MAGIC.some((byte, at) => header[at] !== byte)) {
    throw new Refusal("protocol", "speaks another protocol");
  }
  const view = new DataView(header.buffer, header.byteOffset, HELLO_HEADER_BYTES);
  const version = view.getUint16(MAGIC.length, true);
  if (version !== PEER_PROTOCOL_VERSION) {
    const detail = `speaks version ${version} of the peer protocol, this node ` +
      PEER_PROTOCOL_VERSION;
    throw new Refusal("version", detail);
  }
  const rest = view.getUint16(MAGIC.length + 2, true);
  if (rest > HELLO_BYTES_MAX) throw new Refusal("hello", "says too much in its hello");
  return rest;
}

/**
 * The hello whose header was read already.
 * @throws Refusal when the bytes are none
 */
export function decodeHello(rest: Uint8Array): Hello {
  const hello = parseHello(rest);
  if (hello === undefined) throw new Refusal("hello", "says a hello that can't be read");
  return hello;
}

function parseHello(rest: Uint8Array): Hello | undefined {
  let at = CHALLENGE_BYTES + 25;
  if (rest.length < at) return undefined;
  const view = new DataView(rest.buffer, rest.byteOffset, rest.length);
  const texts: string[] = [];
  for (let count = 0; count < 4; count++) {
    const length = rest[at++] ?? Infinity;
    if (at + length > rest.length) return undefined;
    const text = decodeId(rest.subarray(at, at + length));
    if (text === undefined) return undefined;
    texts.push(text);
    at += length;
  }
  const [clusterId = "", formationId = "", storeId = "", coldStore = ""] = texts;
  const wallMs = view.getFloat64(CHALLENGE_BYTES + 17, true);
  if (at !== rest.length || storeId === "" || !Number.isFinite(wallMs)) return undefined;
  return {
    challenge: rest.subarray(0, CHALLENGE_BYTES),
    secret: rest[CHALLENGE_BYTES] === 1,
    nodeId: view.getUint32(CHALLENGE_BYTES + 1, true),
    groupCount: view.getUint32(CHALLENGE_BYTES + 5, true),
    commandVersions: {
      min: view.getUint32(CHALLENGE_BYTES + 9, true),
      max: view.getUint32(CHALLENGE_BYTES + 13, true),
    },
    wallMs,
    clusterId,
    formationId,
    storeId,
    coldStore,
  };
}

/** An id as it came from a peer; undefined where it is none. */
export function decodeId(bytes: Uint8Array): string | undefined {
  if (bytes.length > HELLO_TEXT_BYTES_MAX) return undefined;
  const text = decoder.decode(bytes);
  return ID.test(text) ? text : undefined;
}

/** May nodes of these formations talk? One that has none yet talks to all. */
export function sameFormation(one: string, other: string): boolean {
  return one === "" || other === "" || one === other;
}
