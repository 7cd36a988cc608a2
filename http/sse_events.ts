import { encodeBase64 } from "./base64.ts";

/** How the bytes of a stream become lines of an event (P§5.8). */
export type DataForm = "text" | "json" | "base64";

const encoder = new TextEncoder();
const DATA_EVENT = encoder.encode("event: data\n");
const DATA_LINE = encoder.encode("data:");
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COMMA = 0x2c;

/** A line that readers skip and proxies take for life. */
export const KEEP_ALIVE: Uint8Array = encoder.encode(":\n\n");

/** How a stream of this content type is sent (P§5.8). */
export function dataFormOf(contentType: string, json: boolean): DataForm {
  if (json) return "json";
  return /^\s*text\//i.test(contentType) ? "text" : "base64";
}

/** What a `control` event says. */
export interface Control {
  readonly nextOffset: string;
  readonly cursor: number;
  readonly upToDate: boolean;
  readonly closed: boolean;
}

/** A `control` event. Without a cursor when the stream is closed: nobody comes back (P§5.8). */
export function controlEvent(control: Control): Uint8Array {
  const { nextOffset, cursor, upToDate, closed } = control;
  const cursorField = closed ? "" : `,"streamCursor":"${cursor}"`;
  const upToDateField = upToDate ? `,"upToDate":true` : "";
  const closedField = closed ? `,"streamClosed":true` : "";
  return encoder.encode(
    `event: control\ndata:{"streamNextOffset":"${nextOffset}"${cursorField}${upToDateField}${closedField}}\n\n`,
  );
}

/** A `data` event with stored bytes of a stream. */
export function dataEvent(stored: Uint8Array, form: DataForm): Uint8Array {
  if (form === "json") return jsonEvent(stored);
  if (form === "base64") return lineEvent(encoder.encode(encodeBase64(stored)));
  return textEvent(stored);
}

/** Stored JSON has no line ends outside strings, and in strings they are escaped: one line. */
function jsonEvent(stored: Uint8Array): Uint8Array {
  const end = stored[stored.length - 1] === COMMA ? stored.length - 1 : stored.length;
  const line = new Uint8Array(end + 2);
  line[0] = 0x5b;
  line.set(stored.subarray(0, end), 1);
  line[end + 1] = 0x5d;
  return lineEvent(line);
}

function lineEvent(line: Uint8Array): Uint8Array {
  const event = new Uint8Array(DATA_EVENT.length + DATA_LINE.length + line.length + 2);
  event.set(DATA_EVENT);
  event.set(DATA_LINE, DATA_EVENT.length);
  event.set(line, DATA_EVENT.length + DATA_LINE.length);
  event[event.length - 2] = LF;
  event[event.length - 1] = LF;
  return event;
}

/** Text is split at every line end that a reader of events knows: CR LF, LF and CR. */
function textEvent(text: Uint8Array): Uint8Array {
  const lines = linesOf(text);
  let length = DATA_EVENT.length + 1;
  for (const [start, end] of lines) length += DATA_LINE.length + 1 + (end - start) + 1;
  const event = new Uint8Array(length);
  event.set(DATA_EVENT);
  let at = DATA_EVENT.length;
  for (const [start, end] of lines) {
    event.set(DATA_LINE, at);
    at += DATA_LINE.length;
    // Readers drop one space after the colon: a line that begins with one needs another.
    if (text[start] === SPACE && end > start) event[at++] = SPACE;
    event.set(text.subarray(start, end), at);
    at += end - start;
    event[at++] = LF;
  }
  event[at++] = LF;
  return event.subarray(0, at);
}

function linesOf(text: Uint8Array): [number, number][] {
  const lines: [number, number][] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at];
    if (byte !== LF && byte !== CR) continue;
    lines.push([start, at]);
    if (byte === CR && text[at + 1] === LF) at++;
    start = at + 1;
  }
  lines.push([start, text.length]);
  return lines;
}

/** Both parts of one message, to be written at once. */
export function joinEvents(data: Uint8Array, control: Uint8Array): Uint8Array {
  const both = new Uint8Array(data.length + control.length);
  both.set(data);
  both.set(control, data.length);
  return both;
}

/** How many of the last bytes begin a code point that is not whole yet: 0 to 3. */
export function incompleteTail(bytes: Uint8Array): number {
  const length = bytes.length;
  for (let back = 1; back <= 3 && back <= length; back++) {
    const byte = bytes[length - back] as number;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? back : 0;
  }
  return 0;
}
