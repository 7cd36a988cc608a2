/**
 * Renderings of the option table for people: `--print-config` and `docs/configuration.md`.
 *
 * @module
 */

import {
  envName,
  fallbackOf,
  fileKey,
  type Option,
  OPTION_GROUPS,
  OPTION_KEYS,
  type OptionKey,
  OPTIONS,
  PROGRAM_FLAGS,
} from "./options.ts";
import { PROFILES } from "./profiles.ts";
import type { ResolvedConfig } from "./resolve.ts";
import type { Config, ProfileName } from "./types.ts";

/** A line per option: flag, value in force, and where it came from. */
export function printConfig({ config, origins }: ResolvedConfig): string {
  const rows = OPTION_KEYS.map((key) => [
    `--${OPTIONS[key].flag}`,
    valueText(key, config),
    origins[key],
  ]);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd() + "\n"
  ).join("");
}

/** A value as a person would write it; `***` where it is secret. */
export function showValue<T>(option: Option<T>, value: T): string {
  return option.secret ? "***" : option.kind.write(value);
}

/** The default as `--help` and the documentation name it. */
export function fallbackText<K extends OptionKey>(key: K): string {
  const option: Option<Config[K]> = OPTIONS[key];
  return option.fallbackText ?? option.kind.write(fallbackOf(key, { cores: 1 }));
}

function valueText<K extends OptionKey>(key: K, config: Partial<Config>): string {
  const value = config[key];
  return value === undefined ? "" : showValue<Config[K]>(OPTIONS[key], value);
}

/** The text of `docs/configuration.md`, before formatting. */
export function configurationPage(): string {
  return [
    "# Configuration",
    "",
    "This page is written by `deno task docs` from `node/config/options.ts`; change it there.",
    "",
    "Every option can be given in four ways. Later ones win: the profile, the config file " +
    "(`--config`, JSON or JSONC), an environment variable, a flag. A program that embeds a node " +
    "passes the name in the last column to `createNode()`.",
    "",
    "Durations are written `500ms`, `20s`, `5m`, `1h`, sizes `64KiB`, `8MiB`, `1GiB`; a bare " +
    "number is milliseconds or bytes. In a config file keys are the flags with `_` for `-`:",
    "",
    "```jsonc",
    "{",
    '  "listen": "0.0.0.0:4437", // everywhere, not only on this machine',
    '  "data_dir": "/var/lib/ursula",',
    '  "long_poll_timeout": "30s",',
    "}",
    "```",
    "",
    "An unknown flag or file key is an error that names the nearest known one; an unknown " +
    "`URSULA_` variable is a warning. `--print-config` shows every value in force and where it " +
    "came from.",
    ...OPTION_GROUPS.flatMap((group) => ["", `## ${group}`, "", ...groupTable(group)]),
    "",
    "## The program",
    "",
    "| flag | |",
    "| --- | --- |",
    ...PROGRAM_FLAGS.map(({ flag, placeholder, help }) =>
      `| \`--${flag}${placeholder === undefined ? "" : ` ${placeholder}`}\` | ${help} |`
    ),
    "",
    "The config file may also be named by `URSULA_CONFIG`.",
    "",
    "## Profiles",
    "",
    "A profile sets the values below; whatever is given explicitly goes before it. An empty cell " +
    "keeps the default.",
    "",
    ...profileTable(),
    "",
  ].join("\n");
}

function groupTable(group: string): string[] {
  const keys = OPTION_KEYS.filter((key) => OPTIONS[key].group === group);
  return [
    "| flag | environment | file | default | | `createNode()` |",
    "| --- | --- | --- | --- | --- | --- |",
    ...keys.map((key) => {
      const { flag, kind, help } = OPTIONS[key];
      const cells = [
        `\`--${flag} ${kind.placeholder.replaceAll("|", "\\|")}\``,
        `\`${envName(flag)}\``,
        `\`${fileKey(flag)}\``,
        OPTIONS[key].fallbackText ?? `\`${fallbackText(key)}\``,
        // Where the placeholder lists the words, there is no more to say.
        kind.placeholder.includes("|")
          ? help
          : `${help}; ${kind.expected.replaceAll("*,", "`*`,")}`,
        `\`${key}\``,
      ];
      return `| ${cells.join(" | ")} |`;
    }),
  ];
}

function profileTable(): string[] {
  const names = Object.keys(PROFILES) as ProfileName[];
  const keys = OPTION_KEYS.filter((key) => names.some((name) => key in PROFILES[name].values));
  return [
    `| | ${names.map((name) => `\`${name}\``).join(" | ")} |`,
    `| --- |${" --- |".repeat(names.length)}`,
    `| meant for | ${names.map((name) => PROFILES[name].meantFor).join(" | ")} |`,
    ...keys.map((key) => {
      const cells = names.map((name) => valueText(key, PROFILES[name].values));
      return `| \`--${OPTIONS[key].flag}\` | ${cells.join(" | ")} |`;
    }),
  ];
}
