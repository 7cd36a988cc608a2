/**
 * Ursula: a server for the Durable Streams Protocol.
 *
 * Run as the main module, it is the server (`--help` lists its flags). Imported, it gives
 * {@linkcode createNode}, to embed a node in a program of one's own.
 *
 * ```ts ignore
 * import { createNode } from "@ursula/server";
 *
 * const node = await createNode({ dataDir: "./data", cores: 1 });
 * Deno.serve(node.fetch); // or: const { url } = await node.listen();
 * // …
 * await node.close();
 * ```
 *
 * @module
 */

export { createNode, type ListenAddress, type UrsulaNode } from "./http/embed.ts";
export type {
  ClusterConfig,
  ClusterPeer,
  ColdBackendName,
  ColdConfig,
  Config,
  ConfigInput,
  CorsOrigin,
  HostPort,
  OptionValues,
  ProfileName,
  ProgramOption,
  RaftPeer,
} from "./node/config/mod.ts";

if (import.meta.main) {
  const { main } = await import("./http/main.ts");
  await main();
}
