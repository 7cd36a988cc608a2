/** SIGTERM under load: leaderships are handed over, and the node ends in good order. */

import { clusterTest } from "./cluster_case.ts";
import { Load } from "./load.ts";

for (const memory of [false, true]) {
  clusterTest(
    `a rolling restart by SIGTERM loses nothing and ends every node with 0${
      memory ? " (memory)" : ""
    }`,
    { memory },
    (cluster) =>
      Load.during(cluster, {}, async (load) => {
        for (const node of cluster.nodes) {
          await load.fault(`SIGTERM of node ${node.id}`, () => node.stop());
          await load.fault(`start of node ${node.id}`, () => node.start());
        }
      }),
  );
}
