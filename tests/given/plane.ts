/**
 * The client plane of a node of one shard, on simulated time.
 *
 * @module
 */

import type { Group } from "../../group/mod.ts";
import { Gate } from "../../http/auth/mod.ts";
import type { HttpSettings } from "../../http/context.ts";
import { ClientPlane } from "../../http/plane.ts";
import type { LogFields } from "../../node/log.ts";
import { ShardRuntime } from "../../node/runtime.ts";
import type { GroupAccess, ShardSetup } from "../../shard/mod.ts";
import type { ColdStore } from "../../storage/cold/mod.ts";
import { SimClock } from "../sim/clock.ts";
import { SimDisk } from "../sim/disk.ts";
import { SimNetwork } from "../sim/network.ts";
import { SimRandom } from "../sim/random.ts";
import { setupOf } from "./shard.ts";

/** The defaults of the configuration, one shard's share. */
export const SETTINGS: HttpSettings = {
  longPollTimeoutMs: 20_000,
  sseMaxAgeMs: 60_000,
  corsOrigins: "*",
  appendBytesMax: 32 * 1024 * 1024,
  batchBytesMax: 32 * 1024 * 1024,
  batchItemsMax: 512,
  snapshotBytesMax: 128 << 20,
  producerIdBytesMax: 256,
  streamSeqBytesMax: 256,
  bodyBytesInFlightMax: 256 * 1024 * 1024,
  outgoingBytesMax: 256 * 1024 * 1024,
  liveReadersMax: 100,
  logRequests: false,
};

/** What {@linkcode givenPlane} made. */
export interface GivenPlane {
  readonly clock: SimClock;
  readonly plane: ClientPlane;
  /** What no request should have caused. */
  readonly errors: unknown[];
  /** Lines for the operator. */
  readonly lines: string[];
  /** What was logged of requests, where the settings ask for it. */
  readonly requests: LogFields[];
  readonly runtime: ShardRuntime;
  /** The node's groups. */
  readonly groups: readonly Group[];
  /** All groups of the node. */
  readonly access: GroupAccess;
  /** Asks, and moves time on until there is an answer. Paths begin with `/`. */
  ask(method: string, path: string, body?: BodyInit, headers?: HeadersInit): Promise<Response>;
  /** Asks, and leaves time where it is. */
  begin(method: string, path: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

/**
 * A node in memory, as HTTP reaches it.
 *
 * @param coldStore in the place of the store that `setup` names
 * @param authFile text of an auth file; left out lets everybody do everything
 */
export async function givenPlane(
  settings: Partial<HttpSettings> = {},
  setup: Partial<ShardSetup> = {},
  coldStore?: ColdStore,
  authFile?: string,
): Promise<GivenPlane> {
  const clock = new SimClock();
  const random = new SimRandom(3);
  const network = new SimNetwork({ clock, random }).of(1);
  const openCold = coldStore && (() => Promise.resolve(coldStore));
  const io = { clock, random, disk: new SimDisk({ random }), network, openCold };
  const errors: unknown[] = [];
  const lines: string[] = [];
  const requests: LogFields[] = [];
  const groups: Group[] = [];
  const runtime = await clock.until(
    ShardRuntime.start(setupOf({ groupCount: 2, ...setup }), io, [], {
      onFatal: (reason) => errors.push(reason),
      log: (line) => lines.push(line),
      onGroup: (group) => groups.push(group),
    }),
  );
  const plane = new ClientPlane({
    runtime,
    io,
    settings: { ...SETTINGS, ...settings },
    identity: { nodeId: 1, clusterId: "ursula", version: "0.0.0" },
    gate: authFile === undefined
      ? undefined
      : new Gate({ text: authFile, keyFiles: new Map() }, clock, (line) => lines.push(line)),
    onError: (reason) => errors.push(reason),
    tellRequest: (fields) => requests.push(fields),
  });
  const begin = (method: string, path: string, init: RequestInit = {}) =>
    plane.fetch(new Request(`http://node${path}`, { method, ...init }));
  return {
    clock,
    plane,
    errors,
    lines,
    requests,
    runtime,
    groups,
    access: runtime.access,
    begin,
    ask: (method, path, body, headers = { "content-type": "text/plain" }) =>
      clock.until(begin(method, path, { body, headers })),
    async close() {
      plane.endLiveReads();
      plane.close();
      await clock.until(runtime.stop());
    },
  };
}
