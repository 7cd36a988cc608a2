/**
 * The files of `deploy/`, read as their tools read them, and what of them concerns a node.
 *
 * @module
 */

import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { resolveConfig, type ResolvedConfig } from "../../node/config/resolve.ts";
import { readProjectFile } from "../house/source.ts";

/** A document of YAML, before anybody has looked at it. */
export type Tree = Readonly<Record<string, unknown>>;

/** Text of a file in `deploy/`. */
export function deployFile(name: string): Promise<string> {
  return readProjectFile(`deploy/${name}`);
}

/** The documents of a YAML file in `deploy/`. */
export async function treesOf(name: string): Promise<Tree[]> {
  return parseAllDocuments(await deployFile(name), { merge: true }).map((document) => {
    assert.deepEqual(document.errors, [], name);
    return document.toJS() as Tree;
  });
}

/** What stands at a path of keys and indexes; undefined where nothing does. */
export function at(tree: unknown, ...path: (string | number)[]): unknown {
  let value = tree;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}

/** The configuration of a node that is started with this environment. @throws where it is none */
export function configOf(env: Readonly<Record<string, string>>): Promise<ResolvedConfig> {
  return resolveConfig({
    flags: new Map(),
    env,
    readFile: (path) => Promise.reject(new Error(`${path} is not there`)),
    machine: { cores: 2 },
  });
}

/** Environment that the image sets. */
export async function imageEnvironment(): Promise<Record<string, string>> {
  const env: Record<string, string> = {};
  for (const [, name, value] of (await deployFile("Dockerfile")).matchAll(/(URSULA_\w+)=(\S+)/g)) {
    if (name !== undefined && value !== undefined) env[name] = value;
  }
  return env;
}
