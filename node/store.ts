import type { Config } from "./config/mod.ts";
import type { Io } from "./runtime.ts";

/** What a node keeps, or that it keeps nothing. */
export interface Store {
  /** Absolute path of the data directory; undefined in memory mode. */
  readonly directory: string | undefined;
  readonly journalCount: number;
  /** Short id of the formation, part of every incarnation. */
  readonly formation: string;
  /** This node and its store, as a member of its groups. */
  readonly member: string;
  /** Says that everything is durable, and gives the directory back. */
  close(): Promise<void>;
  /** Gives the directory back as it is. */
  release(): Promise<void>;
}

/** Opens the data directory, or makes up an identity for a node that keeps nothing. */
export function openStore(config: Config, io: Io, _osBootId: string): Promise<Store> {
  return Promise.resolve({
    directory: undefined,
    journalCount: config.coreCount,
    formation: hex(io.random.bytes(4)),
    member: `1.${hex(io.random.bytes(8))}`,
    close: () => Promise.resolve(),
    release: () => Promise.resolve(),
  });
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
