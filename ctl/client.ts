import {
  ADMIN_PATHS,
  type AdminError,
  type ColdFlushed,
  type ErrorCode,
  ERRORS,
  type GroupMembers,
  type LeaderTransferred,
  type LogPurged,
  type Maintenance,
  type NodeMetrics,
  type RaftSnapshotTaken,
} from "../protocol/mod.ts";
import { Failure, messageOf } from "./failure.ts";
import { pause } from "./machine.ts";
import type { NodeAddress } from "./manifest.ts";

/** How long a node may take to say how it is. */
const LOOK_MS_MAX = 5_000;
/** How long it may take to do something: a transfer or a catch-up has bounds of its own there. */
const ACT_MS_MAX = 60_000;
/** Until the one repetition. */
const REPEAT_MS = 100;

/** What an answer said beside its message. */
export interface Refusal {
  readonly code?: ErrorCode;
  /** With `not_leader`: who leads, as far as the node knows. */
  readonly leaderId?: number;
  /** With `producer_epoch_stale`: the epoch in force. */
  readonly epoch?: number;
}

/** A node refused something, or gave no answer. */
export class CallError extends Failure {
  /** Status of the answer; 0 where there was none. */
  readonly status: number;
  readonly code: ErrorCode | undefined;
  readonly refusal: Refusal;

  constructor(message: string, status: number, refusal: Refusal = {}) {
    super(message);
    this.status = status;
    this.code = refusal.code;
    this.refusal = refusal;
  }

  /** The same call may succeed in a moment. */
  get mayPass(): boolean {
    if (this.status === 0 || this.status === 503) return true;
    return this.code !== undefined && ERRORS[this.code]?.retryable === true;
  }
}

/**
 * One node's planes. What is asked here changes nothing when it is done twice, so there is one rule:
 * where the connection failed, or the node answers 503, it is asked once more.
 */
export class NodeClient {
  readonly id: number;
  readonly address: NodeAddress;
  readonly #token: string | undefined;

  constructor(id: number, address: NodeAddress, token: string | undefined) {
    this.id = id;
    this.address = address;
    this.#token = token;
  }

  /** @throws {CallError} as all of these do */
  metrics(): Promise<NodeMetrics> {
    return metricsAt(this.address, this.#token);
  }

  /** Why the node is not ready; undefined when it is. */
  async obstacle(): Promise<string | undefined> {
    try {
      await call(`${this.address.httpUrl}/readyz`, "GET", this.#token, LOOK_MS_MAX, false);
    } catch (error) {
      return messageOf(error);
    }
  }

  drain(): Promise<Maintenance> {
    return this.#act("POST", ADMIN_PATHS.maintenance);
  }

  undrain(): Promise<Maintenance> {
    return this.#act("DELETE", ADMIN_PATHS.maintenance);
  }

  transfer(group: number, node: number): Promise<LeaderTransferred> {
    return this.#act("POST", ADMIN_PATHS.transfer(group, node));
  }

  addLearner(group: number, node: number): Promise<GroupMembers> {
    return this.#act("POST", ADMIN_PATHS.learner(group, node));
  }

  setVoters(group: number, voters: readonly number[]): Promise<GroupMembers> {
    return this.#act("POST", ADMIN_PATHS.membership(group, voters));
  }

  snapshot(group: number): Promise<RaftSnapshotTaken> {
    return this.#act("POST", ADMIN_PATHS.snapshot(group));
  }

  purge(group: number): Promise<LogPurged> {
    return this.#act("POST", ADMIN_PATHS.purge(group));
  }

  flushCold(bucket: string, stream: string): Promise<ColdFlushed> {
    return this.#act("POST", ADMIN_PATHS.flushCold(bucket, stream));
  }

  async #act<T>(method: string, path: string): Promise<T> {
    const { adminUrl } = this.address;
    return JSON.parse(await call(adminUrl + path, method, this.#token, ACT_MS_MAX, true)) as T;
  }
}

/** What a node of an id that is not known yet says of itself. @throws {CallError} */
export async function metricsAt(
  { adminUrl }: NodeAddress,
  token: string | undefined,
): Promise<NodeMetrics> {
  const text = await call(adminUrl + ADMIN_PATHS.metrics, "GET", token, LOOK_MS_MAX, true);
  const metrics = parseObject(text) as Partial<NodeMetrics> | undefined;
  if (typeof metrics?.node_id !== "number" || !Array.isArray(metrics.raft_groups)) {
    throw new CallError(`${adminUrl} is no admin plane of a node`, 0);
  }
  return metrics as NodeMetrics;
}

async function call(
  url: string,
  method: string,
  token: string | undefined,
  msMax: number,
  repeats503: boolean,
): Promise<string> {
  const headers: Record<string, string> = token === undefined
    ? {}
    : { authorization: `Bearer ${token}` };
  for (let attempt = 1;; attempt++) {
    let status: number;
    let text: string;
    try {
      const signal = AbortSignal.timeout(msMax);
      const response = await fetch(url, { method, headers, signal, redirect: "manual" });
      status = response.status;
      text = await response.text();
    } catch (error) {
      const isLate = error instanceof DOMException && error.name === "TimeoutError";
      if (attempt === 1 && !isLate) {
        await pause(REPEAT_MS);
        continue;
      }
      const { origin } = new URL(url);
      const why = isLate ? `no answer within ${msMax / 1000} s` : reasonOf(error);
      throw new CallError(`${origin}: ${why}`, 0);
    }
    if (status === 503 && attempt === 1 && repeats503) {
      await pause(REPEAT_MS);
      continue;
    }
    if (status < 300) return text;
    throw refusal(status, text);
  }
}

/** What the node said. */
function refusal(status: number, text: string): CallError {
  const error = (parseObject(text) as Partial<AdminError> | undefined)?.error;
  if (error === undefined) return new CallError(`answered ${status}`, status);
  const { code, message, leader_id } = error;
  return new CallError(message, status, { code, leaderId: leader_id ?? undefined });
}

/** The cause that a failed request names last, as in `connection refused (os error 111)`. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const last = messageOf(cause).split(": ").at(-1) ?? "";
  return last.charAt(0).toLowerCase() + last.slice(1);
}

function parseObject(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
