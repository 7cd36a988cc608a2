/**
 * The entry of a worker: one further shard of a node, and its part of the client plane.
 *
 * @module
 */

import { DenoClock, denoDisk, denoNetwork, denoRandom } from "../io/deno.ts";
import { handleUse, processUsage } from "../io/machine.ts";
import type { Network } from "../io/mod.ts";
import { openTracer } from "../io/telemetry.ts";
import type { FromWorker, ToWorker } from "../node/crew.ts";
import type { LogFields } from "../node/log.ts";
import { Links } from "../node/links.ts";
import { ShardRuntime } from "../node/runtime.ts";
import type { PlaneSetup } from "../http/context.ts";
import { Gate } from "../http/auth/mod.ts";
import { HandleWatch } from "../http/handle_watch.ts";
import { networkOf, renewNetwork } from "../http/network.ts";
import { ClientPlane } from "../http/plane.ts";
import type { SecuritySetup } from "../http/security.ts";
import { listen, type Listener } from "../http/serve.ts";
import type { LineLevel } from "./log_line.ts";

/** The part of a worker's global scope that is used here. */
interface WorkerScope {
  onmessage: ((message: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker): void;
}

const scope = globalThis as unknown as WorkerScope;
const machine = {
  clock: new DenoClock(),
  random: denoRandom,
  disk: denoDisk,
  network: denoNetwork as Network,
};
const handles = new HandleWatch(machine.clock, handleUse);
let runtime: ShardRuntime | undefined;
let links: Links | undefined;
let gate: Gate | undefined;
let plane: ClientPlane | undefined;
let listener: Listener | undefined;

const tell = (message: FromWorker) => scope.postMessage(message);
const log = (message: string, level: LineLevel = "info") => tell({ type: "log", level, message });
const fail = (reason: unknown) => {
  tell({ type: "failed", reason: reason instanceof Error ? reason.message : String(reason) });
};

async function obey(order: ToWorker): Promise<void> {
  switch (order.type) {
    case "start": {
      const { settings, identity, security } = order.extra as PlaneSetup;
      machine.network = networkOf(security);
      const { setup, ports } = order;
      const { cluster } = setup;
      const io = { ...machine, tracer: await openTracer(identity.version) };
      links = cluster &&
        new Links(cluster, io, log, () => Promise.resolve(cluster.formationReport));
      runtime = await ShardRuntime.start(setup, io, ports, { onFatal: fail, log }, links);
      if (cluster?.shared) await links?.listen();
      const onError = (reason: unknown) => log(describe(reason), "error");
      const { auth } = security;
      gate = auth && new Gate(auth, io.clock, (line) => log(line, "warn"));
      const tellRequest = (fields: LogFields) =>
        tell({
          type: "log",
          level: "info",
          message: "request",
          fields: { ...fields, shard: setup.index },
        });
      plane = new ClientPlane({
        runtime,
        io,
        settings,
        identity,
        gate,
        usage: processUsage,
        handles,
        onError,
        tellRequest,
      });
      return tell({ type: "started" });
    }
    case "listen": {
      const { hostname, port, tls } = order;
      if (plane !== undefined) {
        const settle = () => plane?.settle();
        const options = { hostname, port, tls, shared: true, log, settle, handles };
        listener = listen(plane.fetch, options);
      }
      return tell({ type: "listening" });
    }
    case "renew": {
      const security = order.extra as SecuritySetup;
      renewNetwork(machine.network, security);
      if (security.auth !== undefined) gate?.renew(security.auth);
      if (security.tls !== undefined) await listener?.renew(security.tls);
      return tell({ type: "renewed" });
    }
    case "hand_over":
      await runtime?.handOver();
      return tell({ type: "handed_over" });
    case "quiet":
      plane?.endLiveReads();
      await listener?.stop();
      return tell({ type: "quiet" });
    case "stop":
      plane?.close();
      await runtime?.stop();
      await links?.close();
      machine.clock.close();
      return tell({ type: "stopped" });
  }
}

function describe(reason: unknown): string {
  return reason instanceof Error ? reason.stack ?? reason.message : String(reason);
}

scope.onmessage = ({ data }) => {
  obey(data).catch(fail);
};
