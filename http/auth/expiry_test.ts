import assert from "node:assert/strict";
import { givenPlane } from "../../tests/given/plane.ts";
import { authFileOf, bearer } from "../../tests/given/tokens.ts";

const PATH = "/v1/stream/team-a/s";
/** How long after its end a live read may be noticed to be over. */
const LATE_MS = 600;

Deno.test("live reads end when their token does", async () => {
  const rights = { scopes: ["read", "write"], buckets: ["*"] };
  const expires_at = new Date(await wallOfPlanes() + 5_000).toISOString();
  const file = authFileOf({ lasting: rights, brief: { ...rights, expires_at } });
  const given = await givenPlane({}, {}, undefined, file);
  const { clock } = given;
  const headers = { "content-type": "text/plain", ...bearer("lasting") };
  assert.equal((await given.ask("PUT", PATH, undefined, headers)).status, 201);
  const startMs = clock.monotonicMs();
  const untilMs = expiresInMs(file, clock.wallMs());

  const wait = given.begin("GET", `${PATH}?offset=now&live=long-poll`, {
    headers: bearer("brief"),
  });
  const live = (name: string) =>
    clock.until(given.begin("GET", `${PATH}?offset=now&live=sse`, { headers: bearer(name) }));
  const [brief, lasting] = [await live("brief"), await live("lasting")];
  const ended = clock.until(drained(brief)).then(() => clock.monotonicMs() - startMs);
  const answer = await clock.until(wait);
  assert.equal(answer.status, 204);
  assert.ok(Math.abs(clock.monotonicMs() - startMs - untilMs) < 50);
  const tookMs = await ended;
  assert.ok(tookMs >= untilMs - 50 && tookMs < untilMs + LATE_MS, `${tookMs} ms of ${untilMs}`);
  const again = await given.ask("GET", PATH, undefined, bearer("brief"));
  assert.equal(again.status, 401);

  // Others go on until they are as old as any may be.
  await clock.until(drained(lasting));
  assert.ok(clock.monotonicMs() - startMs >= 60_000);
  assert.deepEqual(given.errors, []);
  await given.close();
});

/** What wall clocks of planes show at first. */
async function wallOfPlanes(): Promise<number> {
  const given = await givenPlane();
  const wallMs = given.clock.wallMs();
  await given.close();
  return wallMs;
}

function expiresInMs(file: string, wallMs: number): number {
  return Date.parse(JSON.parse(file).tokens[1].expires_at) - wallMs;
}

async function drained(response: Response): Promise<void> {
  for await (const _ of response.body ?? []) { /* events */ }
}
