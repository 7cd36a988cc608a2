/**
 * A node within the test, on whatever cold store, behind a port of its own.
 *
 * @module
 */

import type { HttpSettings } from "../../http/context.ts";
import { ClientPlane } from "../../http/plane.ts";
import { listen } from "../../http/serve.ts";
import { DenoClock, denoDisk, denoNetwork, denoRandom } from "../../io/deno.ts";
import { ShardRuntime } from "../../node/runtime.ts";
import type { ColdSetup } from "../../shard/setup.ts";
import { type ColdBackend, type ColdStore, prepareColdFolder } from "../../storage/cold/mod.ts";
import { GivenStore } from "../given/cold_store.ts";
import { SETTINGS } from "../given/plane.ts";
import { setupOf } from "../given/shard.ts";
import type { ServerProcess } from "../server.ts";
import { Api } from "./client.ts";

/** Where snapshots lie: nowhere but in memory, in a store of the node's own, or in one that is shared. */
export type Backend = "none" | "memory" | "fs" | "shared";

/** A node that {@linkcode snapshotNode} started. */
export interface SnapshotNode {
  readonly api: Api;
  readonly runtime: ShardRuntime;
  /** What objects lie in, on the `shared` backend. */
  readonly store: GivenStore;
  /** What no request should have caused. */
  readonly errors: unknown[];
  stop(): Promise<void>;
}

/**
 * Starts a node of one shard and 16 groups, which keeps its log in memory.
 *
 * @param cold what is to be other than usual; a backend of its own is opened instead of `shared`
 */
export async function snapshotNode(
  backend: Backend,
  settings: Partial<HttpSettings> = {},
  cold: Partial<ColdSetup> = {},
): Promise<SnapshotNode> {
  const folder = await Deno.makeTempDir({ prefix: "ursula-snapshots-" });
  const store = new GivenStore(true);
  const clock = new DenoClock();
  const io = {
    clock,
    random: denoRandom,
    disk: denoDisk,
    network: denoNetwork,
    ...(backend === "shared" && cold.backend === undefined
      ? { openCold: (): Promise<ColdStore> => Promise.resolve(store) }
      : {}),
  };
  const errors: unknown[] = [];
  const onError = (reason: unknown) => errors.push(reason);
  if (backend === "fs") await prepareColdFolder(denoDisk, `${folder}/cold`);
  const usual = coldOf(backend, `${folder}/cold`);
  const setup = setupOf({ groupCount: 16, cold: usual && { ...usual, ...cold } });
  const runtime = await ShardRuntime.start(setup, io, [], { onFatal: onError, log: () => {} });
  const plane = new ClientPlane({
    runtime,
    io,
    settings: { ...SETTINGS, ...settings },
    identity: { nodeId: 1, clusterId: "ursula", version: "0.0.0" },
    onError,
  });
  const listener = listen(plane.fetch, {
    hostname: "127.0.0.1",
    port: 0,
    shared: false,
    log: () => {},
  });
  const url = `http://127.0.0.1:${listener.port}`;
  return {
    api: new Api(() => ({ url } as ServerProcess)), // all that requests ask of it
    runtime,
    store,
    errors,
    async stop() {
      plane.endLiveReads();
      await listener.stop();
      plane.close();
      await runtime.stop();
      clock.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/**
 * A test of a file with a {@linkcode snapshotFixture}: the node is of this process, and its timers go
 * on from one test to the next. That one leaves nothing behind is tested in `http/embed_test.ts`.
 */
export function besideNode(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, sanitizeOps: false, sanitizeResources: false, fn });
}

/** The same before the tests of the calling file, and until after them. */
export function snapshotFixture(
  backend: Backend,
  settings?: Partial<HttpSettings>,
): () => SnapshotNode {
  let node: SnapshotNode | undefined;
  Deno.test.beforeAll(async () => {
    node = await snapshotNode(backend, settings);
  });
  Deno.test.afterAll(() => node?.stop());
  return () => {
    if (node === undefined) throw new Error("the node runs only while tests do");
    return node;
  };
}

function coldOf(backend: Backend, root: string): ColdSetup | undefined {
  if (backend === "none") return undefined;
  const backends: Record<typeof backend, ColdBackend> = {
    memory: { kind: "memory" },
    fs: { kind: "fs", root },
    shared: { kind: "s3", bucket: "tests", root: "" } as ColdBackend, // another store is opened
  };
  return {
    backend: backends[backend],
    formation: "f0000000",
    flushIntervalMs: 50,
    flushMinHotBytes: 8 * 1024 * 1024,
    flushMaxBytes: 8 * 1024 * 1024,
    flushesMax: 4,
    hotBytesPerGroupMax: 64 * 1024 * 1024,
    keepsMs: 3_600_000,
    cacheBytesMax: 16 * 1024 * 1024,
  };
}
