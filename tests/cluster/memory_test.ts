/** Memory mode: a node that was killed comes back empty and is replaced by itself. */

import { clusterTest } from "./cluster_case.ts";
import { Load } from "./load.ts";

clusterTest(
  "in memory mode each node may be lost in turn, once the one before has been replaced",
  { memory: true },
  (cluster) =>
    Load.during(cluster, {}, async (load) => {
      for (const node of cluster.nodes) {
        await load.fault(`SIGKILL of node ${node.id}`, () => node.kill());
        await load.fault(`start of node ${node.id}, empty`, () => node.start());
      }
    }),
);
