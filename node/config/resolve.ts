/**
 * Layers of configuration: defaults < profile < config file < environment < flags (SPEC section 10).
 *
 * @module
 */

import { adminListenOf } from "./admin.ts";
import { clusterOf } from "./cluster.ts";
import { clusterFileEntries } from "./cluster_file.ts";
import { coldOf } from "./cold.ts";
import { ConfigError } from "./config_error.ts";
import { parseJsonc } from "./jsonc.ts";
import { nearest } from "./nearest.ts";
import {
  envName,
  fallbackOf,
  fileKey,
  type Option,
  OPTION_KEYS,
  type OptionKey,
  OPTIONS,
  PROGRAM_FLAGS,
  PROGRAM_OPTIONS,
} from "./options.ts";
import { PROFILES } from "./profiles.ts";
import { checkSecurity } from "./security_options.ts";
import type { Config, ConfigInput, Machine, OptionValues } from "./types.ts";

/** What a program was started with. */
export interface ConfigSources {
  /** Flags without their dashes → the text given. */
  readonly flags: ReadonlyMap<string, string>;
  /** The environment; names without `URSULA_` are ignored, and so are empty values. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads a config file as text. */
  readonly readFile: (path: string) => Promise<string>;
  /** What defaults depend on. */
  readonly machine: Machine;
}

/** A configuration, and how it came about. */
export interface ResolvedConfig {
  /** The values in force. */
  readonly config: Config;
  /** Where each came from, such as `default`, `profile tiny`, `ursula.json`, `--listen`. */
  readonly origins: Readonly<Record<OptionKey, string>>;
  /** One line each, for the log. */
  readonly warnings: readonly string[];
}

/** A value before it was read: where it stands, in words, and what it is. */
interface Given {
  readonly key: OptionKey;
  readonly place: string;
  readonly origin: string;
  readonly raw: unknown;
}

type Values = { -readonly [K in OptionKey]?: OptionValues[K] };

const keyByFlag = new Map(
  OPTION_KEYS.filter((key) => !OPTIONS[key].secret).map((key) => [OPTIONS[key].flag, key]),
);
const keyByEnv = new Map(OPTION_KEYS.map((key) => [envName(OPTIONS[key].flag), key]));
const keyByFile = new Map(OPTION_KEYS.map((key) => [fileKey(OPTIONS[key].flag), key]));

/** Name of the variable that names the config file. */
const CONFIG_FILE_ENV = envName("config");

/**
 * Reads all layers of a program's configuration.
 *
 * @throws {ConfigError} at the first value that is not valid, and at unknown flags and file keys
 */
export async function resolveConfig(sources: ConfigSources): Promise<ResolvedConfig> {
  const warnings: string[] = [];
  const filePath = sources.flags.get("config") ?? (sources.env[CONFIG_FILE_ENV] || undefined);
  const fromFile = filePath === undefined ? [] : await givenByFile(filePath, sources.readFile);
  const explicit = [...givenByEnv(sources.env, warnings), ...givenByFlags(sources.flags)];
  const named = [...fromFile, ...explicit].findLast(({ key }) => key === "raftClusterConfig");
  // Over the config file and under the rest: one cluster file may serve all nodes, and each of
  // them be told its id.
  const fromCluster = named === undefined ? [] : await givenByCluster(named, sources.readFile);
  const given = [...fromFile, ...fromCluster, ...explicit];
  return { ...layer(given, sources.machine), warnings };
}

/**
 * The configuration of a node inside another program.
 *
 * @throws {ConfigError} at the first value that is not valid, and at unknown keys
 */
export function configFromInput(input: ConfigInput, machine: Machine): Config {
  const given: Given[] = [];
  for (const [name, raw] of Object.entries(input)) {
    if (raw === undefined) continue;
    const key = OPTION_KEYS.find((known) => known === name && !PROGRAM_OPTIONS.includes(known));
    if (key === undefined) throw unknown(`option ${name}`, name, OPTION_KEYS, "");
    given.push({ key, place: `option ${name}`, origin: "program", raw });
  }
  return layer(given, machine).config;
}

function givenByFlags(flags: ReadonlyMap<string, string>): Given[] {
  const given: Given[] = [];
  const programFlags = PROGRAM_FLAGS.map(({ flag }) => flag);
  for (const [flag, raw] of flags) {
    const key = keyByFlag.get(flag);
    if (key !== undefined) given.push({ key, place: `--${flag}`, origin: `--${flag}`, raw });
    else if (!programFlags.includes(flag)) throw unknownFlag(flag);
  }
  return given;
}

/** The error for a flag that nobody knows. @param flag without its dashes */
export function unknownFlag(flag: string): ConfigError {
  const secret = OPTION_KEYS.find((key) => OPTIONS[key].secret && OPTIONS[key].flag === flag);
  if (secret !== undefined) {
    const places = `${envName(flag)}, or ${fileKey(flag)} in the config file`;
    return new ConfigError(`there is no flag --${flag}, which others could read; set ${places}`);
  }
  const known = [...keyByFlag.keys(), ...PROGRAM_FLAGS.map(({ flag }) => flag)];
  return unknown(`flag --${flag}`, flag, known, "--");
}

function givenByEnv(env: ConfigSources["env"], warnings: string[]): Given[] {
  const given: Given[] = [];
  for (const [name, raw] of Object.entries(env)) {
    if (!name.startsWith("URSULA_") || name === CONFIG_FILE_ENV || !raw) continue;
    const key = keyByEnv.get(name);
    if (key !== undefined) given.push({ key, place: name, origin: name, raw });
    else {
      const known = [...keyByEnv.keys(), CONFIG_FILE_ENV];
      warnings.push(`ignored ${unknown(`variable ${name}`, name, known, "").message}`);
    }
  }
  return given;
}

async function givenByFile(
  path: string,
  readFile: (path: string) => Promise<string>,
): Promise<Given[]> {
  const content = await readJson("config file", path, '{"listen": …}', readFile);
  const given: Given[] = [];
  for (const [name, raw] of Object.entries(content)) {
    const key = keyByFile.get(name);
    if (key === undefined) throw unknown(`key ${name} in ${path}`, name, keyByFile.keys(), "");
    given.push({ key, place: `${path}: ${name}`, origin: path, raw });
  }
  return given;
}

async function givenByCluster(
  named: Given,
  readFile: (path: string) => Promise<string>,
): Promise<Given[]> {
  const path = OPTIONS.raftClusterConfig.kind.read(named.raw);
  if (path === undefined) return []; // `layer` says what is wrong with it
  const content = await readJson("cluster file", path, '{"peers": […]}', readFile);
  return clusterFileEntries(path, content).map(({ key, name, raw }) => {
    return { key, place: `${path}: ${name}`, origin: path, raw };
  });
}

async function readJson(
  what: string,
  path: string,
  example: string,
  readFile: (path: string) => Promise<string>,
): Promise<object> {
  let text: string;
  try {
    text = await readFile(path);
  } catch (error) {
    throw new ConfigError(`${what} ${path} can't be read: ${reason(error)}`);
  }
  let content: unknown;
  try {
    content = parseJsonc(text);
  } catch (error) {
    // The parser's own words quote the file, which may hold secrets: only the place is repeated.
    const place = /line \d+ column \d+/.exec(reason(error))?.[0];
    throw new ConfigError(`${what} ${path} is not valid JSON${place ? `, at ${place}` : ""}`);
  }
  if (typeof content !== "object" || content === null || Array.isArray(content)) {
    throw new ConfigError(`${what} ${path} must hold one JSON object, ${example}`);
  }
  return content;
}

/** Lays the given values, weakest first, over profile and defaults. */
function layer(given: readonly Given[], machine: Machine): Omit<ResolvedConfig, "warnings"> {
  const explicit: Values = {};
  const origins: { [K in OptionKey]?: string } = {};
  for (const one of given) {
    take(one.key, one, explicit);
    origins[one.key] = one.origin;
  }
  const profile = explicit.profile ?? "none";
  const profileValues = profile === "none" ? {} : PROFILES[profile].values;
  const options = { ...defaults(machine), ...profileValues, ...explicit };
  for (const key of OPTION_KEYS) {
    origins[key] ??= key in profileValues ? `profile ${profile}` : "default";
  }
  for (const key of ["coldFlushMinHotBytes", "coldFlushMaxBytes"] as const) {
    if (options[key] === undefined) origins[key] = origins.coldFlushBytes;
  }
  checkRelations(options);
  checkSecurity(options);
  const cold = coldOf(options);
  const cluster = clusterOf(options, explicit.nodeId !== undefined);
  const clusterListen = cluster?.listen ?? options.clusterListen;
  const adminListen = adminListenOf(options);
  const config: Config = { ...options, ...cold, adminListen, clusterListen, cluster };
  // Both hold every key now: `defaults` and the loop above went through all of them.
  return { config, origins: origins as Record<OptionKey, string> };
}

function take<K extends OptionKey>(key: K, given: Given, into: Values): void {
  const option: Option<OptionValues[K]> = OPTIONS[key];
  const value = option.kind.read(given.raw);
  if (value === undefined) {
    const shown = option.secret ? "" : ` ${show(given.raw)}`;
    throw new ConfigError(`${given.place}${shown}: expected ${option.kind.expected}`);
  }
  into[key] = value;
}

function defaults(machine: Machine): OptionValues {
  const values: Values = {};
  const set = <K extends OptionKey>(key: K) => values[key] = fallbackOf(key, machine);
  OPTION_KEYS.forEach(set);
  // Every key was set just now.
  return values as OptionValues;
}

function checkRelations(config: OptionValues): void {
  const { maxBodyBytesInFlight: flight } = OPTIONS;
  for (const key of ["maxAppendBytes", "maxBatchBytes", "maxSnapshotBytes"] as const) {
    if (config.maxBodyBytesInFlight >= config[key]) continue;
    const { flag, kind } = OPTIONS[key];
    throw new ConfigError(
      `--${flight.flag} (${flight.kind.write(config.maxBodyBytesInFlight)}) must not be below ` +
        `--${flag} (${kind.write(config[key])})`,
    );
  }
}

function unknown(
  what: string,
  name: string,
  known: Iterable<string>,
  prefix: string,
): ConfigError {
  const near = nearest(name, known);
  const hint = near === undefined ? "see --help" : `did you mean ${prefix}${near}?`;
  return new ConfigError(`unknown ${what}; ${hint}`);
}

function show(raw: unknown): string {
  const text = typeof raw === "string" ? raw : JSON.stringify(raw) ?? String(raw);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text === "" ? '""' : text;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
