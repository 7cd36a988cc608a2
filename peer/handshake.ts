import { type Clock, type Connection, NetworkError, type Random } from "../io/mod.ts";
import {
  CHALLENGE_BYTES,
  decodeHello,
  encodeHello,
  type Hello,
  HELLO_HEADER_BYTES,
  readHelloHeader,
} from "./hello.ts";
import { mismatchOf } from "./mismatch.ts";
import { PROOF_BYTES, proofOf, sameProof, type Side } from "./proof.ts";
import { Refusal } from "./refusal.ts";
import type { PeerSelf } from "./types.ts";

/** First byte of a verdict. */
const ACCEPTED = 0;
const REFUSED = 1;
const VERDICT_BYTES = 1 + PROOF_BYTES;

/** What an end brings into a handshake. */
export interface HandshakeSetup {
  readonly self: PeerSelf;
  readonly secret: Uint8Array | undefined;
  readonly clock: Clock;
  readonly random: Random;
  /** Why the node that says this hello is not one to talk to; undefined where it is. */
  readonly expects: (hello: Hello) => Refusal | undefined;
}

/**
 * The handshake, at the end that dialled: hello, the other's hello, our verdict and proof, theirs.
 * Whoever calls bounds the time by closing the connection.
 * @throws Refusal, or NetworkError when the connection ends meanwhile
 */
export async function dial(connection: Connection, setup: HandshakeSetup): Promise<Hello> {
  const [own, said] = ownHello(setup);
  await connection.write(said);
  const [heard, hello] = await readHello(connection);
  check(own, hello, setup);
  await connection.write(verdict(ACCEPTED, proofOf(setup.secret, "dialled", said, heard)));
  await readVerdict(connection, setup.secret, "accepted", said, heard);
  return hello;
}

/** The same at the end that accepted: it speaks only to who can say a hello, and proves last. */
export async function welcome(connection: Connection, setup: HandshakeSetup): Promise<Hello> {
  const [heard, hello] = await readHello(connection);
  const [own, said] = ownHello(setup);
  // Also to who does not fit: each end then tells its own operator why.
  await connection.write(said);
  try {
    check(own, hello, setup);
    await readVerdict(connection, setup.secret, "dialled", heard, said);
  } catch (reason) {
    if (reason instanceof Refusal) {
      reason.nodeId = hello.nodeId;
      await connection.write(verdict(REFUSED, new Uint8Array(PROOF_BYTES)));
    }
    throw reason;
  }
  await connection.write(verdict(ACCEPTED, proofOf(setup.secret, "accepted", heard, said)));
  return hello;
}

function ownHello({ self, secret, clock, random }: HandshakeSetup): [Hello, Uint8Array] {
  const hello = {
    nodeId: self.nodeId,
    storeId: self.storeId,
    formationId: self.formationId,
    clusterId: self.clusterId,
    groupCount: self.groupCount,
    commandVersions: self.commandVersions,
    coldStore: self.coldStore,
    challenge: random.bytes(CHALLENGE_BYTES),
    secret: secret !== undefined,
    wallMs: clock.wallMs(),
  };
  return [hello, encodeHello(hello)];
}

/** All bytes of the other end's hello, and what they say. */
async function readHello(connection: Connection): Promise<[Uint8Array, Hello]> {
  const header = await readExactly(connection, HELLO_HEADER_BYTES);
  const rest = await readExactly(connection, readHelloHeader(header));
  const all = new Uint8Array(header.length + rest.length);
  all.set(header);
  all.set(rest, header.length);
  return [all, decodeHello(rest)];
}

function check(own: Hello, hello: Hello, setup: HandshakeSetup): void {
  const refusal = mismatchOf(own, hello) ?? setup.expects(hello);
  if (refusal !== undefined) throw refusal;
}

function verdict(first: number, proof: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(VERDICT_BYTES);
  bytes[0] = first;
  bytes.set(proof, 1);
  return bytes;
}

async function readVerdict(
  connection: Connection,
  secret: Uint8Array | undefined,
  side: Side,
  dialledSaid: Uint8Array,
  acceptedSaid: Uint8Array,
): Promise<void> {
  const bytes = await readExactly(connection, VERDICT_BYTES);
  if (bytes[0] !== ACCEPTED) {
    throw new Refusal("refused", "turns this node away: its log says why");
  }
  const proof = proofOf(secret, side, dialledSaid, acceptedSaid);
  if (sameProof(bytes.subarray(1), proof)) return;
  throw new Refusal("proof", "does not know this node's cluster secret");
}

/** Reads no more than that: what follows belongs to somebody else. */
async function readExactly(connection: Connection, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const count = await connection.read(bytes.subarray(done));
    if (count === 0) {
      throw new NetworkError("broken", connection.remote, "closed during the handshake");
    }
    done += count;
  }
  return bytes;
}
