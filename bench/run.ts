/**
 * Measures this server beside its peers: `deno task bench [scenario…]`. See README.md.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { wrkIsAbsent } from "./load/run.ts";
import { machineIsUnfit } from "./peers/cores.ts";
import { stopAll } from "./peers/process.ts";
import { allKept, type Chapter, markdown } from "./report.ts";
import { appendBatch } from "./scenarios/append_batch.ts";
import { bootstrap } from "./scenarios/bootstrap.ts";
import { catchUp } from "./scenarios/catch_up.ts";
import { catchUpNode } from "./scenarios/catch_up_node.ts";
import { emptyStreams } from "./scenarios/empty_streams.ts";
import { fsyncAppend } from "./scenarios/fsync_append.ts";
import { idle } from "./scenarios/idle.ts";
import { liveSpread } from "./scenarios/live_spread.ts";
import { manyStreams } from "./scenarios/many_streams.ts";
import { memoryAppend } from "./scenarios/memory_append.ts";
import { overload } from "./scenarios/overload.ts";
import { raftSnapshot } from "./scenarios/raft_snapshot.ts";
import type { Scenario, Settings } from "./scenarios/scenario.ts";
import { snapshots } from "./scenarios/snapshots.ts";
import { sseFanOut } from "./scenarios/sse_fan_out.ts";
import { threeNodes } from "./scenarios/three_nodes.ts";
import { threeNodesMemory } from "./scenarios/three_nodes_memory.ts";

const SCENARIOS: Scenario[] = [
  memoryAppend,
  fsyncAppend,
  appendBatch,
  manyStreams,
  snapshots,
  sseFanOut,
  liveSpread,
  catchUp,
  emptyStreams,
  threeNodes,
  threeNodesMemory,
  catchUpNode,
  bootstrap,
  idle,
  raftSnapshot,
  overload,
];

const USAGE = `usage: deno task bench [options] [scenario…]

scenarios (all when none is named):
${SCENARIOS.map(({ name, about }) => `  ${name.padEnd(18)} ${about}`).join("\n")}

options:
  --rounds N    measurements of each server, of which the median counts (3)
  --seconds N   length of one measurement (5)
  --patience N  seconds to wait for other processes to leave the cores alone (30)
  --json        print JSON instead of Markdown
  --check       exit 1 when a budget that could be measured is not kept
  --help        this text`;

/** The exit code of who was told to stop. */
const INTERRUPTED = 130;

function fail(message: string): never {
  console.error(message);
  Deno.exit(2);
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) fail(`--${name} wants a number from 1, not ${text}`);
  return value;
}

function seconds(name: string, text: string): number {
  return text === "0" ? 0 : positive(name, text);
}

function commandLine() {
  try {
    return parseArgs({
      args: Deno.args,
      allowPositionals: true,
      options: {
        rounds: { type: "string", default: "3" },
        seconds: { type: "string", default: "5" },
        patience: { type: "string", default: "30" },
        json: { type: "boolean", default: false },
        check: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    fail(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  }
}

function chosen(names: string[]): Scenario[] {
  if (names.length === 0) return SCENARIOS;
  return names.map((name) =>
    SCENARIOS.find((scenario) => scenario.name === name) ??
      fail(`there is no scenario ${name}\n\n${USAGE}`)
  );
}

async function main(): Promise<void> {
  const { values, positionals } = commandLine();
  if (values.help) return console.log(USAGE);
  const scenarios = chosen(positionals);
  const unfit = machineIsUnfit() ?? await wrkIsAbsent();
  if (unfit !== undefined) fail(unfit);

  const settings: Settings = {
    rounds: positive("rounds", values.rounds),
    seconds: positive("seconds", values.seconds),
    patienceMs: seconds("patience", values.patience) * 1000,
    progress: (line) => console.error(`  ${line}`),
  };
  const chapters: Chapter[] = [];
  for (const scenario of scenarios) {
    console.error(`${scenario.name}: ${scenario.about}`);
    chapters.push({ scenario, findings: await scenario.run(settings) });
  }
  if (values.json) {
    const named = chapters.map(({ scenario, findings }) => ({ ...findings, name: scenario.name }));
    console.log(JSON.stringify(named, null, 2));
  } else console.log(markdown(chapters));
  if (values.check && !allKept(chapters)) Deno.exit(1);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, async () => {
    await stopAll();
    Deno.exit(INTERRUPTED);
  });
}
await main();
Deno.exit(0);
