import assert from "node:assert/strict";
import { offset, serve } from "./client.ts";
import { assertError, assertStatus } from "./expect.ts";

const api = serve();

Deno.test("If-Match lets an append through when it names the tail, quoted or not", async () => {
  const path = await api.create("text/plain", "abc");
  const spellings = [offset(3), `"${offset(4)}"`, "5", `"6"`, "0000000000000000_0000000000000007"];
  for (const [at, ifMatch] of spellings.entries()) {
    const answer = await api.post(path, "text/plain", "x", { "if-match": ifMatch });
    assertStatus(answer, 204, ifMatch);
    assert.equal(answer.headers.get("stream-next-offset"), offset(4 + at));
  }
});

Deno.test("If-Match refuses with 412 and the tail when it names another offset", async () => {
  const path = await api.create("text/plain", "abc");
  for (const ifMatch of [offset(2), `"${offset(4)}"`, "0"]) {
    const answer = await api.post(path, "text/plain", "x", { "if-match": ifMatch });
    assertError(answer, "offset_mismatch", ifMatch);
    assert.equal(answer.headers.get("stream-next-offset"), offset(3));
  }
  assert.equal((await api.get(path)).text, "abc");
});

Deno.test("If-Match holds for a close", async () => {
  const path = await api.create("text/plain", "abc");
  const close = (ifMatch: string) =>
    api.post(path, undefined, undefined, { "if-match": ifMatch, "stream-closed": "true" });
  assertError(await close(offset(9)), "offset_mismatch");
  assert.equal((await api.head(path)).headers.get("stream-closed"), null);
  assertStatus(await close(offset(3)), 204);
  assert.equal((await api.head(path)).headers.get("stream-closed"), "true");
});

Deno.test("If-Match is 400 when it is no offset", async () => {
  const path = await api.create("text/plain", "abc");
  for (const ifMatch of ["", `""`, "-1", "now", "*", "abc", `W/"3"`, "3,4", `"3`, "1".repeat(21)]) {
    const answer = await api.post(path, "text/plain", "x", { "if-match": ifMatch });
    assertError(answer, "invalid_if_match", JSON.stringify(ifMatch));
  }
});

Deno.test("If-Match lets exactly one of many concurrent appends through", async () => {
  const path = await api.create("text/plain", "abc");
  for (let round = 0; round < 10; round++) {
    const tail = (await api.head(path)).headers.get("stream-next-offset") ?? "";
    const answers = await Promise.all(
      Array.from({ length: 16 }, () => api.post(path, "text/plain", "x", { "if-match": tail })),
    );
    assert.equal(answers.filter((answer) => answer.status === 204).length, 1);
    assert.equal(answers.filter((answer) => answer.status === 412).length, 15);
  }
  assert.equal((await api.get(path)).text, "abc" + "x".repeat(10));
});

Deno.test("If-Match that fails leaves the producer's state alone", async () => {
  const path = await api.create("text/plain", "abc");
  const producer = { "producer-id": "p", "producer-epoch": "0", "producer-seq": "0" };
  assertError(
    await api.post(path, "text/plain", "x", { ...producer, "if-match": "0" }),
    "offset_mismatch",
  );
  assertStatus(await api.post(path, "text/plain", "x", { ...producer, "if-match": "3" }), 200);
  assert.equal((await api.get(path)).text, "abcx");
});
