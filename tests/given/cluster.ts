/**
 * Some nodes that know nothing but who leads, and links between them that lose what they are told to.
 *
 * @module
 */

import type {
  Answer,
  BootstrapAnswer,
  BootstrapBroken,
  ReadAnswer,
  ReadRequest,
  Unavailable,
} from "../../group/mod.ts";
import { Cluster } from "../../node/cluster.ts";
import type { PeerCalls } from "../../node/forwarder.ts";
import type { CallFailed } from "../../peer/mod.ts";
import type { GroupAccess, GroupFacts, Survey, SurveyAnswers } from "../../shard/mod.ts";
import type { Command, StreamFacts } from "../../stream/mod.ts";
import { SimClock } from "../sim/clock.ts";
import { joined } from "./bytes.ts";

const GROUPS = 4;
/** Time that a call takes, each way. */
const WAY_MS = 1;

/**
 * What becomes of a call: it is answered; surely nothing of it arrives; it arrives, and its answer
 * is lost; it is lost; nothing is ever heard of it.
 */
export type Fate = "answered" | "not_sent" | "answer_lost" | "lost" | "silent";

/** A replica of every group that says whatever it is told to. */
class GivenGroups implements GroupAccess {
  readonly groupCount = GROUPS;
  /** Who leads each group, as this node believes. */
  readonly beliefs: (number | undefined)[] = Array(GROUPS).fill(undefined);
  /** What this node answers instead, where it believes that it leads. */
  obstacle: Unavailable | undefined;
  /** Questions of any kind that were put to it. */
  asked = 0;

  constructor(readonly nodeId: number, readonly log: string[]) {}

  propose(group: number, command: Command, done: (answer: Answer) => void): void {
    const refusal = this.#refusal(group);
    if (refusal !== undefined) return done(refusal);
    this.log.push(`${this.nodeId} ${"key" in command ? command.key : command.type}`);
    done({ ok: "appended", facts: factsOf(this.log.length) });
  }

  submit(group: number, command: Command): Promise<Answer> {
    return new Promise((resolve) => this.propose(group, command, resolve));
  }

  read(group: number, _request?: ReadRequest): ReadAnswer {
    this.asked++;
    if (this.beliefs[group] === undefined) return { unavailable: "no_leader" };
    return { refused: "stream_not_found" };
  }

  fetch(): Promise<Uint8Array> {
    throw new Error("nobody asks");
  }

  beginBootstrap(group: number): BootstrapAnswer {
    return this.read(group) as Exclude<ReadAnswer, { plan: unknown }>; // it plans nothing
  }

  nextOfBootstrap(): BootstrapBroken {
    return { broken: "nothing has begun" };
  }

  tellBootstrap(): void {
    this.asked++;
  }

  survey<A extends Survey["about"]>(
    group: number,
    survey: Extract<Survey, { about: A }>,
  ): SurveyAnswers[A] | Unavailable {
    const refusal = this.#refusal(group);
    if (refusal !== undefined) return refusal;
    const answers: Partial<SurveyAnswers> = {
      time: { nowMs: this.nodeId },
      link: { link: undefined },
      errands: {
        intents: [],
        reservations: [],
        unlinks: Array.from({ length: 2_000 }, (_, token) => ({ key: "demo/a", home: 1, token })),
      },
    };
    // Tests ask about these alone.
    return answers[survey.about] as SurveyAnswers[A];
  }

  facts(): GroupFacts {
    throw new Error("nobody asks");
  }

  watch(): undefined {
    this.asked++;
  }

  unwatch(): void {
    this.asked--;
  }

  #refusal(group: number): Unavailable | undefined {
    this.asked++;
    const leader = this.beliefs[group];
    if (leader === this.nodeId) return this.obstacle;
    if (leader === undefined) return { unavailable: "not_leader" };
    return { unavailable: "not_leader", leader: `${leader}.store` };
  }
}

/** A stream with `tail` bytes. */
export function factsOf(tail: number): StreamFacts {
  return {
    incarnation: "f0000000.0.1",
    contentType: "text/plain",
    json: false,
    tail,
    earliest: 0,
    closed: false,
    ttlSeconds: undefined,
    expiresAtMs: undefined,
    createdAtMs: 1,
    lastWriteAtMs: 2,
  };
}

/** What {@linkcode givenCluster} made. */
export interface GivenCluster {
  readonly clock: SimClock;
  /** By node id, from 1. */
  readonly nodes: ReadonlyMap<number, { readonly cluster: Cluster; readonly groups: GivenGroups }>;
  /** What entered any log, `<node> <key>`. */
  readonly log: string[];
  /** Calls made, `<from> <to>`. */
  readonly calls: string[];
  readonly lines: string[];
  /** What becomes of calls to a node; `answered` unless said otherwise. */
  readonly fates: Map<number, Fate>;
  /** Bytes that a node answers instead of its own. */
  forged: Uint8Array | undefined;
  node(id: number): { readonly cluster: Cluster; readonly groups: GivenGroups };
  /** Has every node believe that `leader` leads every group. */
  elect(leader: number | undefined): void;
}

/** Nodes 1 to `size`, none of which leads. */
export function givenCluster(size = 3): GivenCluster {
  const clock = new SimClock();
  const log: string[] = [];
  const calls: string[] = [];
  const lines: string[] = [];
  const fates = new Map<number, Fate>();
  const nodes = new Map<number, { cluster: Cluster; groups: GivenGroups }>();
  const linksOf = (from: number): PeerCalls => ({
    async call(to, kind, parts): Promise<Uint8Array | CallFailed> {
      calls.push(`${from} ${to}`);
      const bytes = joined(parts);
      const fate = fates.get(to) ?? "answered";
      if (fate === "not_sent") return { failed: fate };
      await later(clock);
      if (fate === "lost") return { failed: "unanswered" };
      const answer = fate === "silent" ? undefined : await new Promise<Uint8Array>((resolve) => {
        node(to).cluster.answerCall(kind, bytes, (answered) => resolve(answered.slice()));
      });
      await later(clock);
      if (fate === "answer_lost") return { failed: "unanswered" };
      if (answer === undefined) return new Promise(() => {});
      return given.forged ?? answer;
    },
  });
  const node = (id: number) => {
    const found = nodes.get(id);
    if (found === undefined) throw new Error(`no node ${id}`);
    return found;
  };
  for (let nodeId = 1; nodeId <= size; nodeId++) {
    const groups = new GivenGroups(nodeId, log);
    const takeLine = (line: string) => void lines.push(line);
    const peers = linksOf(nodeId);
    nodes.set(nodeId, {
      groups,
      cluster: new Cluster({ nodeId, local: groups, peers, clock, log: takeLine }),
    });
  }
  const given: GivenCluster = {
    clock,
    nodes,
    log,
    calls,
    lines,
    fates,
    forged: undefined,
    node,
    elect(leader) {
      for (const { groups } of nodes.values()) groups.beliefs.fill(leader);
    },
  };
  return given;
}

function later(clock: SimClock): Promise<void> {
  return new Promise((resolve) => clock.setTimer(WAY_MS, resolve));
}
