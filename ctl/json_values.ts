const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const LF = 0x0a;

/**
 * Takes the array apart that a JSON stream is read as, piece by piece as it comes, into a line for
 * each value: its very bytes, which the server keeps without line ends or spaces. A value of which
 * only the beginning has come waits for its rest.
 */
export class JsonValues {
  /** Bytes of the stream up to the end of the last whole value. */
  storedBytes = 0;
  #begun = false;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #waiting: Uint8Array[] = [];

  /** The lines that this piece makes whole. */
  push(piece: Uint8Array): Uint8Array[] {
    const lines: Uint8Array[] = [];
    let start = 0;
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at] as number;
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#inString = false;
        continue;
      }
      switch (byte) {
        case QUOTE:
          this.#inString = true;
          break;
        case OPEN_BRACE:
          this.#depth++;
          break;
        case OPEN_BRACKET:
          if (this.#begun) this.#depth++;
          else start = at + 1;
          this.#begun = true;
          break;
        case COMMA:
        case CLOSE_BRACE:
        case CLOSE_BRACKET:
          if (this.#depth > 0) {
            if (byte !== COMMA) this.#depth--;
            break;
          }
          this.#end(piece.subarray(start, at), lines);
          start = at + 1;
      }
    }
    if (start < piece.length) this.#waiting.push(piece.slice(start));
    return lines;
  }

  #end(rest: Uint8Array, lines: Uint8Array[]): void {
    const parts = [...this.#waiting, rest];
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    this.#waiting = [];
    // Of an empty array, or behind the array.
    if (length === 0) return;
    const line = new Uint8Array(length + 1);
    let at = 0;
    for (const part of parts) {
      line.set(part, at);
      at += part.length;
    }
    line[length] = LF;
    lines.push(line);
    // Each is stored with one byte behind it.
    this.storedBytes += length + 1;
  }
}
