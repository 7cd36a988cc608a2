import assert from "node:assert/strict";
import type { GroupOrder, OrderAnswer } from "../../shard/mod.ts";
import type { HttpContext } from "../context.ts";
import { type AdminNode, createAdminHandler } from "./plane.ts";

/** A plane over a node that answers every order so, and what it was ordered. */
function given(answer?: OrderAnswer | { unavailable: "stopping" } | Error) {
  const ordered: [group: number, order: GroupOrder][] = [];
  const errors: unknown[] = [];
  const node = {
    access: { groupCount: 4 },
    order(group: number, order: GroupOrder) {
      ordered.push([group, order]);
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  } as unknown as AdminNode; // what orders need of it
  const handler = createAdminHandler({
    serving: () => answer && { node, context: {} as HttpContext },
    nodeId: 1,
    hostNames: [],
    gate: undefined,
    onError: (reason) => errors.push(reason),
  });
  const ask = async (path: string, method = "POST", host = "localhost") => {
    const response = await handler(new Request(`http://${host}:4438${path}`, { method }));
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  return { ask, ordered, errors };
}

Deno.test("orders go to the group that the path names, and are answered by the contract", async () => {
  const rows: [path: string, order: GroupOrder, answer: OrderAnswer, body: unknown][] = [
    ["raft/3/snapshot", { order: "snapshot" }, { index: 7 }, { group: 3, index: 7 }],
    ["raft/0/purge", { order: "purge" }, { firstIndex: 8 }, { group: 0, first_index: 8 }],
    [
      "raft/1/leader/transfer/2",
      { order: "transfer", node: 2 },
      { leader: "2.b" },
      { group: 1, leader_id: 2 },
    ],
    [
      "raft/1/learners/10",
      { order: "learner", node: 10 },
      { voters: ["3.c", "1.a"], learners: ["10.d"] },
      { group: 1, voters: [1, 3], learners: [10] },
    ],
    [
      "raft/1/membership?voters=2,1",
      { order: "membership", voters: [2, 1] },
      { voters: ["2.b", "1.a"], learners: [] },
      { group: 1, voters: [1, 2], learners: [] },
    ],
    [
      "raft/1/membership?more=1&voters=2%2C1",
      { order: "membership", voters: [2, 1] },
      { voters: ["2.b", "1.a"], learners: [] },
      { group: 1, voters: [1, 2], learners: [] },
    ],
  ];
  for (const [path, order, answer, body] of rows) {
    const { ask, ordered } = given(answer);
    const { status, text } = await ask(`/__ursula/${path}`);
    assert.deepEqual([status, JSON.parse(text)], [200, body]);
    assert.deepEqual(ordered, [[(body as { group: number }).group, order]]);
  }
});

Deno.test("a refusal says who leads, or which nodes it is about, and when to try again", async () => {
  const path = "/__ursula/raft/0/membership?voters=1,2";
  const rows: [answer: OrderAnswer | { unavailable: "stopping" }, status: number, said: RegExp][] =
    [
      [{ refused: "not_leader", leader: "2.b" }, 409, /"not_leader".*"leader_id":2/],
      [{ refused: "not_leader" }, 409, /"leader_id":null/],
      [{ refused: "node_absent", nodes: [2, 3] }, 409, /"node_absent".*\(node 2, 3\)/],
      [{ refused: "membership_busy" }, 409, /"membership_busy"/],
      [{ refused: "not_caught_up", nodes: [2] }, 503, /"not_caught_up".*\(node 2\)/],
      [{ refused: "outcome_unknown" }, 503, /"outcome_unknown".*not known whether it is committed/],
      [{ refused: "transfer_failed" }, 503, /"transfer_failed"/],
      [{ unavailable: "stopping" }, 503, /"shutting_down"/],
    ];
  for (const [answer, expected, said] of rows) {
    const { status, text, headers } = await given(answer).ask(path);
    assert.equal(status, expected);
    assert.match(text, said);
    assert.equal(headers.get("retry-after"), expected === 503 ? "1" : null, text);
  }
});

Deno.test("a plane whose cluster has not formed says no more than that it is up", async () => {
  const { ask } = given();
  assert.equal((await ask("/healthz", "GET")).status, 200);
  for (const [path, method] of [["/readyz", "GET"], ["/__ursula/raft/9/purge", "POST"]] as const) {
    const { status, text } = await ask(path, method);
    assert.equal(status, 503);
    assert.match(text, /"not_ready".*has not formed/);
  }
});

Deno.test("the host stands in the URL where no header names it", async () => {
  const { ask } = given();
  for (const host of ["localhost", "10.0.0.1", "[fd00::1]"]) {
    assert.equal((await ask("/healthz", "GET", host)).status, 200, host);
  }
  assert.equal((await ask("/healthz", "GET", "page.example")).status, 403);
});

Deno.test("what no request should cause is told, and answered without a word of it", async () => {
  const { ask, errors } = given(new Error("secret detail"));
  const { status, text } = await ask("/__ursula/raft/0/purge");
  assert.equal(status, 500);
  assert.doesNotMatch(text, /secret/);
  assert.equal(errors.length, 1);
});
