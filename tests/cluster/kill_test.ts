/** SIGKILL under load: each node in turn, and all at once. */

import { clusterTest } from "./cluster_case.ts";
import { Load } from "./load.ts";

for (const cores of [1, 2]) {
  clusterTest(
    `every acknowledged append survives each node's SIGKILL in turn (${cores} cores)`,
    { cores },
    (cluster) =>
      Load.during(cluster, {}, async (load) => {
        for (const node of cluster.nodes) {
          await load.fault(`SIGKILL of node ${node.id}`, () => node.kill());
          await load.fault(`start of node ${node.id}`, () => node.start());
        }
      }),
  );
}

clusterTest(
  "every acknowledged append survives SIGKILL of all nodes at once",
  {},
  (cluster) =>
    Load.during(cluster, {}, async (load) => {
      for (let round = 0; round < 2; round++) {
        await load.fault("SIGKILL of all nodes, and their start", async () => {
          await Promise.all(cluster.nodes.map((node) => node.kill()));
          await cluster.startAll();
        }, { gapMsMax: 30_000 });
      }
    }),
);

clusterTest(
  "nothing is acknowledged without a majority, and nothing acknowledged is lost when it is back",
  {},
  (cluster) =>
    Load.during(cluster, {}, async (load) => {
      const [first, second] = cluster.nodes;
      await load.fault("SIGKILL of two nodes for 2 s", async () => {
        await Promise.all([first?.kill(), second?.kill()]);
        await new Promise((resolve) => setTimeout(resolve, 500));
        const before = load.writers.map(({ acknowledged }) => acknowledged);
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        const after = load.writers.map(({ acknowledged }) => acknowledged);
        if (String(before) !== String(after)) {
          throw new Error("a node alone acknowledged appends");
        }
        await Promise.all([first?.start(), second?.start()]);
      }, { gapMsMax: 30_000 });
    }),
);
