/**
 * What may be done to a stream, each as one request that is repeated until its outcome is known, and
 * held against the model.
 *
 * @module
 */

import { partsOf } from "../given/multipart.ts";
import { difference } from "../cluster/read_back.ts";
import type { ClusterNode } from "../cluster/cluster_node.ts";
import type { Answer, Requests } from "./requests.ts";
import { StreamModel } from "./stream_model.ts";

/** The bucket that all streams are in. */
export const BUCKET = "/soak";
const SNAPSHOT_TYPE = "text/x-folded";
const MAX_BYTES_MIN = 512;
const MAX_BYTES_SPAN = 64 << 10;

/** Makes a stream. */
export async function create(
  requests: Requests,
  path: string,
  life: string,
  json: boolean,
): Promise<StreamModel> {
  const model = new StreamModel(path, life, json);
  const answer = await requests.send({ method: "PUT", path, headers: typeOf(model) });
  expect(answer, `create ${path}`, answer.isRepeat ? [200, 201] : [201]);
  model.incarnation = incarnationOf(answer);
  return model;
}

/** Makes a fork that begins with what lies before an offset. */
export async function fork(
  requests: Requests,
  source: StreamModel,
  path: string,
  life: string,
  offset: number,
): Promise<StreamModel> {
  const model = source.fork(path, life, offset);
  const answer = await requests.send({
    method: "PUT",
    path,
    headers: {
      ...typeOf(model),
      "stream-forked-from": source.path,
      "stream-fork-offset": digits(offset),
    },
  });
  expect(
    answer,
    `fork ${source.path} at ${offset} as ${path}`,
    answer.isRepeat ? [200, 201] : [201],
  );
  model.incarnation = incarnationOf(answer);
  return model;
}

/** Appends the next message exactly once; how many bytes it has. */
export async function append(requests: Requests, model: StreamModel): Promise<number> {
  const text = model.append();
  const answer = await requests.send({
    method: "POST",
    path: model.path,
    headers: {
      ...guarded(model),
      ...typeOf(model),
      "producer-id": model.life,
      "producer-epoch": "0",
      "producer-seq": String(model.written),
    },
    body: text,
  });
  const what = `append ${model.written} to ${model.path}`;
  expect(answer, what, answer.isRepeat ? [200, 204] : [200]);
  model.acknowledge();
  expectTail(answer, what, model.tail);
  return text.length;
}

/** Publishes the snapshot for an offset. */
export async function publish(
  requests: Requests,
  model: StreamModel,
  offset: number,
): Promise<void> {
  const body = model.publish(offset);
  const answer = await requests.send({
    method: "PUT",
    path: `${model.path}/snapshot/${digits(offset)}`,
    headers: { ...guarded(model), "content-type": SNAPSHOT_TYPE },
    body,
  });
  const what = `publish ${model.path} at ${offset}`;
  expect(answer, what, [204]);
  expectTail(answer, what, model.tail);
  model.published(offset);
}

/** Deletes the stream. */
export async function remove(requests: Requests, model: StreamModel): Promise<void> {
  model.isEnding = true;
  const { path } = model;
  const answer = await requests.send({ method: "DELETE", path, headers: guarded(model) });
  // One that has forks is gone, and says so.
  expect(answer, `delete ${path}`, answer.isRepeat ? [204, 404, 410] : [204]);
}

/** Reads from an offset to the tail, in pages of any length. */
export async function read(
  requests: Requests,
  model: StreamModel,
  from: number,
  next: () => number,
  only?: ClusterNode,
): Promise<void> {
  for (let offset = from;;) {
    const most = next() < 0.5
      ? ""
      : `&max_bytes=${Math.floor(MAX_BYTES_MIN + next() * MAX_BYTES_SPAN)}`;
    const path = `${model.path}?offset=${offset}${most}`;
    const answer = await requests.send({ method: "GET", path, headers: guarded(model) }, only);
    const what = `read ${path} through node ${answer.node.id}`;
    expect(answer, what, [200]);
    const end = Number(answer.headers.get("stream-next-offset"));
    compare(what, answer.text, model.body(offset, end));
    const isOver = answer.headers.get("stream-up-to-date") === "true";
    if (isOver !== (end === model.tail)) {
      throw new Error(`${what}: ends at ${end}, tail is ${model.tail}, up to date ${isOver}`);
    }
    if (isOver) return;
    if (end <= offset) throw new Error(`${what}: does not move on`);
    offset = end;
  }
}

/** Asks where the tail is. */
export async function head(
  requests: Requests,
  model: StreamModel,
  only?: ClusterNode,
): Promise<void> {
  const { path } = model;
  const answer = await requests.send({ method: "HEAD", path, headers: guarded(model) }, only);
  const what = `head ${path} through node ${answer.node.id}`;
  expect(answer, what, [200]);
  expectTail(answer, what, model.tail);
}

/** Asks for the beginning, which is gone once there was a snapshot. */
export async function stale(requests: Requests, model: StreamModel): Promise<void> {
  if (model.earliest === 0) return;
  const path = `${model.path}?offset=-1`;
  const answer = await requests.send({ method: "GET", path, headers: guarded(model) });
  expect(answer, `read ${path}`, [410]);
  const earliest = Number(answer.headers.get("stream-earliest-offset"));
  if (earliest !== model.earliest) {
    throw new Error(`read ${path}: earliest offset ${earliest}, not ${model.earliest}`);
  }
}

/** Reads the published snapshot, or that there is none. */
export async function readSnapshot(
  requests: Requests,
  model: StreamModel,
  only?: ClusterNode,
): Promise<void> {
  const path = `${model.path}/snapshot`;
  const found = await requests.send({ method: "GET", path, headers: guarded(model) }, only);
  const { snapshot, earliest } = model;
  if (snapshot === undefined) return expect(found, `read ${path}`, [404]);
  expect(found, `read ${path}`, [307]);
  const at = `${path}/${digits(earliest)}`;
  const answer = await requests.send({ method: "GET", path: at, headers: guarded(model) }, only);
  expect(answer, `read ${at}`, [200]);
  compare(`read ${at} through node ${answer.node.id}`, answer.text, snapshot);
}

/** Reads the snapshot and each message since in one response. */
export async function bootstrap(
  requests: Requests,
  model: StreamModel,
  only?: ClusterNode,
): Promise<void> {
  const path = `${model.path}/bootstrap`;
  const answer = await requests.send({ method: "GET", path, headers: guarded(model) }, only);
  const what = `read ${path} through node ${answer.node.id}`;
  expect(answer, what, [200]);
  expectTail(answer, what, model.tail);
  const parts = await partsOf(answer.headers.get("content-type") ?? "", answer.bytes);
  const expected = [model.snapshot ?? "", ...model.readable.map((one) => model.textOf(one))];
  if (parts.length !== expected.length) {
    throw new Error(`${what}: ${parts.length} parts, not ${expected.length}`);
  }
  for (const [at, { bytes }] of parts.entries()) {
    compare(`${what}, part ${at}`, new TextDecoder().decode(bytes), expected[at]);
  }
}

/** @throws Error where a text is not what it must be */
export function compare(what: string, found: string, expected: string | undefined): void {
  if (found === expected) return;
  throw new Error(
    `${what}: ${
      expected === undefined
        ? `${found.length} characters that were never written so`
        : difference(found, expected)
    }`,
  );
}

/** An offset as it stands in a path. */
export function digits(offset: number): string {
  return String(offset).padStart(20, "0");
}

function typeOf({ json }: StreamModel): Record<string, string> {
  return { "content-type": json ? "application/json" : "text/plain" };
}

/** So that a request that comes late does nothing to another life of the path. */
function guarded({ incarnation }: StreamModel): Record<string, string> {
  return { "stream-incarnation": incarnation };
}

function incarnationOf({ headers }: Answer): string {
  return headers.get("stream-incarnation") ?? "";
}

function expect({ status, text, isRepeat }: Answer, what: string, among: readonly number[]): void {
  if (among.includes(status)) return;
  throw new Error(
    `${what}: ${status} ${text.slice(0, 300)}, not ${among.join(" or ")}${
      isRepeat ? ", repeated" : ""
    }`,
  );
}

function expectTail({ headers }: Answer, what: string, tail: number): void {
  const found = headers.get("stream-next-offset");
  if (Number(found) !== tail) throw new Error(`${what}: tail ${found}, not ${tail}`);
}
