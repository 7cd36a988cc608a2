/** Bytes of a body, the end exclusive. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

const RANGE = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i;

/**
 * What a `Range` header asks for of a body of `length` bytes (RFC 9110 section 14.2): undefined for
 * all of it, as also where the header is not valid, or names several ranges.
 */
export function parseRange(
  header: string | null,
  length: number,
): ByteRange | "not_satisfiable" | undefined {
  const [, first = "", last = ""] = RANGE.exec(header ?? "") ?? [];
  if (first === "") return suffix(last, length);
  const from = Number(first);
  const to = last === "" ? Infinity : Number(last) + 1;
  if (to <= from) return undefined;
  return from < length ? { from, to: Math.min(to, length) } : "not_satisfiable";
}

/** The last so many bytes. */
function suffix(digits: string, length: number): ByteRange | "not_satisfiable" | undefined {
  if (digits === "") return undefined;
  const bytes = Number(digits);
  if (bytes === 0) return "not_satisfiable";
  // All of nothing: no `Content-Range` can say that.
  if (length === 0) return undefined;
  return { from: Math.max(0, length - bytes), to: length };
}
