/** What a hundred thousand streams cost an append. @module */

import { BUDGETS } from "../budgets.ts";
import { oursMemory } from "../peers/ours.ts";
import { interleave } from "../samples.ts";
import { appends } from "./append.ts";
import { ratio, type Scenario } from "./scenario.ts";

/** See the budget `manyStreams`. */
export const manyStreams: Scenario = {
  name: "many-streams",
  about: "256 B appends to 100,000 streams, and to 100, over 64 connections in memory",
  async run(settings) {
    const subjects = [100_000, 100].map((streams) =>
      appends(oursMemory, settings, {
        streams,
        name: `${oursMemory.name}, ${streams.toLocaleString("en-US")} streams`,
      })
    );
    const samples = await interleave(subjects, settings);
    return {
      samples,
      verdicts: [ratio(BUDGETS.manyStreams, "appends/s", samples[0], samples[1])],
    };
  },
};
