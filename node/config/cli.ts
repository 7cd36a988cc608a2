/**
 * The program's command line. Only the program's entry imports this file: a node inside another
 * program has no use for the command-line library.
 *
 * @module
 */

import { Command, CommanderError, Option as CommanderOption } from "commander";
import { envName, nameOf, OPTION_KEYS, OPTIONS, PROGRAM_FLAGS } from "./options.ts";
import { fallbackText, printConfig } from "./print.ts";
import { ConfigError } from "./config_error.ts";
import { type ConfigSources, resolveConfig, type ResolvedConfig, unknownFlag } from "./resolve.ts";

/** Exit code of a command line or configuration that can't be used (`EX_USAGE` of sysexits.h). */
export const EXIT_USAGE = 64;

const HELP_TAIL = `
Options may also stand in a config file (--config) or the environment; flags win. Secrets stand
there alone: ${secretNames().join(", ")}.
docs/configuration.md explains every one of them.
`;

/** Flags whose values add up. */
const repeatable: readonly string[] = OPTION_KEYS.map((key) => OPTIONS[key])
  .filter((option) => option.repeatable).map(({ flag }) => flag);

/** What the command line asks for. */
export type CommandLine =
  | { readonly action: "start"; readonly resolved: ResolvedConfig }
  | { readonly action: "print"; readonly text: string }
  | { readonly action: "fail"; readonly message: string; readonly exitCode: number };

/** What a command line is read with. */
export interface CommandLineSources extends Omit<ConfigSources, "flags"> {
  /** Arguments after the program's name. */
  readonly args: readonly string[];
  /** What `--version` shows. */
  readonly version: string;
}

/** Reads the command line, and the configuration that it and the environment ask for. */
export async function readCommandLine(sources: CommandLineSources): Promise<CommandLine> {
  try {
    const flags = parseFlags(sources.args);
    if (flags.has("help")) {
      return { action: "print", text: command().helpInformation() + HELP_TAIL };
    }
    if (flags.has("version")) return { action: "print", text: `ursula ${sources.version}\n` };
    const resolved = await resolveConfig({ ...sources, flags });
    return flags.has("print-config")
      ? { action: "print", text: printConfig(resolved) }
      : { action: "start", resolved };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { action: "fail", message: error.message, exitCode: EXIT_USAGE };
  }
}

/**
 * Flags without their dashes → the text given; `on` for those without a value.
 *
 * @throws {ConfigError} at an unknown flag, a missing value, and anything that is no flag
 */
export function parseFlags(args: readonly string[]): Map<string, string> {
  const program = command();
  const flags = new Map<string, string>();
  for (const option of program.options) {
    const flag = option.long?.slice(2) ?? "";
    program.on(`option:${flag}`, (value: string | null | undefined) => {
      if (option.required && value?.startsWith("--")) throw missingValue(flag);
      const before = repeatable.includes(flag) ? flags.get(flag) : undefined;
      flags.set(flag, before === undefined ? value ?? "on" : `${before},${value}`);
    });
  }
  try {
    const { operands, unknown } = program.parseOptions([...args]);
    const stray = unknown[0] ?? operands[0];
    if (stray !== undefined) throw strayArgument(stray);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const flag = /--([a-z0-9-]+)/.exec(error.message)?.[1];
    throw flag === undefined ? new ConfigError(error.message) : missingValue(flag);
  }
  return flags;
}

function secretNames(): string[] {
  return OPTION_KEYS.map((key) => OPTIONS[key]).filter((option) => option.secret).map(nameOf);
}

function strayArgument(argument: string): ConfigError {
  const flag = /^--([^=]+)/.exec(argument)?.[1];
  return flag === undefined
    ? new ConfigError(`unexpected argument ${argument}; options begin with --, see --help`)
    : unknownFlag(flag);
}

function missingValue(flag: string): ConfigError {
  const key = OPTION_KEYS.find((key) => OPTIONS[key].flag === flag);
  const expected = key === undefined ? "a path" : OPTIONS[key].kind.expected;
  return new ConfigError(`--${flag} needs a value: expected ${expected}`);
}

function command(): Command {
  const program = new Command("ursula")
    .usage("[options]")
    .description("A durable streams server.")
    .helpOption(false)
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .configureHelp({ helpWidth: 100 });
  for (const key of OPTION_KEYS) {
    const { flag, group, kind, help, secret } = OPTIONS[key];
    if (secret) continue;
    const value = kind.placeholder === "on|off" ? `[${kind.placeholder}]` : `<${kind.placeholder}>`;
    const notes = `default: ${fallbackText(key)}, env: ${envName(flag)}`;
    program.addOption(
      new CommanderOption(`--${flag} ${value}`, `${help} (${notes})`).helpGroup(`${group}:`),
    );
  }
  for (const { flag, placeholder, help } of PROGRAM_FLAGS) {
    const short = flag === "help" ? "-h, " : "";
    const flags = `${short}--${flag}${placeholder === undefined ? "" : ` <${placeholder}>`}`;
    program.addOption(new CommanderOption(flags, help).helpGroup("The program:"));
  }
  return program;
}
