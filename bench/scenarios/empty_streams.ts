/** What a stream costs that holds nothing. @module */

import { BUDGETS } from "../budgets.ts";
import type { CreatePlan } from "../load/plan.ts";
import { runLoad } from "../load/run.ts";
import { residentBytes } from "../load/window.ts";
import { oursMemory } from "../peers/ours.ts";
import { interleave } from "../samples.ts";
import type { Scenario } from "./scenario.ts";

const COUNT = 1_000_000;

/** How long a server is left alone before its memory is read: garbage is not the streams'. */
const SETTLE_MS = 5_000;

const settle = () => new Promise((resolve) => setTimeout(resolve, SETTLE_MS));

async function mustExist(url: string): Promise<void> {
  const { status } = await fetch(url, { method: "HEAD" });
  if (status !== 200) throw new Error(`the last stream was answered with ${status}`);
}

/** See the budget `emptyStream`. One round: a million creates are enough of a sample. */
export const emptyStreams: Scenario = {
  name: "empty-streams",
  about: "process memory per empty stream, after a million creates over HTTP, in memory",
  async run(settings) {
    const samples = await interleave(
      [{
        name: oursMemory.name,
        peer: oursMemory,
        async measure({ port, pid, prefix }) {
          const plan: CreatePlan = { port, pid, prefix, count: 100 };
          await runLoad("create.ts", plan);
          await settle();
          const before = residentBytes(pid);
          const began = performance.now();
          await runLoad("create.ts", { ...plan, count: COUNT });
          const seconds = (performance.now() - began) / 1000;
          await settle();
          const after = residentBytes(pid);
          await mustExist(`http://127.0.0.1:${port}${prefix}s${COUNT - 1}`);
          return {
            "KiB/stream": (after - before) / COUNT / 1024,
            "resident MiB": after / 1024 / 1024,
            "creates/s": COUNT / seconds,
          };
        },
      }],
      { ...settings, rounds: 1 },
    );
    const [sample] = samples;
    const verdict = sample?.missing === undefined
      ? { budget: BUDGETS.emptyStream, value: sample?.figures["KiB/stream"] }
      : { budget: BUDGETS.emptyStream, missing: `${sample.subject}: ${sample.missing}` };
    return { samples, verdicts: [verdict] };
  },
};
