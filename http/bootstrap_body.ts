import type { PublishedSnapshot } from "../group/mod.ts";
import type { Clock, Timer } from "../io/mod.ts";
import type { Bootstrap } from "../node/bootstrap.ts";
import { DEFAULT_CONTENT_TYPE } from "../stream/mod.ts";
import { CHUNK_BYTES, MultipartMessages } from "./multipart.ts";

/** Bytes of a snapshot that are fetched at a time. */
const PIECE_BYTES = 1024 * 1024;
/** A client that takes nothing for so long is cut off. */
const STALL_MS = 30_000;
/** How often the session hears that its client still takes what was fetched for it. */
const TELL_MS = 10_000;

/** The body of a bootstrap, as its client takes it: a stretch and a few chunks are in memory. */
export class BootstrapBody {
  /** To be sent as the response's body. */
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly #bootstrap: Bootstrap;
  readonly #clock: Clock;
  readonly #chunks: AsyncGenerator<Uint8Array, void, void>;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #stall: Timer | undefined;
  #isFetching = false;
  #takenMs: number;
  #toldMs: number;

  /** @param beginning of the snapshot, where there is one */
  constructor(
    bootstrap: Bootstrap,
    boundary: string,
    beginning: Uint8Array | undefined,
    clock: Clock,
  ) {
    this.#bootstrap = bootstrap;
    this.#clock = clock;
    this.#chunks = chunksOf(bootstrap, boundary, beginning);
    this.#takenMs = this.#toldMs = clock.monotonicMs();
    // Room for one chunk: whenever that is taken, the next one is asked for.
    this.stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#pull(),
      cancel: () => this.#end(),
    });
    this.#watch(STALL_MS);
  }

  /** Called when the client has taken some of what it was sent. */
  async #pull(): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#toldMs >= TELL_MS) {
      this.#toldMs = nowMs;
      this.#bootstrap.goOn();
    }
    this.#isFetching = true;
    try {
      const { done, value } = await this.#chunks.next();
      if (!done) return this.#controller.enqueue(value);
      this.#end();
      this.#controller.close();
    } catch (reason) {
      // No closing boundary: whoever reads this knows that it is not whole.
      this.#end();
      this.#controller.error(reason);
    } finally {
      this.#isFetching = false;
      this.#takenMs = this.#clock.monotonicMs();
    }
  }

  #watch(delayMs: number): void {
    this.#stall = this.#clock.setTimer(delayMs, () => {
      const silentMs = this.#clock.monotonicMs() - this.#takenMs;
      if (this.#isFetching) return this.#watch(STALL_MS);
      if (silentMs < STALL_MS) return this.#watch(STALL_MS - silentMs);
      this.#end();
      this.#controller.error(new Error("the client takes nothing"));
    });
  }

  #end(): void {
    this.#stall?.cancel();
    this.#bootstrap.end();
  }
}

async function* chunksOf(
  bootstrap: Bootstrap,
  boundary: string,
  beginning: Uint8Array | undefined,
): AsyncGenerator<Uint8Array, void, void> {
  const { snapshot, facts } = bootstrap;
  const parts = new MultipartMessages(boundary, facts.contentType, facts.json);
  yield parts.first(snapshot?.contentType ?? DEFAULT_CONTENT_TYPE);
  if (snapshot !== undefined) yield* snapshotOf(bootstrap, snapshot, beginning);
  if (facts.tail > facts.earliest) yield* messagesOf(bootstrap, parts);
  yield parts.last();
}

async function* snapshotOf(
  bootstrap: Bootstrap,
  snapshot: PublishedSnapshot,
  beginning: Uint8Array | undefined,
): AsyncGenerator<Uint8Array, void, void> {
  const { length } = snapshot.object;
  let piece = beginning;
  for (let at = 0; at < length;) {
    piece ??= await piecedFrom(bootstrap, snapshot, at);
    for (let sent = 0; sent < piece.length; sent += CHUNK_BYTES) {
      yield piece.subarray(sent, sent + CHUNK_BYTES);
    }
    at += piece.length;
    piece = undefined;
  }
}

async function piecedFrom(
  bootstrap: Bootstrap,
  snapshot: PublishedSnapshot,
  at: number,
): Promise<Uint8Array> {
  const found = await bootstrap.fetch(snapshot, at, pieceBytes(snapshot, at));
  if ("unavailable" in found) throw new Error(`the snapshot can't be read: ${found.unavailable}`);
  return found;
}

/** Length of the snapshot's piece at an offset. */
export function pieceBytes({ object }: PublishedSnapshot, at: number): number {
  return Math.min(PIECE_BYTES, object.length - at);
}

async function* messagesOf(
  bootstrap: Bootstrap,
  parts: MultipartMessages,
): AsyncGenerator<Uint8Array, void, void> {
  let next = await bootstrap.next();
  while (true) {
    if (!("bytes" in next)) {
      throw new Error("broken" in next ? next.broken : `the bootstrap ends: ${next.unavailable}`);
    }
    parts.take(next);
    // On its way while the client takes this one.
    const ahead = next.isLast ? undefined : bootstrap.next();
    for (let chunk = parts.render(); chunk !== undefined; chunk = parts.render()) yield chunk;
    if (ahead === undefined) return;
    next = await ahead;
  }
}
