/**
 * Configuration of a node (SPEC section 10): one table of options, read from defaults, profile,
 * config file, environment and flags. Pure: text comes in through functions. The command line is in
 * `cli.ts`, which the program alone imports.
 *
 * @module
 */

export { adminObstacle } from "./admin.ts";
export { asksForTokens } from "./security_options.ts";
export type { CorsOrigin, HostPort } from "./kinds.ts";
export { printConfig } from "./print.ts";
export { memoryWarning } from "./profiles.ts";
export { ConfigError } from "./config_error.ts";
export {
  configFromInput,
  type ConfigSources,
  resolveConfig,
  type ResolvedConfig,
} from "./resolve.ts";
export type { OptionKey } from "./options.ts";
export type { RaftPeer } from "./peers.ts";
export type {
  ClusterConfig,
  ClusterPeer,
  ColdBackendName,
  ColdConfig,
  Config,
  ConfigInput,
  Machine,
  OptionValues,
  ProfileName,
  ProgramOption,
} from "./types.ts";
