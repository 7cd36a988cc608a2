import type { HotBytes } from "../hot_bytes.ts";

/** Work on the cold tier that goes on beside the groups' turns. */
export interface ColdJob {
  /** Looks for what there is to do and begins it; called every flush interval. Never throws. */
  look(nowMs: number, hot: HotBytes): void;
  /** What can't wait for the next look, called with each of the shard's ticks. Never throws. */
  tick?(nowMs: number): void;
  /** Begins nothing more, breaks off what is under way, and resolves when it has ended. */
  stop(): Promise<void>;
}
