import { nearest } from "../../node/config/nearest.ts";

/** An auth file that can't be used; the message is one line that names the field. */
export class AuthFileError extends Error {
  /** @param message one line, without anything that stands in the file but names of fields */
  constructor(message: string) {
    super(message);
    this.name = "AuthFileError";
  }
}

/** Reads the fields of one object of the auth file, and complains about what is not right. */
export class Fields {
  readonly #where: string;
  readonly #values: Readonly<Record<string, unknown>>;

  /** @param where the object's place, such as `tokens[0]`; empty for the file itself */
  constructor(where: string, value: unknown, known: readonly string[]) {
    this.#where = where;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new AuthFileError(`${where === "" ? "the file" : where}: expected one JSON object`);
    }
    this.#values = value as Record<string, unknown>;
    for (const name of Object.keys(value)) {
      if (known.includes(name)) continue;
      const near = nearest(name, known);
      const hint = near === undefined ? `known are ${known.join(", ")}` : `did you mean ${near}?`;
      throw new AuthFileError(`${this.#at(name)}: unknown; ${hint}`);
    }
  }

  /** A complaint about a field. */
  wrong(name: string, expected: string): AuthFileError {
    return new AuthFileError(`${this.#at(name)}: expected ${expected}`);
  }

  /** A field that `read` takes; undefined where it is missing. */
  optional<T>(
    name: string,
    expected: string,
    read: (raw: unknown) => T | undefined,
  ): T | undefined {
    const raw = this.#values[name];
    if (raw === undefined) return undefined;
    const value = read(raw);
    if (value === undefined) throw this.wrong(name, expected);
    return value;
  }

  /** A field that `read` takes. */
  needed<T>(name: string, expected: string, read: (raw: unknown) => T | undefined): T {
    const value = this.optional(name, expected, read);
    if (value === undefined) throw this.wrong(name, expected);
    return value;
  }

  /** The objects of a list; none where it is missing. */
  objects<T>(name: string, most: number, read: (where: string, value: unknown) => T): T[] {
    const list = this.#values[name] ?? [];
    if (!Array.isArray(list) || list.length > most) {
      throw this.wrong(name, `a list of at most ${most} objects`);
    }
    return list.map((value, at) => read(this.#at(`${name}[${at}]`), value));
  }

  #at(name: string): string {
    return this.#where === "" ? name : `${this.#where}.${name}`;
  }
}

/** Text of at least one character, up to a length. */
export function textUpTo(length: number): (raw: unknown) => string | undefined {
  return (raw) =>
    typeof raw === "string" && raw.length > 0 && raw.length <= length ? raw : undefined;
}

/** A list of texts, each of which `read` takes. */
export function listOf<T>(
  most: number,
  read: (raw: unknown) => T | undefined,
): (raw: unknown) => T[] | undefined {
  return (raw) => {
    if (!Array.isArray(raw) || raw.length > most) return undefined;
    const values: T[] = [];
    for (const item of raw) {
      const value = read(item);
      if (value === undefined) return undefined;
      values.push(value);
    }
    return values;
  };
}
