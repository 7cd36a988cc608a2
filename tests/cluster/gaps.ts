/**
 * How long streams take no writes when something happens to a node of three, against the bounds of
 * SPEC section 8. A program and no test: on a busy machine the figures mean nothing.
 *
 * ```sh
 * deno run -A tests/cluster/gaps.ts                     # on disk, one core a node
 * deno run -A tests/cluster/gaps.ts --memory --cores 2 --rounds 3
 * ```
 *
 * Exit code 0 when every gap is below its bound.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { withCluster } from "./cluster_case.ts";
import { Load } from "./load.ts";

/** After a SIGKILL. */
const KILL_MS_BELOW = 1_000;
/** After a SIGTERM, and whenever a node comes back. */
const STOP_MS_BELOW = 100;
/**
 * A SIGSTOP looks like a SIGKILL, but clients wait until they give up, 1 s: at another node that had
 * sent their write on to the one that is paused, and then at that one.
 */
const PAUSE_MS_BELOW = 2_500;

/** Until every node leads its part of the groups again. */
const SPREAD_MS_MAX = 60_000;
const SPREAD_LOOK_MS = 200;

const ROUND_MS_MAX = 300_000;

interface Row {
  readonly fault: string;
  readonly gapsMs: number[];
  readonly msBelow: number;
}

const { values } = parseArgs({
  args: Deno.args,
  options: {
    memory: { type: "boolean", default: false },
    cores: { type: "string", default: "1" },
    groups: { type: "string" },
    rounds: { type: "string", default: "1" },
    "pace-ms": { type: "string", default: "10" },
  },
});

const rows: Row[] = [
  { fault: "nothing", gapsMs: [], msBelow: STOP_MS_BELOW },
  { fault: "SIGTERM", gapsMs: [], msBelow: STOP_MS_BELOW },
  { fault: "start after it", gapsMs: [], msBelow: STOP_MS_BELOW },
  { fault: "SIGKILL", gapsMs: [], msBelow: KILL_MS_BELOW },
  { fault: "start after it", gapsMs: [], msBelow: STOP_MS_BELOW },
  { fault: "SIGSTOP, 3 s", gapsMs: [], msBelow: PAUSE_MS_BELOW },
];

const options = {
  memory: values.memory,
  cores: Number(values.cores),
  groups: values.groups === undefined ? undefined : Number(values.groups),
};
await withCluster(
  options,
  (cluster) =>
    Load.during(cluster, { paceMs: Number(values["pace-ms"]) }, async (load) => {
      // The code has to be warm, or the first gaps are the compiler's.
      await load.fault("warming up", () => {}, { afterMs: 3_000, gapMsMax: Infinity });
      for (let round = 0; round < Number(values.rounds); round++) {
        await measure(0, "nothing", () => {});
        for (const node of cluster.nodes) {
          await spread();
          await measure(1, `SIGTERM of node ${node.id}`, () => node.stop());
          await measure(2, `start of node ${node.id}`, () => node.start());
          await spread();
          await measure(3, `SIGKILL of node ${node.id}`, () => node.kill());
          await measure(4, `start of node ${node.id}`, () => node.start());
          await spread();
          await measure(5, `SIGSTOP of node ${node.id}`, async () => {
            node.pause();
            await new Promise((resolve) => setTimeout(resolve, 3_000));
            node.continue();
          });
        }
      }

      /** A node that leads nothing leaves no gap: those that came back get their groups first. */
      async function spread() {
        const deadline = performance.now() + SPREAD_MS_MAX;
        for (;;) {
          const groups = await cluster.node(1).groups();
          const led = cluster.nodes.map(({ id }) =>
            groups.filter(({ leader }) => leader === id).length
          );
          if (Math.min(...led) >= Math.floor(groups.length / led.length)) return;
          if (performance.now() > deadline) throw new Error(`the nodes lead ${led} groups`);
          await new Promise((resolve) => setTimeout(resolve, SPREAD_LOOK_MS));
        }
      }

      async function measure(row: number, what: string, act: () => Promise<void> | void) {
        const gap = await load.fault(what, act, { afterMs: 2_000, gapMsMax: Infinity });
        rows[row]?.gapsMs.push(gap.ms);
      }
    }),
  ROUND_MS_MAX * (1 + Number(values.rounds)),
);

console.log(`\n${"".padEnd(16)} ${"longest gap, ms".padEnd(40)} bound`);
let failed = 0;
for (const { fault, gapsMs, msBelow } of rows) {
  const over = gapsMs.filter((ms) => ms >= msBelow).length;
  failed += over;
  const shown = gapsMs.map((ms) => Math.round(ms)).join(" ");
  console.log(
    `${fault.padEnd(16)} ${shown.padEnd(40)} ${msBelow} ${over === 0 ? "" : `${over} over`}`,
  );
}
Deno.exit(failed === 0 ? 0 : 1);
