import assert from "node:assert/strict";
import type { Answer } from "../group/mod.ts";
import { Admission } from "../shard/mod.ts";
import { givenPlane, SETTINGS } from "../tests/given/plane.ts";
import { SimClock } from "../tests/sim/clock.ts";
import { append } from "./append.ts";
import { BodyReader } from "./body.ts";
import type { HttpContext } from "./context.ts";
import { Cors } from "./cors.ts";
import { create } from "./create.ts";
import { Exchange } from "./exchange.ts";
import { Outgoing } from "./outgoing.ts";
import { Traffic } from "./traffic.ts";
import { TurnTime } from "./turn_time.ts";

const ROUTE = { kind: "stream", key: "demo/a", flat: true } as const;
const QUERY = {} as Parameters<typeof append>[3];

/** A plane whose groups answer when the test says so. */
function given(bytesMax: number) {
  const bodies = new BodyReader(new SimClock(), bytesMax);
  const waiting: PromiseWithResolvers<Answer>[] = [];
  const later = () => {
    waiting.push(Promise.withResolvers<Answer>());
    return waiting.at(-1)?.promise;
  };
  const context = {
    admission: new Admission(new SimClock(), () => {}),
    bodies,
    settings: SETTINGS,
    streams: { append: later, create: later },
  } as unknown as HttpContext; // what writes ask of it
  const manners = {
    cors: new Cors("*"),
    time: new TurnTime(new SimClock()),
    traffic: new Traffic(),
    outgoing: new Outgoing(new SimClock(), 0),
    onError: (reason: unknown) => assert.fail(String(reason)),
  };
  const ask = (method: string, length: number) => {
    const body = "x".repeat(length);
    const headers = { "content-type": "text/plain", "content-length": String(length) };
    const request = new Request("http://node/v1/stream/a", { method, body, headers });
    return new Promise<Response>((resolve) => {
      const exchange = new Exchange(manners, request, request.method, resolve);
      if (method === "POST") append(context, exchange, ROUTE, QUERY);
      else create(context, request, ROUTE, QUERY).then((reply) => exchange.answer(reply));
    });
  };
  return { bodies, waiting, ask };
}

for (const method of ["POST", "PUT"]) {
  Deno.test(`bodies of ${method} are in flight until their requests are answered`, async () => {
    const { bodies, waiting, ask } = given(1_000);
    const held = ask(method, 900);
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(waiting.length, 1, "it was read, and waits for its group");
    const refused = await ask(method, 200);
    assert.deepEqual([refused.status, refused.headers.get("retry-after")], [503, "1"]);
    assert.match(await refused.text(), /overloaded/);
    assert.deepEqual([bodies.bytesInFlight, bodies.refused], [900, 1]);
    waiting[0]?.resolve({ unavailable: "no_leader" });
    await (await held).body?.cancel();
    assert.equal(bodies.bytesInFlight, 0);
    const failed = ask(method, 200);
    await new Promise((resolve) => setTimeout(resolve, 10));
    waiting[1]?.resolve({ unavailable: "outcome_unknown" });
    await (await failed).body?.cancel();
    assert.equal(bodies.bytesInFlight, 0);
  });
}

Deno.test("with as many bodies in flight as there may be, what has none goes on", async () => {
  const { clock, ask, begin, close } = await givenPlane({ bodyBytesInFlightMax: 1_000 });
  assert.equal((await ask("PUT", "/v1/stream/a", "abc")).status, 201);
  let end = () => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new Uint8Array(900));
      end = () => controller.close();
    },
  });
  const headers = { "content-type": "text/plain" };
  const slow = begin("POST", "/v1/stream/a", { body, headers });
  await clock.run(10);
  const more = { ...headers, "content-length": "200" };
  const refused = await ask("POST", "/v1/stream/a", "x".repeat(200), more);
  assert.deepEqual([refused.status, refused.headers.get("retry-after")], [503, "1"]);
  assert.equal((await ask("GET", "/v1/stream/a")).status, 200);
  assert.equal((await ask("PUT", "/v1/stream/b")).status, 201);
  assert.equal((await ask("DELETE", "/v1/stream/b")).status, 204);
  end();
  assert.equal((await clock.until(slow)).status, 204);
  assert.equal((await ask("POST", "/v1/stream/a", "x".repeat(200), more)).status, 204);
  await close();
});

Deno.test("bodies in blocks leave room in flight for all others", async () => {
  const bodies = new BodyReader(new SimClock(), 1_000, 300);
  const put = (body: BodyInit, headers = {}) =>
    new Request("http://node/", { method: "PUT", body, headers });
  const announced = (length: number) => put("x".repeat(length), { "content-length": `${length}` });
  const blocks = (request: Request) => bodies.readBlocks(request, 900, () => {});
  assert.equal(await blocks(announced(701)), "overloaded");
  assert.equal(await blocks(put(ReadableStream.from([new Uint8Array(701)]))), "overloaded");
  assert.equal(await blocks(announced(901)), "payload_too_large");
  assert.equal((await blocks(announced(700))).length, 1);
  bodies.hold(700);
  assert.equal(await blocks(announced(1)), "overloaded");
  assert.equal((await bodies.read(announced(300), 900)).length, 300);
  bodies.release(700);
  assert.deepEqual([bodies.bytesInFlight, bodies.refused], [0, 3]);
});
