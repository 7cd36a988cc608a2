/** What publishing large snapshots costs the appends that go on meanwhile. @module */

import { BUDGETS } from "../budgets.ts";
import type {
  CreatePlan,
  PacedPlan,
  PacedResult,
  PublishPlan,
  PublishResult,
} from "../load/plan.ts";
import { runLoad, runWrk } from "../load/run.ts";
import { oursFsync, oursMemory } from "../peers/ours.ts";
import type { Peer, Running } from "../peers/peer.ts";
import { brief, type Figures, interleave, OTHERS, type Subject } from "../samples.ts";
import { CONNECTIONS, STREAMS } from "./append.ts";
import { ratio, type Scenario, type Settings } from "./scenario.ts";

const SNAPSHOT_BYTES = 128 * 1024 * 1024;
const MESSAGE_BYTES = 256;
const WARM_SECONDS = 10;
/** A snapshot takes some fifty seconds: the window holds all that becomes of one. */
const SECONDS_MIN = 50;
/**
 * Of what the server takes at most. An append at a steady rate costs twice what one of a closed loop
 * does, as turns hold fewer: half of it would keep the core busy for over 80 %, where p99 is chance.
 */
const LOAD = 0.25;
/** The publisher's niceness: what it took from the appends' own program would count as the server's. */
const GIVES_WAY = 19;

/** See the budgets `snapshots…`. */
export const snapshots: Scenario = {
  name: "snapshots",
  about: "256 B appends at a quarter of what the server takes, alone and beside 128 MiB snapshots",
  async run(settings) {
    const subjects: Subject[] = [];
    for (const peer of [oursMemory, oursFsync]) {
      const perSecond = Math.round(LOAD * await capacityOf(peer, settings));
      settings.progress(`${peer.name}: ${brief({ "appends/s": perSecond })} from here on`);
      subjects.push(
        { name: `${peer.name}, alone`, peer, measure: (at) => append(at, perSecond, settings) },
        {
          name: `${peer.name}, snapshots`,
          peer,
          measure: (at) => appendBesidePublisher(at, perSecond, settings),
        },
      );
    }
    const samples = await interleave(subjects, settings);
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

/** Appends a second that a server answers in a closed loop. */
async function capacityOf(peer: Peer, { seconds }: Settings): Promise<number> {
  const server = await peer.start();
  try {
    const { port, pid, prefix } = server;
    await create(server);
    const work = { port, pid, prefix, streams: STREAMS, connections: CONNECTIONS };
    await runWrk({ ...work, bytes: MESSAGE_BYTES, seconds: WARM_SECONDS });
    return (await runWrk({ ...work, bytes: MESSAGE_BYTES, seconds })).perSecond;
  } finally {
    await server.stop();
  }
}

async function create({ port, pid, prefix }: Running): Promise<void> {
  const plan: CreatePlan = { port, pid, prefix, count: STREAMS };
  await runLoad("create.ts", plan);
}

async function append(server: Running, perSecond: number, settings: Settings): Promise<Figures> {
  await create(server);
  return await appendAtRate(server, perSecond, settings);
}

async function appendAtRate(
  { port, pid, prefix }: Running,
  perSecond: number,
  settings: Settings,
): Promise<Figures> {
  const plan: PacedPlan = {
    port,
    pid,
    prefix,
    connections: CONNECTIONS,
    streams: STREAMS,
    messageBytes: MESSAGE_BYTES,
    perSecond,
    warmSeconds: WARM_SECONDS,
    seconds: secondsOf(settings),
  };
  const result = await runLoad<PacedResult>("paced.ts", plan);
  return {
    "appends/s": result.perSecond,
    "CPU µs": result.cpuMicros,
    "p50 ms": result.p50Ms,
    "p99 ms": result.p99Ms,
    "max ms": result.maxMs,
    "load late p99 ms": result.lateP99Ms,
    "load share": result.loadShare,
    [OTHERS]: result.othersShare,
  };
}

/** The publisher is a process of its own, and begins with the warm-up. */
async function appendBesidePublisher(
  server: Running,
  perSecond: number,
  settings: Settings,
): Promise<Figures> {
  await create(server);
  const { port, pid, prefix } = server;
  const seconds = WARM_SECONDS + secondsOf(settings);
  const plan: PublishPlan = { port, pid, prefix, bytes: SNAPSHOT_BYTES, seconds };
  const [{ [OTHERS]: _publisher, ...figures }, { published }] = await Promise.all([
    appendAtRate(server, perSecond, settings),
    runLoad<PublishResult>("publish.ts", plan, { niceness: GIVES_WAY }),
  ]);
  return { ...figures, snapshots: published };
}

function secondsOf({ seconds }: Settings): number {
  return Math.max(seconds, SECONDS_MIN);
}
