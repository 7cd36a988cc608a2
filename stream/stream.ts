/**
 * One stream's state.
 *
 * @module
 */

import type { Bucket } from "./buckets.ts";
import type { StreamChange } from "./changes.ts";
import type { ContentType } from "./content_type.ts";
import type { StreamSnapshot } from "./cold_types.ts";
import type { StreamLog } from "./log.ts";
import type { Producers } from "./producers.ts";
import type { ProducerStamp, StreamFacts, StreamKey } from "./types.ts";

/** Where a fork came from (P§4.2). */
export interface ForkOrigin {
  /** Kept, soft-deleted at most, as long as this fork. */
  readonly source: Stream;
  /** The divergence point before the sub-offset. */
  readonly anchor: number;
  /** Did the request name the anchor? Otherwise it was the source's tail. */
  readonly anchorAsked: boolean;
  readonly subOffset: number;
  /** Neither TTL nor expiry was asked for: the source's were taken over. */
  readonly lifetimeInherited: boolean;
  /** Bytes that come from the source. */
  readonly inheritedBytes: number;
}

/** The home group's link to a fork that lives elsewhere; see `Reservation`. */
export interface HomeLink {
  readonly home: number;
  readonly token: number;
}

/** What most streams never have. */
export class RareParts {
  ttlSeconds: number | undefined = undefined;
  expiresAtMs: number | undefined = undefined;
  /** Stamp of the last replicated touch; kept for streams with a TTL. */
  touchedMs = 0;
  /** The deadline under which the stream waits in the deadline queue; not replicated. */
  queuedMs = 0;
  lastStreamSeq: string | undefined = undefined;
  producers: Producers | undefined = undefined;
  /** The request that closed the stream, where it named a producer. */
  closedBy: ProducerStamp | undefined = undefined;
  fork: ForkOrigin | undefined = undefined;
  link: HomeLink | undefined = undefined;
  /** Forks that name this stream as their source. */
  forks = 0;
  /** Earliest retained offset. */
  earliest = 0;
  snapshot: StreamSnapshot | undefined = undefined;
}

/**
 * A stream. Field by field it is small, because a node holds a million of them: what is rare lies
 * in `rare`, hot bytes in `log`, both absent at first.
 */
export class Stream {
  tail = 0;
  closed = false;
  softDeleted = false;
  /** No longer in the table; lists that are tidied later may still hold it. */
  ended = false;
  lastWriteAtMs: number;
  log: StreamLog | undefined = undefined;
  rare: RareParts | undefined = undefined;
  /** The entry in the changes not yet taken. */
  change: StreamChange | undefined = undefined;
  /** Number of the last export that holds this stream already, or began before it was created. */
  exportSeen: number;

  /**
   * @param index the log index that created it: unique in its group, for ever
   * @param exportSeen see the field
   */
  constructor(
    readonly key: StreamKey,
    readonly bucket: Bucket,
    readonly index: number,
    readonly incarnation: string,
    readonly type: ContentType,
    readonly createdAtMs: number,
    exportSeen: number,
  ) {
    this.lastWriteAtMs = createdAtMs;
    this.exportSeen = exportSeen;
  }
}

/** The stream's rare parts, made on first need. */
export function rareOf(stream: Stream): RareParts {
  return stream.rare ??= new RareParts();
}

/** Earliest retained offset. */
export function earliestOf(stream: Stream): number {
  return stream.rare === undefined ? 0 : stream.rare.earliest;
}

/** What every answer says of a stream, as of now. */
export function factsOf(stream: Stream): StreamFacts {
  const rare = stream.rare;
  return {
    incarnation: stream.incarnation,
    contentType: stream.type.text,
    json: stream.type.json,
    tail: stream.tail,
    earliest: rare === undefined ? 0 : rare.earliest,
    closed: stream.closed,
    ttlSeconds: rare === undefined ? undefined : rare.ttlSeconds,
    expiresAtMs: rare === undefined ? undefined : rare.expiresAtMs,
    createdAtMs: stream.createdAtMs,
    lastWriteAtMs: stream.lastWriteAtMs,
  };
}
