import type { Command } from "../stream/mod.ts";
import { Durations } from "./durations.ts";

/**
 * What a shard has done since its start, for operators. Counted with every request: numbers, and
 * nothing that has to be made or called for it.
 */
export class Activity {
  /** Appends that groups led here were given; a batch of them, or a JSON array, is one. */
  appends = 0;
  /** Bytes that they brought, in stored form. */
  appendBytes = 0;
  /** Reads of streams that this shard's replicas were asked for, those of live readers included. */
  reads = 0;
  /** By how much timers were late: how long what was ready had to wait for its turn. */
  readonly loopDelay: Durations = new Durations();

  /** Counts a command that a group led here is given. */
  count(command: Command): void {
    if (command.type !== "append") return;
    this.appends++;
    const { body } = command;
    if (body !== undefined) this.appendBytes += body.data.end - body.data.start;
  }
}
