/** Appends to one node that keeps nothing on disk. @module */

import { BUDGETS } from "../budgets.ts";
import { bare, bareHeaders } from "../peers/bare.ts";
import { officialMemory } from "../peers/official.ts";
import { oursMemory } from "../peers/ours.ts";
import { interleave } from "../samples.ts";
import { appends } from "./append.ts";
import { ratio, type Scenario } from "./scenario.ts";

/** See the budgets `memoryToBare` and `memoryToOfficial`. */
export const memoryAppend: Scenario = {
  name: "memory-append",
  about: "256 B appends to 500 streams over 64 connections, nothing on disk",
  async run(settings) {
    const samples = await interleave(
      [oursMemory, bare, officialMemory, bareHeaders].map((peer) => appends(peer, settings)),
      settings,
    );
    const [ours, floor, official] = samples;
    return {
      samples,
      verdicts: [
        ratio(BUDGETS.memoryToBare, "appends/s", ours, floor),
        ratio(BUDGETS.memoryToOfficial, "appends/s", ours, official),
      ],
    };
  },
};
