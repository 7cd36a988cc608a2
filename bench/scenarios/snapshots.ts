/** What publishing large snapshots costs the appends that go on meanwhile. @module */

import { BUDGETS } from "../budgets.ts";
import type { PublishPlan, PublishResult } from "../load/plan.ts";
import { runLoad } from "../load/run.ts";
import { oursFsync, oursMemory } from "../peers/ours.ts";
import { type Figures, interleave, OTHERS, type Subject } from "../samples.ts";
import { appends } from "./append.ts";
import { ratio, type Scenario, type Settings } from "./scenario.ts";

const CONNECTIONS = 16;
const BYTES = 128 * 1024 * 1024;

/** See the budgets `snapshots…`. */
export const snapshots: Scenario = {
  name: "snapshots",
  about: "256 B appends over 16 connections, alone and while 128 MiB snapshots are published",
  async run(settings) {
    const samples = await interleave(
      [oursMemory, oursFsync].flatMap((peer) => [
        appends(peer, settings, { connections: CONNECTIONS, name: `${peer.name}, alone` }),
        whilePublishing(
          appends(peer, settings, { connections: CONNECTIONS, name: `${peer.name}, snapshots` }),
          settings,
        ),
      ]),
      settings,
    );
    const [memory, memoryMeanwhile, fsync, fsyncMeanwhile] = samples;
    return {
      samples,
      verdicts: [
        ratio(BUDGETS.snapshotsMemory, "p99 ms", memoryMeanwhile, memory),
        ratio(BUDGETS.snapshotsFsync, "p99 ms", fsyncMeanwhile, fsync),
      ],
    };
  },
};

/** The same appends, with a publisher beside them on the load generator's core. */
function whilePublishing(subject: Subject, settings: Settings): Subject {
  return {
    ...subject,
    async measure(server): Promise<Figures> {
      const { port, pid, prefix } = server;
      const plan: PublishPlan = { port, pid, prefix, bytes: BYTES, seconds: secondsOf(settings) };
      const [{ [OTHERS]: _publisher, "load share": _wrk, ...figures }, { published }] =
        await Promise.all([
          subject.measure(server),
          runLoad<PublishResult>("publish.ts", plan),
        ]);
      return { ...figures, snapshots: published };
    },
  };
}

/** Through the warm-up to the end of the measurement. */
function secondsOf({ seconds }: Settings): number {
  return seconds + 11;
}
