import { unlessAborted } from "../../storage/cold/run.ts";
import type { ColdObject, ColdReader } from "../../storage/cold/mod.ts";
import { isDamage } from "./failures.ts";

/** Puts an object anew that is damaged or missing; says whether it did. */
export type Repair = (object: ColdObject) => Promise<boolean>;

/** How {@linkcode fillFrom} reads. */
export interface FillOptions {
  readonly signal?: AbortSignal;
  /** Where further reads will probably end, in bytes of the object. */
  readonly until?: number;
  /** Is waited for after each part, by who leaves others their turn. */
  readonly rest?: () => Promise<void> | undefined;
}

/** Fills `into` with bytes of an object. @throws ColdError as {@linkcode ColdReader.read} */
export async function fillFrom(
  reader: ColdReader,
  object: ColdObject,
  offset: number,
  into: Uint8Array,
  { rest, ...options }: FillOptions = {},
): Promise<void> {
  let at = 0;
  for await (const part of reader.read(object, offset, into.length, options)) {
    into.set(part, at);
    at += part.length;
    await rest?.();
  }
}

/** What `read` gives, after a repair of the object if it takes one, and there can be one. */
export async function mending<T>(
  repair: Repair | undefined,
  object: ColdObject,
  read: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  try {
    return await read();
  } catch (reason) {
    if (repair === undefined || !isDamage(reason)) throw reason;
    const repaired = repair(object);
    if (!await (signal === undefined ? repaired : unlessAborted(repaired, signal))) throw reason;
    return await read();
  }
}
