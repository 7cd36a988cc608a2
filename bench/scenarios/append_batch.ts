/** Appends in batches beside appends one by one. @module */

import { BUDGETS } from "../budgets.ts";
import { oursFsync, oursMemory } from "../peers/ours.ts";
import { interleave } from "../samples.ts";
import { appends } from "./append.ts";
import { ratio, type Scenario } from "./scenario.ts";

const BATCH = { items: 100, prefix: "/v1/append-batch/" };

/** See the budgets `appendBatch…`. */
export const appendBatch: Scenario = {
  name: "append-batch",
  about: "256 B appends to 500 streams, 100 of them a request and one by one",
  async run(settings) {
    const samples = await interleave(
      [oursMemory, oursFsync].flatMap((peer) => [
        appends(peer, settings, { name: `${peer.name}, one by one` }),
        appends(peer, settings, { name: `${peer.name}, batches`, batch: BATCH }),
      ]),
      settings,
    );
    const [single, batched, singleFsync, batchedFsync] = samples;
    return {
      samples,
      verdicts: [
        ratio(BUDGETS.appendBatch, "appends/s", batched, single),
        ratio(BUDGETS.appendBatchFsync, "appends/s", batchedFsync, singleFsync),
      ],
    };
  },
};
