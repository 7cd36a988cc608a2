/** Appends to one node that syncs each before it acknowledges it. @module */

import { BUDGETS } from "../budgets.ts";
import { officialWal } from "../peers/official.ts";
import { oursFsync } from "../peers/ours.ts";
import { ursulaFsync } from "../peers/ursula.ts";
import { interleave } from "../samples.ts";
import { appends } from "./append.ts";
import { ratio, type Scenario } from "./scenario.ts";

const MANY = 256;

/** See the budgets `fsyncTo…`. */
export const fsyncAppend: Scenario = {
  name: "fsync-append",
  about: "256 B appends to 500 streams over 64 and 256 connections, each synced",
  async run(settings) {
    const few = [oursFsync, officialWal, ursulaFsync].map((peer) =>
      appends(peer, settings, { name: `${peer.name}, 64 connections` })
    );
    const many = [oursFsync, officialWal].map((peer) =>
      appends(peer, settings, { connections: MANY, name: `${peer.name}, 256 connections` })
    );
    const samples = await interleave([...few, ...many], settings);
    const [ours64, official64, ursula64, ours256, official256] = samples;
    return {
      samples,
      verdicts: [
        ratio(BUDGETS.fsyncToOfficial64, "appends/s", ours64, official64),
        ratio(BUDGETS.fsyncToOfficial256, "appends/s", ours256, official256),
        ratio(BUDGETS.fsyncToUrsula, "appends/s", ours64, ursula64),
      ],
    };
  },
};
