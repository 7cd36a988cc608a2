import { BATCH_LENGTH_BYTES, type ErrorCode } from "../protocol/mod.ts";
import { type Body, isJson, type NormalizedJson, normalizeJson } from "../stream/mod.ts";
import { invalidJson, MESSAGES_MAX, messagesBody } from "./write_request.ts";

/** Why an item can't be appended, whatever the stream. */
export interface ItemFault {
  readonly error: ErrorCode;
  /** In place of the table's. */
  readonly message?: string;
}

/** A batch in stored form: what its good items append together, in one piece. */
export interface StoredBatch {
  /** Left out where no item is good. */
  readonly body: Body | undefined;
  /** Bytes that each item adds to the stream, in order, or why it adds none. */
  readonly items: readonly (number | ItemFault)[];
}

/**
 * The items of a batch in stored form, as the content type asks. Each is taken as the body of an
 * append would be, and ends a message.
 *
 * @param bytes the request's body, which is written over
 * @param lengths what `parseBatch()` found in it
 * @param itemBytesMax most that one item may have
 */
export function storedBatch(
  bytes: Uint8Array,
  lengths: readonly number[],
  contentType: string,
  itemBytesMax: number,
): StoredBatch {
  return isJson(contentType)
    ? storedJson(bytes, lengths, itemBytesMax)
    : storedBytes(bytes, lengths, itemBytesMax);
}

/** The lengths between the items go; the bytes close up where they are. */
function storedBytes(
  bytes: Uint8Array,
  lengths: readonly number[],
  itemBytesMax: number,
): StoredBatch {
  const items: (number | ItemFault)[] = [];
  const stored: number[] = [];
  let from = 0, to = 0;
  for (const length of lengths) {
    from += BATCH_LENGTH_BYTES;
    if (length > itemBytesMax) {
      items.push(tooLarge(itemBytesMax));
    } else {
      bytes.copyWithin(to, from, from + length);
      to += length;
      stored.push(length);
      items.push(length);
    }
    from += length;
  }
  return { body: messagesBody(bytes.subarray(0, to), stored), items };
}

function storedJson(
  bytes: Uint8Array,
  lengths: readonly number[],
  itemBytesMax: number,
): StoredBatch {
  const items: (number | ItemFault)[] = [];
  const stored: NormalizedJson["lengths"][] = [];
  // An item's stored form is longer by one byte at most, and its length took four.
  const output = new Uint8Array(bytes.length);
  let from = 0, to = 0, messagesMax = MESSAGES_MAX;
  for (const length of lengths) {
    from += BATCH_LENGTH_BYTES;
    const item = bytes.subarray(from, from + length);
    from += length;
    if (length > itemBytesMax) {
      items.push(tooLarge(itemBytesMax));
      continue;
    }
    const normalized = normalizeJson(item, output, to, { flatten: true, messagesMax });
    if ("fault" in normalized) {
      items.push(invalidJson("item", normalized));
    } else if (normalized.lengths.length === 0) {
      items.push({ error: "empty_json_array" });
    } else {
      to += normalized.written;
      messagesMax -= normalized.lengths.length;
      stored.push(normalized.lengths);
      items.push(normalized.written);
    }
  }
  return { body: messagesBody(output.subarray(0, to), joined(stored)), items };
}

/** There may be millions of messages, so none is pushed by itself. */
function joined(all: readonly NormalizedJson["lengths"][]): NormalizedJson["lengths"] {
  const lengths = new Uint32Array(all.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const some of all) {
    lengths.set(some, at);
    at += some.length;
  }
  return lengths;
}

function tooLarge(itemBytesMax: number): ItemFault {
  return {
    error: "payload_too_large",
    message: `the item is larger than ${itemBytesMax} bytes, the most that one append may have`,
  };
}
