/**
 * Renderings of the option table for people: `--print-config` and `docs/configuration.md`.
 *
 * @module
 */

import {
  envName,
  fallbackOf,
  fileKey,
  nameOf,
  type Option,
  OPTION_GROUPS,
  OPTION_KEYS,
  type OptionKey,
  OPTIONS,
  PROGRAM_FLAGS,
  PROGRAM_OPTIONS,
} from "./options.ts";
import { PROFILES } from "./profiles.ts";
import type { ResolvedConfig } from "./resolve.ts";
import type { OptionValues, ProfileName } from "./types.ts";

/** A line per option: flag, value in force, and where it came from. */
export function printConfig({ config, origins }: ResolvedConfig): string {
  const rows = OPTION_KEYS.map((key) => [
    nameOf(OPTIONS[key]),
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
  const option: Option<OptionValues[K]> = OPTIONS[key];
  return option.fallbackText ?? option.kind.write(fallbackOf(key, { cores: 1 }));
}

function valueText<K extends OptionKey>(key: K, config: Partial<OptionValues>): string {
  const value = config[key];
  return value === undefined ? "" : showValue<OptionValues[K]>(OPTIONS[key], value);
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
    "",
    "Secrets are given by the environment, a config file or a program, and never as a flag, which " +
    "every user of a machine may read. They are shown as `***`.",
    ...OPTION_GROUPS.flatMap((group) => ["", `## ${group}`, "", ...groupTable(group)]),
    "",
    "## The cluster file",
    "",
    "`--raft-cluster-config` names a file (JSON or JSONC) that says who the nodes are. Any key may be " +
    "left out and given as a flag; the config file stands below it, environment and flags above.",
    "",
    "```jsonc",
    "{",
    '  "node_id": 1, // or --raft-node-id, so that one file serves all nodes',
    '  "cluster_id": "prod",',
    '  "peers": [',
    '    { "node_id": 1, "url": "http://10.0.0.1:4437" },',
    '    { "node_id": 2, "url": "http://10.0.0.2:4437" },',
    '    { "node_id": 3, "url": "http://10.0.0.3:4437", "cluster": "10.1.0.3:7000" },',
    "  ],",
    '  "init_membership": true, // or init_membership_per_group, as older files have it',
    "}",
    "```",
    "",
    "`url` is a node's client plane. Its peer plane is at the same host, 10000 ports above, unless " +
    "`cluster` says otherwise. A peer plane listens on loopback alone unless there is a secret.",
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
      const { flag, kind, help, secret } = OPTIONS[key];
      const cells = [
        secret ? "" : `\`--${flag} ${kind.placeholder.replaceAll("|", "\\|")}\``,
        `\`${envName(flag)}\``,
        `\`${fileKey(flag)}\``,
        OPTIONS[key].fallbackText ?? `\`${fallbackText(key)}\``,
        // Where the placeholder lists the words, there is no more to say.
        kind.placeholder.includes("|")
          ? help
          : `${help}; ${kind.expected.replaceAll("*,", "`*`,")}`,
        PROGRAM_OPTIONS.includes(key) ? "" : `\`${key}\``,
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
