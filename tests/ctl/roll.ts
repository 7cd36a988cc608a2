/**
 * How long streams take no writes while `ursulactl restart` rolls a cluster of three, and how often a
 * request had to be sent again. A program and no test: on a busy machine the figures mean nothing.
 *
 * ```sh
 * deno task roll                    # 24 streams, 64 groups, one core a node
 * deno task roll --rounds 3 --cores 2
 * ```
 *
 * Exit code 0 when every gap is below 250 ms and no request was sent more than twice.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Load } from "../cluster/load.ts";
import { withOperatedCluster } from "./ctl_case.ts";

const GAP_MS_BELOW = 250;
/** A client that tries once more gets through. */
const REPEATS_MAX = 1;
const ROUND_MS_MAX = 300_000;
const MAIN = fileURLToPath(new URL("../../ctl/mod.ts", import.meta.url));

const { values } = parseArgs({
  args: Deno.args,
  options: {
    cores: { type: "string", default: "1" },
    groups: { type: "string", default: "64" },
    streams: { type: "string", default: "24" },
    rounds: { type: "string", default: "1" },
    "pace-ms": { type: "string", default: "10" },
  },
});

let failed = 0;
await withOperatedCluster(
  { cores: Number(values.cores), groups: Number(values.groups) },
  (cluster, supervisor, config) =>
    Load.during(
      cluster,
      { streams: Number(values.streams), paceMs: Number(values["pace-ms"]) },
      async (load) => {
        // The code has to be warm, or the first gaps are the compiler's.
        await load.fault("warming up", () => {}, { afterMs: 3_000, gapMsMax: Infinity });
        await load.fault("nothing", () => {}, { afterMs: 5_000, gapMsMax: Infinity });
        for (let round = 1; round <= Number(values.rounds); round++) {
          load.forgetLuck();
          const what = `round ${round}`;
          const { ms } = await load.fault(what, () => roll(config, supervisor.command), {
            afterMs: 2_000,
            gapMsMax: Infinity,
          });
          const troubles = load.worstLuck;
          console.log(`  ${what}: no request was repeated more than ${troubles.length} times`);
          if (troubles.length > REPEATS_MAX) console.log(`    ${troubles.join("; ")}`);
          if (ms >= GAP_MS_BELOW || troubles.length > REPEATS_MAX) failed++;
        }
      },
    ),
  ROUND_MS_MAX * (1 + Number(values.rounds)),
);
console.log(`${failed} of ${values.rounds} rounds were over ${GAP_MS_BELOW} ms, or noticed`);
Deno.exit(failed === 0 ? 0 : 1);

/** In a process of its own, as an operator has it. */
async function roll(config: string, command: string): Promise<void> {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN, "restart", "--config", config, "--restart-cmd", command],
    stdin: "null",
  }).spawn().status;
  if (code !== 0) throw new Error(`ursulactl restart ended with ${code}`);
}
