import assert from "node:assert/strict";
import type { ReadPlan } from "../stream/mod.ts";
import { factsOf } from "../tests/given/facts.ts";
import type { HttpContext } from "./context.ts";
import type { ReadWish } from "./read_request.ts";
import { serverSentEvents } from "./sse.ts";

const PLAN: ReadPlan = {
  facts: factsOf(),
  from: 3,
  next: 3,
  slices: [],
  upToDate: true,
  snapshot: undefined,
};

/** Asks for events of a stream that can't be watched; `found` is what a read says then. */
async function refusal(found: unknown): Promise<number> {
  const context = {
    liveReaders: { admits: () => true },
    streams: { watch: () => Promise.resolve(undefined), read: () => Promise.resolve(found) },
  } as unknown as HttpContext; // whatever else there is must not be needed
  const wish: ReadWish = {
    from: 3,
    live: "sse",
    maxBytes: 4096,
    cursor: undefined,
    timeoutMs: undefined,
    incarnation: undefined,
    echo: undefined,
  };
  const request = new Request("http://node/v1/stream/a");
  return (await serverSentEvents(context, request, "demo/a", wish, PLAN)).status;
}

Deno.test("an SSE read that can't watch says 404 only when the stream is not there", async () => {
  assert.equal(await refusal({ refused: "stream_not_found" }), 404);
  assert.equal(await refusal({ refused: "incarnation_mismatch" }), 404);
  assert.equal(await refusal({ refused: "stream_gone" }), 410);
  assert.equal(await refusal({ unavailable: "no_leader" }), 503);
  assert.equal(await refusal({ plan: PLAN }), 503, "there again by now");
});
