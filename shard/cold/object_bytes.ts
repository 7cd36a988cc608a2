import { type ColdObject, type ColdReader, unlessAborted } from "../../storage/cold/mod.ts";
import { isDamage, OutOfReach } from "./failures.ts";

/**
 * What came of a repair: the object is there; or nobody has it, as all who should have said
 * themselves; or somebody who may have it could not be asked.
 */
export type RepairOutcome = "repaired" | "lost" | "out_of_reach";
/** Puts an object anew that is damaged or missing. */
export type Repair = (object: ColdObject) => Promise<RepairOutcome>;

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
    await mend(repair, object, reason, signal);
    return await read();
  }
}

/**
 * Repairs an object that `reason` says is damaged or missing.
 * @throws `reason` where there is no repair for it, or {@linkcode OutOfReach}
 */
export async function mend(
  repair: Repair | undefined,
  object: ColdObject,
  reason: unknown,
  signal?: AbortSignal,
): Promise<void> {
  if (repair === undefined || !isDamage(reason)) throw reason;
  const outcome = await unlessAborted(repair(object), signal);
  if (outcome === "lost") throw reason;
  if (outcome === "out_of_reach") throw new OutOfReach(reason);
}
