/** One stream, one writer, a thousand readers over SSE. @module */

import { BUDGETS } from "../budgets.ts";
import { officialMemory } from "../peers/official.ts";
import { oursMemory } from "../peers/ours.ts";
import { ursulaUnsynced } from "../peers/ursula.ts";
import { interleave } from "../samples.ts";
import { liveReaders, type LiveShape } from "./live.ts";
import { ratio, type Scenario } from "./scenario.ts";

/** See the budgets `sse…`. */
export const sseFanOut: Scenario = {
  name: "sse-fan-out",
  about: "1,000 SSE readers of one stream, written 50 times a second with 256 B, in memory",
  async run(settings) {
    const shape: LiveShape = {
      mode: "sse",
      readers: 1000,
      streams: 1,
      hz: 50,
      messageBytes: 256,
      warmSeconds: 10,
      seconds: settings.seconds,
    };
    const samples = await interleave(
      [oursMemory, officialMemory, ursulaUnsynced].map((peer) => liveReaders(peer, shape)),
      settings,
    );
    const [ours, official, ursula] = samples;
    return {
      samples,
      verdicts: [
        ratio(BUDGETS.sseCpuToOfficial, "CPU µs/delivery", ours, official),
        ratio(BUDGETS.sseP99ToOfficial, "p99 ms", ours, official),
        ratio(BUDGETS.sseCpuToUrsula, "CPU µs/delivery", ours, ursula),
        ratio(BUDGETS.sseP99ToUrsula, "p99 ms", ours, ursula),
      ],
    };
  },
};
