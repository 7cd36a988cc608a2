/**
 * What must hold, as ratios of this server's figure to a peer's from the same run.
 *
 * @module
 */

/** One row of the budgets. */
export interface Budget {
  /** What is compared. */
  work: string;
  /** Whether the ratio has to be at least or at most what stands in `must`. */
  sense: "at least" | "at most";
  must: number;
  /** Where it gets interesting. */
  aim: number;
}

function atLeast(work: string, must: number, aim: number): Budget {
  return { work, sense: "at least", must, aim };
}

function atMost(work: string, must: number, aim: number): Budget {
  return { work, sense: "at most", must, aim };
}

/** The budgets of one node, and of three. */
export const BUDGETS = {
  memoryToBare: atLeast("appends/s, memory : bare Deno.serve", 0.55, 0.7),
  memoryToOfficial: atLeast("appends/s, memory : official Rust, memory", 0.6, 0.8),
  fsyncToOfficial64: atLeast("appends/s, fsync : official Rust, WAL; 64 connections", 0.8, 1.1),
  fsyncToOfficial256: atLeast("appends/s, fsync : official Rust, WAL; 256 connections", 0.9, 1.3),
  fsyncToUrsula: atLeast("appends/s, fsync : Ursula in Rust, fsync; 64 connections", 4, 6),
  manyStreams: atLeast("appends/s, memory, 100,000 streams : 100 streams", 0.8, 0.95),
  appendBatch: atLeast("appends/s, memory, in batches of 100 : one by one", 5, 15),
  appendBatchFsync: atLeast("appends/s, fsync, in batches of 100 : one by one", 5, 15),
  snapshotsMemory: atMost("p99 of appends, memory, while 128 MiB are published : alone", 2, 1.2),
  snapshotsFsync: atMost("p99 of appends, fsync, while 128 MiB are published : alone", 2, 1.2),
  sseCpuToOfficial: atMost("SSE 1,000 readers, CPU per delivery : official Rust", 1.5, 1),
  sseP99ToOfficial: atMost("SSE 1,000 readers, p99 : official Rust", 1.5, 1),
  sseCpuToUrsula: atMost("SSE 1,000 readers, CPU per delivery : Ursula in Rust", 0.8, 0.5),
  sseP99ToUrsula: atMost("SSE 1,000 readers, p99 : Ursula in Rust", 0.8, 0.5),
  spreadSse: atMost("1,024 SSE readers of 100 streams, p99 : official Rust", 2, 1),
  spreadLongPoll: atMost("1,024 long-poll readers of 100 streams, p99 : official Rust", 2, 1),
  catchUp: atMost("500 catch-ups of 200 × 1 KiB, p99 : official Rust", 1.2, 0.8),
  threeNodes64: atLeast(
    "appends/s, three nodes, fsync, any node : Ursula in Rust, to leaders; 64 connections",
    4,
    8,
  ),
  threeNodes256: atLeast(
    "appends/s, three nodes, fsync, any node : Ursula in Rust, to leaders; 256 connections",
    3,
    6,
  ),
  threeNodesMemory: atMost("memory of three nodes, 500 streams : Ursula in Rust", 1.2, 0.7),
  bootstrapMemory: atMost("MiB of memory that a bootstrap of 1 GiB adds", 64, 32),
  emptyStream: atMost("KiB of process memory per empty stream, a million of them", 1, 0.5),
  overloadP99: atMost("twice the load, one node: p99 ms of what is accepted", 2000, 1000),
  overloadRefusals: atMost("twice the load, one node: p99 ms of what is refused", 1000, 500),
  overloadGoodput: atLeast("twice the load, one node: accepted : capacity", 0.05, 0.25),
  overloadRecovery: atMost("seconds to recover, one node", 2, 1),
  overloadP99Three: atMost("twice the load, three nodes: p99 ms of what is accepted", 2000, 1000),
  overloadRefusalsThree: atMost(
    "twice the load, three nodes: p99 ms of what is refused",
    1000,
    500,
  ),
  overloadGoodputThree: atLeast("twice the load, three nodes: accepted : capacity", 0.6, 0.8),
  overloadRecoveryThree: atMost("seconds to recover, three nodes", 2, 1),
} as const satisfies Record<string, Budget>;

/** A budget and what was measured. */
export interface Verdict {
  budget: Budget;
  /** The ratio, or the bare figure where the budget names one; `undefined` when not measured. */
  value?: number;
  /** Why there is no value. */
  missing?: string;
}

/** Whether a ratio keeps a limit. */
export function keeps(value: number, sense: Budget["sense"], limit: number): boolean {
  return sense === "at least" ? value >= limit : value <= limit;
}
