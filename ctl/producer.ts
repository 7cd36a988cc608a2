import {
  CONTENT_TYPE,
  PRODUCER_EPOCH,
  PRODUCER_ID,
  PRODUCER_SEQ,
  STREAM_NEXT_OFFSET,
} from "../protocol/mod.ts";
import { CallError } from "./client.ts";
import { Failure } from "./failure.ts";
import type { StreamName, Streams } from "./streams.ts";

/**
 * A stream remembers each producer for days, and has room for 4,096. All that run this program share
 * so many names, each use of one with a higher epoch than the one before.
 */
const NAMES = 64;
/** Names that are tried, where others take them over at the same time. */
const TRIES = 8;

/** Runs that begin within one millisecond have epochs of their own, mostly. */
const EPOCHS_PER_MS = 1_024;

/** Appends to one stream, each message once, however often a request has to be repeated. */
export class Producer {
  readonly #streams: Streams;
  readonly #stream: StreamName;
  readonly #contentType: string;
  #id = nameOf(below(NAMES));
  #epoch = epochNow();
  #seq = 0;

  constructor(streams: Streams, stream: StreamName, contentType: string) {
    this.#streams = streams;
    this.#stream = stream;
    this.#contentType = contentType;
  }

  /**
   * Appends a body, and answers the tail behind it.
   *
   * @throws {CallError} when it is refused
   */
  async append(body: Uint8Array<ArrayBuffer>): Promise<string> {
    for (let attempt = 1;; attempt++) {
      let isRepeat = false;
      let epochInForce = 0;
      try {
        const response = await this.#streams.send(this.#stream.path, {
          method: "POST",
          headers: {
            [CONTENT_TYPE]: this.#contentType,
            [PRODUCER_ID]: this.#id,
            [PRODUCER_EPOCH]: String(this.#epoch),
            [PRODUCER_SEQ]: String(this.#seq),
          },
          body,
          onTrouble: () => isRepeat = true,
        });
        await response.body?.cancel();
        // 204 says that it was there before (P§5.2.1): another run's, unless this one repeated it.
        if (response.status !== 204 || isRepeat) {
          this.#seq++;
          return response.headers.get(STREAM_NEXT_OFFSET) ?? "";
        }
        if (attempt === TRIES) throw new Failure("others use every name that a producer may have");
      } catch (error) {
        if (!(error instanceof CallError) || error.code !== "producer_epoch_stale") throw error;
        if (isRepeat) {
          throw new Failure("another ursulactl took over: the last message may be there or not");
        }
        if (attempt === TRIES) throw error;
        epochInForce = error.refusal.epoch ?? 0;
      }
      // Another run has this name, or this machine's clock is behind the one that used it last.
      this.#id = nameOf(below(NAMES));
      this.#epoch = Math.max(epochNow(), epochInForce + 1 + below(EPOCHS_PER_MS));
      this.#seq = 0;
    }
  }
}

function epochNow(): number {
  return Date.now() * EPOCHS_PER_MS + below(EPOCHS_PER_MS);
}

function below(count: number): number {
  return Math.floor(Math.random() * count);
}

function nameOf(number: number): string {
  return `ursulactl-${number}`;
}
