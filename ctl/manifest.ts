import { UsageError } from "./failure.ts";

/** Where a node is reached. */
export interface NodeAddress {
  /** Undefined where only its address was given: it is asked for it. */
  readonly id: number | undefined;
  /** Client plane, without a slash at the end. */
  readonly httpUrl: string;
  /** Admin plane, likewise. */
  readonly adminUrl: string;
  /** The machine, for `{host}` of a restart command. */
  readonly host: string;
}

/** The nodes of a cluster. */
export interface Manifest {
  readonly nodes: readonly NodeAddress[];
}

/** Where a node listens that was told nothing else. */
export const DEFAULT_URL = "http://127.0.0.1:4437";

const TOP_KEYS = ["nodes"];
const NODE_KEYS = ["id", "http_url", "admin_url", "host"];
/** What stands in a shell's word without quotes, and in a name or address of a machine. */
const HOST = /^[A-Za-z0-9._:[\]%@-]+$/;

/**
 * Reads `{"nodes":[{"id":1,"http_url":"http://…:4437","admin_url":"http://…:4438","host":"…"}]}`.
 * Without `admin_url` it is the host of `http_url` at that port + 1, without `host` that host.
 *
 * @param source what messages call it, such as the file's name
 * @throws {UsageError} naming the field that is wrong
 */
export function parseManifest(text: string, source: string): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${source}: no JSON: ${(error as Error).message}`);
  }
  const wrong = (field: string, expected: string) =>
    new UsageError(`${source}: ${field}: expected ${expected}`);
  const top = recordOf(json);
  if (top === undefined) throw wrong("the manifest", 'an object such as {"nodes":[…]}');
  refuseUnknown(top, TOP_KEYS, source, "");
  if (!Array.isArray(top.nodes) || top.nodes.length === 0) {
    throw wrong("nodes", "a list of at least one node");
  }
  const ids = new Set<number>();
  const nodes = top.nodes.map((entry: unknown, at): NodeAddress => {
    const field = `nodes[${at}]`;
    const node = recordOf(entry);
    if (node === undefined) throw wrong(field, "an object with id and http_url");
    refuseUnknown(node, NODE_KEYS, source, `${field}.`);
    const { id, http_url, admin_url, host } = node;
    if (!Number.isSafeInteger(id) || Number(id) < 1) {
      throw wrong(`${field}.id`, "a whole number above 0");
    }
    if (ids.has(Number(id))) throw wrong(`${field}.id`, `another one than ${id}, which was before`);
    ids.add(Number(id));
    const url = urlOf(http_url);
    if (url === undefined) throw wrong(`${field}.http_url`, "a URL such as http://10.0.0.1:4437");
    const admin = admin_url === undefined ? besideOf(url) : urlOf(admin_url);
    if (admin === undefined) {
      throw wrong(`${field}.admin_url`, "a URL such as http://10.0.0.1:4438");
    }
    if (host !== undefined && (typeof host !== "string" || !HOST.test(host))) {
      throw wrong(`${field}.host`, "a host's name or address");
    }
    return address(Number(id), url, admin, host as string | undefined);
  });
  return { nodes };
}

/** A manifest of what was given as `--url`. @throws {UsageError} when one is no URL */
export function manifestOf(urls: readonly string[]): Manifest {
  return {
    nodes: urls.map((text) => {
      const url = urlOf(text);
      if (url === undefined) {
        throw new UsageError(`--url: expected a URL such as ${DEFAULT_URL}, got ${text}`);
      }
      return address(undefined, url, besideOf(url), undefined);
    }),
  };
}

function address(
  id: number | undefined,
  http: URL,
  admin: URL,
  host: string | undefined,
): NodeAddress {
  const text = (url: URL) => url.href.replace(/\/$/, "");
  return { id, httpUrl: text(http), adminUrl: text(admin), host: host ?? http.hostname };
}

/** The admin plane where nothing else is said: the next port. */
function besideOf(url: URL): URL {
  const beside = new URL(url);
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  beside.port = String(port + 1);
  return beside;
}

function urlOf(value: unknown): URL | undefined {
  if (typeof value !== "string" || !URL.canParse(value)) return undefined;
  const url = new URL(value);
  const isPlain = (url.protocol === "http:" || url.protocol === "https:") &&
    url.search === "" && url.hash === "" && url.username === "" && url.password === "";
  return isPlain && HOST.test(url.hostname) ? url : undefined;
}

function recordOf(value: unknown): Record<string, unknown> | undefined {
  const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
  return isRecord ? value as Record<string, unknown> : undefined;
}

function refuseUnknown(
  record: Record<string, unknown>,
  known: readonly string[],
  source: string,
  prefix: string,
): void {
  const unknown = Object.keys(record).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw new UsageError(`${source}: ${prefix}${unknown} is not known: use ${known.join(", ")}`);
}
