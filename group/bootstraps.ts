import type {
  Command,
  GroupState,
  MessagePlan,
  ObjectName,
  Outcome,
  StreamFacts,
  StreamKey,
} from "../stream/mod.ts";
import type { ReadAnswer } from "./answers.ts";
import { BootstrapSession } from "./bootstrap_session.ts";
import { KeptBytes } from "./kept_bytes.ts";

/** What a bootstrap promised is kept for so long, unless a node is told otherwise. */
export const BOOTSTRAP_AGE_MS_MAX = 60 * 60 * 1000;
/** Whoever is not heard of for so long has gone: a client that takes nothing is cut off before. */
const IDLE_MS = 60_000;

/** How bootstraps are bounded. */
export interface BootstrapBounds {
  /** Shared by all groups of a shard. */
  readonly kept: KeptBytes;
  /** `--bootstrap-max-age`. */
  readonly ageMsMax: number;
}

/** What a bootstrap asks of the group that holds the stream. */
export interface BootstrapRequest {
  readonly key: StreamKey;
  readonly incarnation?: string;
  /** Whether it pushes a TTL deadline back. */
  readonly touch: boolean;
}

/** A StreamSnapshot, and where its bytes are. */
export interface PublishedSnapshot {
  readonly offset: number;
  readonly contentType: string;
  readonly object: ObjectName;
}

/** A bootstrap that has begun, and what it promises. */
export interface BootstrapStart {
  /** Its name in its group on this node. */
  readonly session: number;
  /** As of now: the messages before the tail follow, from `facts.earliest` on. */
  readonly facts: StreamFacts;
  readonly snapshot: PublishedSnapshot | undefined;
}

/** What comes back for a {@linkcode BootstrapRequest}. */
export type BootstrapAnswer =
  | { readonly bootstrap: BootstrapStart }
  | Exclude<ReadAnswer, { plan: unknown }>;

/** A stretch of messages, the first and the last of which may be parts. */
export interface BootstrapStretch {
  /** In stored form. */
  readonly bytes: Uint8Array;
  /** Where in them messages end. */
  readonly ends: Uint32Array;
  /** Nothing follows. */
  readonly isLast: boolean;
}

/** Nothing more comes of a bootstrap. */
export interface BootstrapBroken {
  /** Why, for a person. */
  readonly broken: string;
}

/** The next stretch, some of which may have to be fetched. Valid until the next `apply`. */
export interface StretchPlan {
  readonly session: BootstrapSession;
  readonly plan: MessagePlan;
  readonly isLast: boolean;
}

/** The bootstraps of one group that this node serves (SPEC section 6). */
export class Bootstraps {
  readonly #sessions = new Map<number, BootstrapSession>();
  readonly #bounds: BootstrapBounds;
  #nextSession = 1;

  constructor(bounds?: BootstrapBounds) {
    this.#bounds = bounds ?? { kept: new KeptBytes(), ageMsMax: BOOTSTRAP_AGE_MS_MAX };
  }

  /** Streams that are read: their deadlines are held off. */
  *keys(): Generator<StreamKey, void, void> {
    for (const { key, broken } of this.#sessions.values()) if (broken === undefined) yield key;
  }

  /** Begins one of a stream that is there. */
  begin(state: GroupState, key: StreamKey, facts: StreamFacts, nowMs: number): BootstrapStart {
    const { kept } = this.#bounds;
    const id = this.#nextSession++;
    const session = new BootstrapSession(facts, key, nowMs, kept);
    this.#sessions.set(id, session);
    kept.add(session);
    return { session: id, facts, snapshot: snapshotOf(state, key) };
  }

  /**
   * What comes next; not to be asked before the last answer has come.
   *
   * @param admits says whether there is room for it; it comes again where there is none
   */
  next(
    id: number,
    state: GroupState,
    nowMs: number,
    admits: (plan: MessagePlan) => boolean = () => true,
  ): StretchPlan | BootstrapBroken {
    const session = this.#sessions.get(id);
    if (session === undefined) return { broken: "the bootstrap has ended" };
    session.usedMs = nowMs;
    const plan = session.take(state, admits);
    if (plan === undefined) return { broken: session.broken ?? "" };
    return { session, plan, isLast: plan.to === session.end };
  }

  /** Its client still takes what it has. */
  renew(id: number, nowMs: number): void {
    const session = this.#sessions.get(id);
    if (session !== undefined) session.usedMs = nowMs;
  }

  /** Ends one, whether it is through or not. Harmless when repeated. */
  end(id: number): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    session.breakOff("the bootstrap has ended");
    this.#bounds.kept.remove(session);
    this.#sessions.delete(id);
  }

  /** Ends all. */
  endAll(): void {
    for (const id of [...this.#sessions.keys()]) this.end(id);
  }

  /** Ends those that have gone on for too long, or that nobody takes care of. */
  tick(nowMs: number): void {
    for (const [id, session] of this.#sessions) {
      if (nowMs - session.usedMs >= IDLE_MS) this.end(id);
      else if (nowMs - session.begunMs >= this.#bounds.ageMsMax) {
        session.breakOff("it takes longer than what it needs is kept for");
      }
    }
  }

  /** Applies a command, and keeps what a `publish` trims for those to whom it was promised. */
  apply(state: GroupState, command: Command, index: number, stampMs: number): Outcome {
    if (command.type !== "publish" || this.#sessions.size === 0) {
      return state.apply(command, index, stampMs);
    }
    const undo: (() => void)[] = [];
    for (const session of this.#sessions.values()) {
      const isTrimmed = session.key === command.key;
      const letGo = isTrimmed ? session.keep(state, command.offset) : undefined;
      if (letGo !== undefined) undo.push(letGo);
    }
    const outcome = state.apply(command, index, stampMs);
    const trims = "ok" in outcome && outcome.ok === "published" && !outcome.repeated;
    if (!trims) { for (const letGo of undo) letGo(); }
    this.#bounds.kept.bound();
    return outcome;
  }
}

function snapshotOf(state: GroupState, key: StreamKey): PublishedSnapshot | undefined {
  const snapshot = state.snapshot(key);
  if (snapshot === undefined) return undefined;
  const { offset, contentType, number, length } = snapshot;
  const object = state.cold.objects.get(number);
  if (object === undefined) throw new Error("a snapshot refers to an object without a record");
  return { offset, contentType, object: { number, term: object.term, length } };
}
