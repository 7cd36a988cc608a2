import type {
  BootstrapAnswer,
  BootstrapBroken,
  BootstrapRequest,
  BootstrapStart,
  BootstrapStretch,
  PublishedSnapshot,
  Unavailable,
} from "../group/mod.ts";
import type { Eventually, GroupAccess } from "../shard/mod.ts";
import type { StreamFacts } from "../stream/mod.ts";
import type { Moved } from "./moved.ts";

/** Why a bootstrap does not begin. */
export type BootstrapRefusal = Exclude<
  BootstrapAnswer,
  { bootstrap: unknown } | Moved
>;

const NOT_FOUND: BootstrapRefusal = { refused: "stream_not_found" };

/** A bootstrap under way, in the group that holds its stream. */
export class Bootstrap {
  readonly #access: GroupAccess;
  readonly #group: number;
  readonly #start: BootstrapStart;

  private constructor(access: GroupAccess, group: number, start: BootstrapStart) {
    this.#access = access;
    this.#group = group;
    this.#start = start;
  }

  /** Begins one in a path's home group, or where the fork at the path lives. */
  static async begin(
    access: GroupAccess,
    home: number,
    request: BootstrapRequest,
  ): Promise<Bootstrap | BootstrapRefusal> {
    const there = await access.beginBootstrap(home, request);
    if ("bootstrap" in there) return new Bootstrap(access, home, there.bootstrap);
    if (!("ok" in there)) return there;
    if (!there.linked) return NOT_FOUND;
    const moved = await access.beginBootstrap(there.target, request);
    if ("bootstrap" in moved) return new Bootstrap(access, there.target, moved.bootstrap);
    return "ok" in moved ? NOT_FOUND : moved;
  }

  /** The stream as it was when this began: messages follow from `earliest` to `tail`. */
  get facts(): StreamFacts {
    return this.#start.facts;
  }

  /** What the messages follow. */
  get snapshot(): PublishedSnapshot | undefined {
    return this.#start.snapshot;
  }

  /** The next stretch of messages; to be asked again once it is here. */
  next(): Eventually<BootstrapStretch | BootstrapBroken | Unavailable> {
    return this.#access.nextOfBootstrap(this.#group, this.#start.session);
  }

  /** Bytes of the snapshot, 1 MiB at most. */
  fetch(
    { object }: PublishedSnapshot,
    offset: number,
    length: number,
  ): Promise<Uint8Array | Unavailable> {
    return this.#access.fetch(this.#group, object, offset, length);
  }

  /** The client still takes what it is sent. */
  goOn(): void {
    this.#access.tellBootstrap(this.#group, this.#start.session, "goes_on");
  }

  /** It is over. Harmless when repeated. */
  end(): void {
    this.#access.tellBootstrap(this.#group, this.#start.session, "ends");
  }
}
