/**
 * One node of a cluster: a server process at a fixed port that comes and goes.
 *
 * @module
 */

import assert from "node:assert/strict";
import { pause } from "../http/expect.ts";
import { ServerProcess } from "../server.ts";
import type { Address } from "./link.ts";

/** What a node is given at its start. */
export interface ClusterNodeOptions {
  readonly id: number;
  /** Client plane. */
  readonly address: Address;
  /** Peer plane. */
  readonly peer: Address;
  /** For its data and its output; made here and removed in the end. */
  readonly folder: string;
  readonly memory: boolean;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** What the test did with the node. */
export type NodeState = "down" | "up" | "paused";

/** What `GET /__ursula/metrics` says of a group. */
export interface GroupReport {
  readonly id: number;
  /** Node that leads, as this one knows. */
  readonly leader: number | undefined;
  readonly term: number;
  readonly appliedIndex: number;
  /** Bytes of messages that lie in no object. */
  readonly hotBytes: number;
}

const POLL_MS = 20;
const PROBE_MS_MAX = 3_000;

/** See the module's page. */
export class ClusterNode implements AsyncDisposable {
  readonly id: number;
  /** Base URL of the client plane, without a slash at the end; the same after every start. */
  readonly url: string;
  /** Host and port of the client plane. */
  readonly address: Address;
  /** Host and port of the peer plane. */
  readonly peer: Address;
  /** Where its data lies. */
  readonly dataDir: string;
  readonly server: ServerProcess;
  /** Flags of the next start. */
  args: readonly string[];
  readonly #folder: string;
  #state: NodeState = "down";
  #starting: Promise<void> = Promise.resolve();
  #probes = 0;

  constructor(options: ClusterNodeOptions) {
    this.id = options.id;
    this.address = options.address;
    this.peer = options.peer;
    this.url = `http://${options.address.hostname}:${options.address.port}`;
    this.#folder = options.folder;
    this.dataDir = `${options.folder}/data`;
    this.args = options.args;
    this.server = new ServerProcess({
      memory: options.memory,
      dataDir: this.dataDir,
      env: options.env,
    }, options.folder);
  }

  /** Base URL of the admin plane, once it has started; another one after each start. */
  get adminUrl(): string {
    return this.server.adminUrl;
  }

  /** What the test did with it last. */
  get state(): NodeState {
    return this.#state;
  }

  /** Does the process run? */
  get alive(): boolean {
    return this.server.alive;
  }

  /** Starts the process, and waits for nothing: alone, a node of a cluster does not get far. */
  async launch(): Promise<void> {
    assert.equal(this.#state, "down");
    await Deno.mkdir(this.#folder, { recursive: true });
    this.#state = "up";
    // A flag that is given twice counts as given last.
    const listen = ["--listen", `127.0.0.1:${this.address.port}`];
    this.#starting = this.server.restart([...listen, ...this.args]);
    this.#starting.catch(() => {});
  }

  /** Starts the process and resolves once it is ready. */
  async start(): Promise<void> {
    await this.launch();
    await this.ready();
  }

  /** Resolves when `/readyz` is 200 and a create and an append got through. */
  async ready(timeoutMs = 30_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    let last = "";
    while (performance.now() < deadline) {
      if (!this.alive) await this.#starting;
      if (!this.alive) throw new Error(`node ${this.id} ended:\n${await this.log()}`);
      last = await this.#probe().catch(String);
      if (last === "") return await this.#starting;
      await pause(POLL_MS);
    }
    throw new Error(`node ${this.id} is not ready after ${timeoutMs} ms: ${last}`);
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    this.#state = "down";
    if (this.alive) await this.server.kill();
    await this.#starting.catch(() => {});
  }

  /** SIGTERM, upon which it must end with exit code 0. */
  async stop(): Promise<void> {
    this.#state = "down";
    const exit = await this.server.stop();
    await this.#starting.catch(() => {});
    assert.deepEqual(exit, { code: 0, signal: null }, `node ${this.id} after SIGTERM`);
  }

  /** SIGSTOP: it keeps its connections and says nothing. */
  pause(): void {
    this.#state = "paused";
    Deno.kill(this.server.pid, "SIGSTOP");
  }

  /** SIGCONT. */
  continue(): void {
    this.#state = "up";
    Deno.kill(this.server.pid, "SIGCONT");
  }

  /** Deletes its data directory while it is down. */
  async wipe(): Promise<void> {
    assert.equal(this.#state, "down");
    await Deno.remove(this.dataDir, { recursive: true });
  }

  /** What all its starts wrote to standard output, and then to standard error. */
  async log(): Promise<string> {
    return await this.server.stdout() + await this.server.stderr();
  }

  /** Its groups, as its metrics say. */
  async groups(): Promise<GroupReport[]> {
    const response = await fetch(`${this.url}/__ursula/metrics`, {
      signal: AbortSignal.timeout(PROBE_MS_MAX),
    });
    const { raft_groups } = await response.json() as {
      raft_groups: Record<string, number | string | null>[];
    };
    return raft_groups.map((group) => ({
      id: Number(group.id),
      // A member's name is `${nodeId}.${storeId}`.
      leader: group.leader_id ? Number(String(group.leader_id).split(".")[0]) : undefined,
      term: Number(group.current_term),
      appliedIndex: Number(group.last_applied_index),
      hotBytes: Number(group.hot_bytes),
    }));
  }

  /** Kills it where it runs and removes its folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await Deno.mkdir(this.#folder, { recursive: true });
    await this.server[Symbol.asyncDispose]();
  }

  /** Why it is not ready; empty when it is. */
  async #probe(): Promise<string> {
    const ready = await this.#ask("/readyz", "GET");
    if (ready.status !== 200) return `/readyz: ${ready.text}`;
    const path = `/v1/stream/probes/${this.id}-${this.#probes++}`;
    const created = await this.#ask(path, "PUT");
    if (created.status !== 201) return `create: ${created.status} ${created.text}`;
    const appended = await this.#ask(path, "POST", "ready");
    return appended.status === 204 ? "" : `append: ${appended.status} ${appended.text}`;
  }

  async #ask(path: string, method: string, body?: string) {
    const response = await fetch(this.url + path, {
      method,
      headers: { "content-type": "text/plain" },
      body,
      signal: AbortSignal.timeout(PROBE_MS_MAX),
    });
    return { status: response.status, text: await response.text() };
  }
}
