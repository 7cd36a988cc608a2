/** What a bootstrap of a long stream costs in memory. @module */

import { BUDGETS } from "../budgets.ts";
import type { BootstrapPlan, BootstrapResult } from "../load/plan.ts";
import { runLoad } from "../load/run.ts";
import { oursMemory } from "../peers/ours.ts";
import { interleave } from "../samples.ts";
import type { Scenario } from "./scenario.ts";

const MIB = 1024 * 1024;
const MESSAGE_BYTES = 1024;
const MESSAGES = MIB;

/** How long a server is left alone before its memory is read: garbage is not the bootstrap's. */
const SETTLE_MS = 5_000;

/** See the budget `bootstrapMemory`. */
export const bootstrap: Scenario = {
  name: "bootstrap",
  about: "memory that a bootstrap adds: a stream of 1 GiB, in messages of 1 KiB, in memory",
  async run(settings) {
    const samples = await interleave(
      [{
        name: oursMemory.name,
        peer: oursMemory,
        async measure({ port, pid, prefix }) {
          const plan: BootstrapPlan = {
            port,
            pid,
            prefix,
            path: "/bench-bootstrap/s",
            messages: MESSAGES,
            messageBytes: MESSAGE_BYTES,
            fills: true,
          };
          await runLoad("bootstrap.ts", plan);
          await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
          const found = await runLoad<BootstrapResult>("bootstrap.ts", { ...plan, fills: false });
          return {
            "MiB more": found.addedBytes / MIB,
            "MiB/s of messages": MESSAGES * MESSAGE_BYTES / MIB / found.seconds,
            "MiB sent": found.bytes / MIB,
          };
        },
      }],
      { ...settings, rounds: 1 },
    );
    const [sample] = samples;
    const budget = BUDGETS.bootstrapMemory;
    const verdict = sample?.missing === undefined
      ? { budget, value: sample?.figures["MiB more"] }
      : { budget, missing: `${sample.subject}: ${sample.missing}` };
    return { samples, verdicts: [verdict] };
  },
};
