/** Many streams with a few live readers each, over SSE and over long-poll. @module */

import { BUDGETS } from "../budgets.ts";
import { officialMemory } from "../peers/official.ts";
import { oursMemory } from "../peers/ours.ts";
import { interleave } from "../samples.ts";
import { liveReaders } from "./live.ts";
import { ratio, type Scenario } from "./scenario.ts";

/** See the budgets `spread…`. */
export const liveSpread: Scenario = {
  name: "live-spread",
  about: "1,024 live readers of 100 streams, each written 10 times a second, in memory",
  async run(settings) {
    const subjects = (["sse", "long-poll"] as const).flatMap((mode) =>
      [oursMemory, officialMemory].map((peer) =>
        liveReaders(
          peer,
          {
            mode,
            readers: 1024,
            streams: 100,
            hz: 10,
            messageBytes: 256,
            warmSeconds: 10,
            seconds: settings.seconds,
          },
          `${peer.name}, ${mode}`,
        )
      )
    );
    const samples = await interleave(subjects, settings);
    const [oursSse, officialSse, oursPoll, officialPoll] = samples;
    return {
      samples,
      verdicts: [
        ratio(BUDGETS.spreadSse, "p99 ms", oursSse, officialSse),
        ratio(BUDGETS.spreadLongPoll, "p99 ms", oursPoll, officialPoll),
      ],
    };
  },
};
