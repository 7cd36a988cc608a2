/**
 * Kinds of configuration values: how each is written by people, and read into its type.
 *
 * @module
 */

/** A kind of value. */
export interface Kind<T> {
  /** Stands for the value in `--help`, such as `TIME`. */
  readonly placeholder: string;
  /** What would have been right, in words that follow "expected". */
  readonly expected: string;
  /** The value that `raw` means: text, or what JSON or a program gave; undefined where it means none. */
  read(raw: unknown): T | undefined;
  /** The value as a person would write it; `read` takes it back. */
  write(value: T): string;
}

/** Where to listen. */
export interface HostPort {
  /** A host name or an IP address, without brackets. */
  readonly hostname: string;
  /** 0 to 65535; 0 lets the system choose. */
  readonly port: number;
}

/** Who may call from a web page: everybody, nobody, or the origins named. */
export type CorsOrigin = "*" | "off" | readonly string[];

const MS_PER_UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const BYTES_PER_UNIT: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** Milliseconds: `500ms`, `20s`, `5m`, `1h`, or a bare number. */
export function duration(least: number, most: number): Kind<number> {
  const write = (ms: number) => writeUnits(ms, MS_PER_UNIT);
  return {
    placeholder: "TIME",
    expected: `a duration from ${write(least)} to ${write(most)}, such as 500ms, 20s, 5m or 1h`,
    read: (raw) => within(readUnits(raw, MS_PER_UNIT), least, most),
    write,
  };
}

/** Bytes: `64KiB`, `8MiB`, `1GiB`, or a bare number. */
export function size(least: number, most: number): Kind<number> {
  const write = (bytes: number) => writeUnits(bytes, BYTES_PER_UNIT);
  return {
    placeholder: "SIZE",
    expected: `a size from ${write(least)} to ${write(most)}, such as 64KiB, 8MiB or 1GiB`,
    read: (raw) => within(readUnits(raw, BYTES_PER_UNIT), least, most),
    write,
  };
}

/** A whole number. */
export function integer(least: number, most: number): Kind<number> {
  return {
    placeholder: "N",
    expected: `a whole number from ${least} to ${most}`,
    read: (raw) => within(readUnits(raw, {}), least, most),
    write: String,
  };
}

/** One of a few words. */
export function choice<const T extends string>(words: readonly T[]): Kind<T> {
  return {
    placeholder: words.join("|"),
    expected: `one of ${words.join(", ")}`,
    read: (raw) => words.find((word) => word === raw),
    write: (value) => value,
  };
}

/** A switch: `on` or `off`, or a boolean in JSON. */
export const onOff: Kind<boolean> = {
  placeholder: "on|off",
  expected: "on or off",
  read(raw) {
    if (raw === true || raw === "on" || raw === "true") return true;
    if (raw === false || raw === "off" || raw === "false") return false;
    return undefined;
  },
  write: (value) => value ? "on" : "off",
};

/** Text that matches a pattern, described in words. */
export function text(placeholder: string, pattern: RegExp, expected: string): Kind<string> {
  return {
    placeholder,
    expected,
    read: (raw) => typeof raw === "string" && pattern.test(raw) ? raw : undefined,
    write: (value) => value,
  };
}

/** A path, relative to the working directory or absolute. */
export const path: Kind<string> = text("PATH", /^[^\0]+$/, "a path");

/** The URL of a server, without user, query and fragment. */
export const webUrl: Kind<string> = {
  placeholder: "URL",
  expected: "a URL, such as http://10.0.0.9:9000",
  read(raw) {
    const url = typeof raw === "string" ? URL.parse(raw) : null;
    const isPlain = url !== null && /^https?:$/.test(url.protocol) &&
      url.username + url.password + url.search + url.hash === "";
    return isPlain ? raw as string : undefined;
  },
  write: (value) => value,
};

/** `HOST:PORT`, an IPv6 address in brackets. */
export const hostPort: Kind<HostPort> = {
  placeholder: "HOST:PORT",
  expected: "HOST:PORT, such as 127.0.0.1:4437 or [::1]:4437",
  read(raw) {
    if (typeof raw === "object" && raw !== null && "hostname" in raw && "port" in raw) {
      const { hostname, port } = raw;
      if (typeof hostname !== "string" || typeof port !== "number") return undefined;
      return readHostPort(writeHostPort({ hostname, port }));
    }
    return typeof raw === "string" ? readHostPort(raw) : undefined;
  },
  write: writeHostPort,
};

/** Is a host reached from this machine alone? */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** `*`, `off`, or origins parted by commas. */
export const corsOrigin: Kind<CorsOrigin> = {
  placeholder: "ORIGIN",
  expected:
    "*, off, or origins parted by commas, such as https://app.example,http://localhost:3000",
  read(raw) {
    if (raw === "*" || raw === "off") return raw;
    const parts = typeof raw === "string" ? raw.split(",") : raw;
    if (!Array.isArray(parts) || parts.length === 0) return undefined;
    const origins: string[] = [];
    for (const part of parts) {
      const origin = typeof part === "string" ? part.trim() : "";
      if (!isOrigin(origin)) return undefined;
      origins.push(origin);
    }
    return origins;
  },
  write: (value) => typeof value === "string" ? value : value.join(","),
};

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.origin === text;
}

function readHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})$/.exec(text);
  if (match === null) return undefined;
  const port = Number(match[3]);
  const hostname = match[1] ?? match[2];
  return hostname === undefined || port > 65_535 ? undefined : { hostname, port };
}

function writeHostPort({ hostname, port }: HostPort): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

function readUnits(raw: unknown, units: Readonly<Record<string, number>>): number | undefined {
  if (typeof raw === "number") return raw;
  if (typeof raw !== "string") return undefined;
  const match = /^([0-9]+)([A-Za-z]*)$/.exec(raw);
  if (match === null) return undefined;
  const unit = match[2] === "" ? 1 : units[match[2] ?? ""];
  return unit === undefined ? undefined : Number(match[1]) * unit;
}

/** In the largest unit that leaves no remainder. */
function writeUnits(value: number, units: Readonly<Record<string, number>>): string {
  let written = String(value);
  for (const [unit, factor] of Object.entries(units)) {
    if (value >= factor && value % factor === 0) written = `${value / factor}${unit}`;
  }
  return written;
}

function within(value: number | undefined, least: number, most: number): number | undefined {
  if (value === undefined || !Number.isSafeInteger(value)) return undefined;
  return value >= least && value <= most ? value : undefined;
}
