/** Buckets by name, `*` standing for any text, the empty one included. */
export class BucketPatterns {
  readonly #patterns: readonly (readonly string[])[];

  /** @param patterns as the auth file has them; none match nothing */
  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map((pattern) => pattern.split("*"));
  }

  /** Whether one of the patterns matches all of the name. */
  match(bucket: string): boolean {
    return this.#patterns.some((parts) => matches(parts, bucket));
  }
}

/** @param parts what stands between the wildcards */
function matches(parts: readonly string[], text: string): boolean {
  const first = parts[0] as string; // `split` gives one part at least
  if (parts.length === 1) return text === first;
  const last = parts[parts.length - 1] as string;
  const end = text.length - last.length;
  if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  // Each part as far to the left as it goes: no other choice leaves more room for the rest.
  let at = first.length;
  for (let part = 1; part < parts.length - 1; part++) {
    const found = text.indexOf(parts[part] as string, at);
    if (found < 0) return false;
    at = found + (parts[part] as string).length;
  }
  return at <= end;
}
