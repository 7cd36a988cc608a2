import type { GroupState } from "../stream/mod.ts";
import type { ReadPlan, Slice, StreamFacts, StreamKey } from "../stream/types.ts";

/** More bytes than this in one wake-up are not sent along: the reader fetches them itself. */
const EVENT_BYTES_MAX = 256 * 1024;

/** What the owner of a stream tells each shard that has live readers on it. */
export interface LiveEvent {
  /** Offset of the first byte. Earlier events went up to exactly here. */
  readonly from: number;
  /** The tail now. */
  readonly to: number;
  /** Bytes `from` to `to` in stored form; absent when there are too many to send along. */
  readonly slices: readonly Slice[] | undefined;
  /** The stream is closed: `to` is final. */
  readonly closed: boolean;
  /** The incarnation is over (deleted, expired), or this replica can no longer tell. */
  readonly ended: boolean;
  /** With `ended`: this replica can no longer tell, and the stream may well live on. */
  readonly lost?: boolean;
}

/** Called once for each event of a stream, in order. */
export type Watcher = (event: LiveEvent) => void;

interface WatchedStream {
  readonly incarnation: string;
  sent: number;
  readonly watchers: Set<Watcher>;
}

/** Who waits for which stream of one group. */
export class Watches {
  readonly #streams = new Map<StreamKey, WatchedStream>();

  /** Keys that somebody watches: their deadlines are held off. */
  keys(): Iterable<StreamKey> {
    return this.#streams.keys();
  }

  /** Whether nobody watches anything. */
  get empty(): boolean {
    return this.#streams.size === 0;
  }

  /** Begins to watch a stream at its present tail; events follow from there. */
  add(key: StreamKey, facts: StreamFacts, watcher: Watcher): void {
    let watched = this.#streams.get(key);
    if (watched === undefined || watched.incarnation !== facts.incarnation) {
      watched = { incarnation: facts.incarnation, sent: facts.tail, watchers: new Set() };
      this.#streams.set(key, watched);
    }
    watched.watchers.add(watcher);
  }

  /** Stops watching. */
  remove(key: StreamKey, watcher: Watcher): void {
    const watched = this.#streams.get(key);
    if (watched?.watchers.delete(watcher) && watched.watchers.size === 0) this.#streams.delete(key);
  }

  /** Tells the watchers of all streams that have changed. */
  wakeAll(state: GroupState): void {
    const changed = state.takeChanged();
    if (this.empty) return;
    for (const { key } of changed) this.wake(key, state);
  }

  /** Tells the watchers of one stream what became of it since they last heard. */
  wake(key: StreamKey, state: GroupState): void {
    const watched = this.#streams.get(key);
    if (watched === undefined) return;
    const answer = state.read(key, watched.sent, EVENT_BYTES_MAX, watched.incarnation);
    if (!("slices" in answer)) return this.#end(key, watched, false);
    const event = eventOf(answer, watched.sent);
    watched.sent = event.to;
    for (const watcher of [...watched.watchers]) watcher(event);
  }

  /** Ends every watch: this replica no longer knows what is committed. */
  endAll(): void {
    for (const [key, watched] of [...this.#streams]) this.#end(key, watched, true);
  }

  #end(key: StreamKey, watched: WatchedStream, lost: boolean): void {
    this.#streams.delete(key);
    const { sent } = watched;
    const event = { from: sent, to: sent, slices: [], closed: false, ended: true, lost };
    for (const watcher of watched.watchers) watcher(event);
  }
}

function eventOf(plan: ReadPlan, from: number): LiveEvent {
  const { tail, closed } = plan.facts;
  const whole = plan.upToDate && plan.cold === undefined;
  return { from, to: tail, slices: whole ? plan.slices : undefined, closed, ended: false };
}
