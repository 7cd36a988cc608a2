import assert from "node:assert/strict";
import { Failure } from "./failure.ts";
import { Producer } from "./producer.ts";
import { parseStreamName, Streams } from "./streams.ts";

interface Asked {
  readonly id: string;
  readonly epoch: number;
  readonly seq: number;
}

/** A producer whose requests get these answers, in turn. */
async function appends(count: number, answers: ((asked: Asked) => Response)[]): Promise<Asked[]> {
  const asked: Asked[] = [];
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const number = (name: string) => Number(request.headers.get(name));
    const id = request.headers.get("producer-id") ?? "";
    const one = { id, epoch: number("producer-epoch"), seq: number("producer-seq") };
    asked.push(one);
    return answers[asked.length - 1]?.(one) ?? appended();
  });
  const streams = new Streams([`http://127.0.0.1:${server.addr.port}`], undefined);
  const producer = new Producer(streams, parseStreamName("/demo/a"), "text/plain");
  for (let at = 0; at < count; at++) await producer.append(new Uint8Array([at]));
  return asked;
}

const appended = () => new Response("", { status: 200, headers: { "stream-next-offset": "1" } });
const repeated = () => new Response(null, { status: 204, headers: { "stream-next-offset": "1" } });
const unknown = () => refused(503, "outcome_unknown");

function refused(status: number, code: string, headers?: Record<string, string>): Response {
  return Response.json({ error: { code, message: code } }, { status, headers });
}

Deno.test("append() counts its messages", async () => {
  const asked = await appends(3, []);
  assert.deepEqual(asked.map(({ seq }) => seq), [0, 1, 2]);
  assert.equal(new Set(asked.map(({ id, epoch }) => `${id} ${epoch}`)).size, 1);
  assert.ok(Number.isSafeInteger(asked[0]?.epoch));
});

Deno.test("append() repeats what nobody knows of as it was", async () => {
  const asked = await appends(2, [unknown, repeated]);
  assert.deepEqual(asked.map(({ seq }) => seq), [0, 0, 1]);
  assert.deepEqual(asked[0], asked[1]);
});

Deno.test("append() takes another name when another run has this one", async () => {
  const epochs = [9e12, 1];
  for (const ahead of epochs) {
    const stale = ({ epoch }: Asked) =>
      refused(403, "producer_epoch_stale", { "producer-epoch": String(epoch + ahead) });
    const asked = await appends(3, [appended, stale]);
    const [first, second, third, fourth] = asked as [Asked, Asked, Asked, Asked];
    assert.deepEqual([first.seq, second.seq, third.seq, fourth.seq], [0, 1, 0, 1]);
    assert.ok(third.epoch > second.epoch);
    assert.equal(third.epoch > second.epoch + ahead, true);
  }
});

Deno.test("append() does not take another run's message for its own", async () => {
  const asked = await appends(1, [repeated]);
  const [first, second] = asked as [Asked, Asked];
  assert.notDeepEqual(first, second);
  assert.deepEqual([first.seq, second.seq, asked.length], [0, 0, 2]);
  await assert.rejects(appends(1, Array(8).fill(repeated)), Failure);
});

Deno.test("append() says so when it can't be known whether a message is there", async () => {
  const stale = () => refused(403, "producer_epoch_stale", { "producer-epoch": "1" });
  await assert.rejects(appends(1, [unknown, stale]), /may be there or not/);
});

Deno.test("append() passes on any other refusal", async () => {
  await assert.rejects(appends(1, [() => refused(409, "stream_closed")]), /stream_closed/);
});
