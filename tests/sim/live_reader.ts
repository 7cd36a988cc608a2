import { joinSlices, type ReadAnswer, type ReadRequest } from "../../group/mod.ts";
import type { Feed, FeedBatch, FeedReader, Seat } from "../../shard/mod.ts";
import { show } from "./check/path_model.ts";
import { takePlan } from "./requests.ts";
import type { SimNode } from "./sim_node.ts";
import { Violation } from "./violation.ts";
import { note, pause, type World } from "./world.ts";

/** What a reader fetches at once when it has fallen behind. */
const CATCH_UP_BYTES = 64 * 1024;
/** Ticks come every 50 ms, and each touches what is watched; a little later that is in the log. */
const TOUCHED_BEFORE_MS = 100;

/** One live read, as the client plane does it: first a read, then the feed, gaps read again. */
export class LiveReader implements FeedReader {
  readonly node: SimNode;
  readonly #world: World;
  readonly #life: number;
  readonly #who: string;
  readonly #key: string;
  readonly #incarnation: string;
  #feed: Feed | undefined;
  #seat: Seat<FeedReader> | undefined;
  #offset: number;
  #over = false;
  readonly #beganMs: number;
  #catchingUp = false;

  private constructor(
    world: World,
    node: SimNode,
    who: string,
    key: string,
    incarnation: string,
    offset: number,
  ) {
    this.#world = world;
    this.node = node;
    this.#life = node.lives;
    this.#who = who;
    this.#key = key;
    this.#incarnation = incarnation;
    this.#offset = offset;
    this.#beganMs = world.clock.monotonicMs();
  }

  /**
   * Follows a stream for a while.
   * @param start what the read before it was answered
   */
  static async follow(
    world: World,
    node: SimNode,
    who: string,
    start: { key: string; incarnation: string; offset: number },
    durationMs: number,
  ): Promise<void> {
    const { key, incarnation, offset } = start;
    const feed = await node.call(async ({ streams }) => ({
      feed: await streams.watch(key, incarnation),
    }));
    if ("lost" in feed || feed.feed === undefined) return;
    const reader = new LiveReader(world, node, who, key, incarnation, offset);
    reader.#begin(feed.feed);
    await pause(world, durationMs);
    await reader.#end();
  }

  /** How long it has been reading, in ms. */
  get ageMs(): number {
    return this.#world.clock.monotonicMs() - this.#beganMs;
  }

  /** Does it still wait for news from the process that it asked? */
  get waits(): boolean {
    return !this.#over && this.#isServed;
  }

  onBatch(batch: FeedBatch): void {
    this.#guard(() => {
      const key = this.#key;
      this.#world.trace.line(
        `${this.#who} hears ${key} ${batch.from}..${batch.to}${batch.closed ? " closed" : ""}`,
      );
      if (batch.to < batch.from || (batch.to === batch.from && !batch.closed)) {
        throw new Violation("live", `${key}: an event without news at ${batch.from}`);
      }
      if (batch.from === this.#offset && batch.bytes !== undefined) {
        if (batch.bytes.length !== batch.to - batch.from) {
          throw new Violation("live", `${key}: ${batch.bytes.length} bytes to ${batch.to}`);
        }
        const { ledger } = this.#world;
        ledger.read(key, this.#incarnation, batch.from, batch.bytes, this.#who);
        this.#offset = batch.to;
      } else if (batch.from > this.#offset && this.#feed !== undefined) {
        this.#catchUp();
      }
    });
  }

  onEnd(): void {
    if (this.#over || !this.#isServed) return;
    this.#guard(() => {
      this.#world.trace.line(`${this.#who} hears the end of ${this.#key}`);
      this.#leave();
      if (this.#world.mayBeDeaf(this.node)) return;
      const { namespace } = this.#world;
      const command = { type: "ended", incarnation: this.#incarnation } as const;
      namespace.end(namespace.begin(command, this.#key), { ended: true });
    });
  }

  /** The process that was asked is there, and means to stay. */
  get #isServed(): boolean {
    return this.node.lives === this.#life && !this.node.ending;
  }

  #begin(feed: Feed): void {
    this.#guard(() => {
      this.#feed = feed;
      this.#world.readers.add(this);
      this.#world.namespace.path(this.#key).hold(this.#incarnation);
      this.#seat = feed.add(this);
      if (feed.ended) this.onEnd();
      else if (feed.position > this.#offset) this.#catchUp();
    });
  }

  /** Reads what it has missed. */
  #catchUp(): void {
    while (!this.#over && !this.#catchingUp && this.#offset < (this.#feed?.position ?? 0)) {
      const request: ReadRequest = {
        key: this.#key,
        from: this.#offset,
        maxBytes: CATCH_UP_BYTES,
        incarnation: this.#incarnation,
        touch: false,
      };
      const answer = this.node.runtime?.streams.read(request);
      if (answer === undefined) return;
      if (!(answer instanceof Promise)) {
        if (!this.#take(request, answer)) return;
        continue;
      }
      this.#catchingUp = true;
      answer.then((found) => {
        this.#catchingUp = false;
        if (this.#over || !this.#isServed) return;
        this.#guard(() => {
          if (this.#take(request, found)) this.#catchUp();
        });
      });
    }
  }

  /** Takes what a read brought; false where it brought nothing. */
  #take(request: ReadRequest, answer: ReadAnswer): boolean {
    if (!("plan" in answer)) return false;
    takePlan(this.#world, this.#who, request, answer.plan);
    note(this.#world, this.#key, answer.plan.facts);
    this.#offset = answer.plan.next;
    return true;
  }

  /** Leaves; whoever stood at the feed has seen all that is applied. */
  async #end(): Promise<void> {
    const feed = this.#feed;
    if (!this.waits || feed === undefined) return;
    const answer = await this.node.call(({ streams }) =>
      streams.read({
        key: this.#key,
        from: "now",
        maxBytes: 0,
        incarnation: this.#incarnation,
        touch: false,
      })
    );
    if (!this.waits || "lost" in answer) return;
    if (!("plan" in answer)) {
      // A fork may live in a group whose leader does not reach this node: it has yet to hear there
      // what the group of its path knows.
      if (this.#world.mayBeDeaf(this.node)) return this.#leave();
      const said = JSON.stringify(answer);
      throw new Violation("live", `${this.#key} is over, and its readers do not know: ${said}`);
    }
    const { tail, closed } = answer.plan.facts;
    if (feed.position < tail || (closed && !feed.closed)) {
      throw new Violation("live", `${this.#key} is at ${tail}, its readers at ${feed.position}`);
    }
    // A lone node answers at once; elsewhere more may have come since the read was answered.
    const isLone = this.#world.nodes.length === 1;
    if (isLone && (feed.position !== tail || feed.closed !== closed)) {
      throw new Violation("live", `${this.#key} is at ${tail}, its readers at ${feed.position}`);
    }
    const joined = joinSlices(answer.plan.slices);
    if (joined.length > 0) throw new Violation("live", `${show(answer)} brought bytes`);
    this.#leave();
  }

  #leave(): void {
    this.#over = true;
    this.#world.readers.delete(this);
    const untilMs = this.node.groupTimes().min - TOUCHED_BEFORE_MS;
    this.#world.namespace.path(this.#key).release(this.#incarnation, untilMs);
    if (this.#seat !== undefined) this.#feed?.remove(this.#seat);
  }

  /** What goes wrong inside the product's call must not be the product's to handle. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#over = true;
      this.#world.fail(error);
    }
  }
}
