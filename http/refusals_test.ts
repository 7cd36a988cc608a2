import assert from "node:assert/strict";
import { givenPlane } from "../tests/given/plane.ts";

const TEXT = { "content-type": "text/plain" };

Deno.test("an overloaded node answers writes 503 unread, and goes on with all else", async () => {
  const { plane, ask, clock, runtime, errors, close } = await givenPlane();
  assert.equal((await ask("PUT", "/v1/stream/a", undefined, TEXT)).status, 201);
  const { admission } = runtime;
  while (admission.admits());
  const refusedBefore = admission.refused;
  for (
    const [method, path] of [
      ["POST", "/v1/stream/a"],
      ["POST", "/v1/append-batch/a"],
      ["PUT", "/v1/stream/b"],
      ["PUT", "/demo/a/snapshot/0"],
    ] as const
  ) {
    const request = new Request(`http://node${path}`, { method, body: "x", headers: TEXT });
    const answer = await plane.fetch(request);
    assert.equal(answer.status, 503, `${method} ${path}`);
    assert.equal(answer.headers.get("retry-after"), "1");
    assert.equal(answer.headers.get("content-type"), "application/json");
    assert.equal(answer.headers.get("access-control-allow-origin"), "*");
    assert.equal((await answer.json()).error.code, "overloaded");
    assert.equal(request.bodyUsed, false);
  }
  assert.equal(admission.refused - refusedBefore, 4);
  const read = plane.fetch(new Request("http://node/v1/stream/a"));
  assert.equal((await read).status, 200);
  const text = await (await ask("GET", "/metrics")).text();
  assert.match(text, /ursula_bound_refused_total\{bound="writes_in_flight"\} [1-9]/);
  assert.match(text, /ursula_http_responses_total\{route="other",status="503"\} 4/);
  // The next tick finds that nothing is under way.
  await clock.run(20);
  assert.equal((await ask("POST", "/v1/stream/a", "x", TEXT)).status, 204);
  assert.deepEqual(errors, []);
  await close();
});
