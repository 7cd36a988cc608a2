import type { Clock, LogLine, Network, NetworkAddress, Random } from "../io/mod.ts";
import { type PeerInfo, type PeerMessage, PeerPlane } from "../peer/mod.ts";
import { type ClusterSetup, PEER_KINDS } from "../shard/mod.ts";
import { encodeAnswer } from "./call_codec.ts";

/** Whom messages and calls of other nodes are for. */
export interface PeerReceiver {
  /** Takes a message. @throws Error when it is malformed, which ends the connection */
  take(message: PeerMessage): void;
  /** Takes a call; `respond` is called once. */
  answer(call: PeerMessage, respond: (bytes: Uint8Array) => void): void;
}

/** Answers what a peer asks or offers about the cluster's formation. */
export type AnswerFormation = (from: PeerInfo, bytes: Uint8Array) => Promise<Uint8Array>;

const NOTHING = new Uint8Array(0);
const NOT_LEADER = encodeAnswer({ unavailable: "not_leader" });

/**
 * One isolate's links to the other nodes. They are there before its shard is, since the cluster has
 * to form first: until somebody attends to them messages are lost, as Raft bears, and commands are
 * answered that this node does not lead.
 */
export class Links {
  readonly plane: PeerPlane;
  readonly #setup: ClusterSetup;
  readonly #answerFormation: AnswerFormation;
  readonly #log: LogLine;
  #receiver: PeerReceiver | undefined;

  constructor(
    setup: ClusterSetup,
    io: { readonly network: Network; readonly clock: Clock; readonly random: Random },
    log: LogLine,
    answerFormation: AnswerFormation,
  ) {
    this.#setup = setup;
    this.#answerFormation = answerFormation;
    this.#log = log;
    this.plane = new PeerPlane({
      self: setup.self,
      peers: setup.peers,
      io,
      secret: setup.secret,
      log,
      onMessage: (message) => this.#receiver?.take(message),
      onCall: (call, respond) => this.#answer(call, respond),
    });
  }

  /** Lets the other nodes connect. @throws NetworkError when the address is taken */
  listen(): Promise<NetworkAddress> {
    return this.plane.listen(this.#setup.listen, this.#setup.shared);
  }

  /** From now on what comes is the receiver's. */
  attend(receiver: PeerReceiver): void {
    this.#receiver = receiver;
  }

  /** Ends all connections. */
  close(): Promise<void> {
    return this.plane.close();
  }

  #answer(call: PeerMessage, respond: (bytes: Uint8Array) => void): void {
    const { from, kind, bytes } = call;
    if (kind === PEER_KINDS.FORMATION) {
      this.#answerFormation(from, bytes).then(respond, (reason) => {
        this.#log(`a question of node ${from.nodeId} could not be answered: ${reason}`, "warn");
        respond(NOTHING);
      });
    } else if (this.#receiver !== undefined) {
      this.#receiver.answer(call, respond);
    } else {
      const isOfShards = kind === PEER_KINDS.SNAPSHOT || kind === PEER_KINDS.COLD;
      respond(isOfShards ? NOTHING : NOT_LEADER);
    }
  }
}
