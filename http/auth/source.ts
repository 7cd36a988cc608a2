/**
 * The auth file and the files of keys that it names, as they lie on the disk.
 *
 * @module
 */

import { readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Clock, Timer } from "../../io/mod.ts";
import type { Log } from "../../node/log.ts";
import { AUTH_FILE_BYTES_MAX, parseAuthFile } from "./auth_file.ts";
import { AuthFileError } from "./fields.ts";
import type { AuthTexts } from "./gate.ts";
import { parseKeySet } from "./key_set.ts";

/** How often the files are looked at. */
const LOOK_MS = 1_000;

/** What the files hold. @throws AuthFileError that names file, and line or field */
export async function readAuthTexts(path: string): Promise<AuthTexts> {
  const text = await textOf("auth file", path);
  const { issuers } = within("auth file", path, () => parseAuthFile(text));
  const keyFiles = new Map<string, string>();
  for (const { keys } of issuers) {
    if (!("file" in keys)) continue;
    const place = resolve(dirname(path), keys.file);
    const keyText = await textOf("JWKS file", place);
    within("JWKS file", place, () => parseKeySet(keyText));
    keyFiles.set(keys.file, keyText);
  }
  return { text, keyFiles };
}

/** Looks whether the files have changed, and reads them again where they have. */
export class AuthWatch {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onChange: (texts: AuthTexts) => Promise<void>;
  #texts: AuthTexts;
  #seen = "";
  #timer: Timer | undefined;
  #reading: Promise<void> = Promise.resolve();
  #closed = false;

  /** @param texts what was read at first @param onChange takes what is right and new */
  constructor(options: {
    path: string;
    texts: AuthTexts;
    clock: Clock;
    log: Log;
    onChange: (texts: AuthTexts) => Promise<void>;
  }) {
    this.#path = options.path;
    this.#texts = options.texts;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#onChange = options.onChange;
    this.#schedule();
  }

  /** Reads the files now, changed or not. Never rejects: what is broken is logged. */
  reload(): Promise<void> {
    return this.#reading = this.#reading.then(() => this.#read());
  }

  /** Looks no more. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#timer = this.#clock.setTimer(LOOK_MS, async () => {
      const seen = await this.#marks();
      // At the first look always: they may have changed since the node began to start.
      const isNews = seen !== this.#seen;
      this.#seen = seen;
      if (isNews) await this.reload();
      this.#schedule();
    });
  }

  async #read(): Promise<void> {
    if (this.#closed) return;
    try {
      const texts = await readAuthTexts(this.#path);
      if (isSame(texts, this.#texts)) return;
      await this.#onChange(texts);
      this.#texts = texts;
      this.#log("info", `auth file ${this.#path}: the new version is in force`);
    } catch (reason) {
      const detail = reason instanceof Error ? reason.message : String(reason);
      this.#log("error", `${detail}; the version before it stays in force`);
    }
  }

  /** What tells one version of the files from another, without reading them. */
  async #marks(): Promise<string> {
    const files = [...this.#texts.keyFiles.keys()];
    const paths = [this.#path, ...files.map((file) => resolve(dirname(this.#path), file))];
    const marks = paths.map(async (path) => {
      try {
        const { mtimeMs, size, ino } = await stat(path);
        return `${mtimeMs} ${size} ${ino}`;
      } catch {
        return "none";
      }
    });
    return (await Promise.all(marks)).join(";");
  }
}

function isSame(one: AuthTexts, other: AuthTexts): boolean {
  return one.text === other.text && one.keyFiles.size === other.keyFiles.size &&
    one.keyFiles.entries().every(([file, text]) => other.keyFiles.get(file) === text);
}

async function textOf(what: string, path: string): Promise<string> {
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > AUTH_FILE_BYTES_MAX) throw new Error("it is longer than 1 MiB");
    text = await readFile(path, "utf8");
  } catch (reason) {
    const detail = reason instanceof Error ? reason.message : String(reason);
    throw new AuthFileError(`${what} ${path} can't be read: ${detail}`);
  }
  return text;
}

function within<T>(what: string, path: string, read: () => T): T {
  try {
    return read();
  } catch (reason) {
    if (!(reason instanceof AuthFileError)) throw reason;
    throw new AuthFileError(`${what} ${path}: ${reason.message}`);
  }
}
