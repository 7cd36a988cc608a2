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

/** Appends to one stream, each message once, however often a request has to be repeated. */
export class Producer {
  readonly #streams: Streams;
  readonly #stream: StreamName;
  readonly #contentType: string;
  #id = nameOf(Math.floor(Math.random() * NAMES));
  #epoch = Date.now();
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
      try {
        const headers = await this.#streams.tell(this.#stream.path, {
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
        this.#seq++;
        return headers.get(STREAM_NEXT_OFFSET) ?? "";
      } catch (error) {
        if (!(error instanceof CallError) || error.code !== "producer_epoch_stale") throw error;
        if (isRepeat) {
          throw new Failure("another ursulactl took over: the last message may be there or not");
        }
        if (attempt === TRIES) throw error;
        this.#begin(error.refusal.epoch ?? 0);
      }
    }
  }

  /** Another run has this name, or this machine's clock is behind the one that last used it. */
  #begin(epochInForce: number): void {
    this.#id = nameOf(Math.floor(Math.random() * NAMES));
    this.#epoch = Math.max(Date.now(), epochInForce + 1);
    this.#seq = 0;
  }
}

function nameOf(number: number): string {
  return `ursulactl-${number}`;
}
