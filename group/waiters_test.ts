import assert from "node:assert/strict";
import type { Outcome } from "../stream/mod.ts";
import type { Answer } from "./answers.ts";
import { Waiters } from "./waiters.ts";

const DONE: Outcome = { ok: "done" };
const UNKNOWN: Answer = { unavailable: "outcome_unknown" };

function given() {
  const waiters = new Waiters();
  const answers: [number, Answer][] = [];
  return {
    waiters,
    answers,
    wait(index: number, term: number, sinceMs = 0) {
      waiters.add(index, term, sinceMs, (answer) => answers.push([index, answer]));
    },
  };
}

Deno.test("Waiters.applied() answers each with its own outcome, in the order of the log", () => {
  const { waiters, answers, wait } = given();
  for (const index of [3, 4, 6]) wait(index, 2);
  waiters.applied(3, 2, DONE, "me");
  waiters.applied(4, 2, { ok: "deleted", incarnation: "x" }, "me");
  waiters.applied(5, 2, DONE, "me");
  waiters.settle();
  waiters.applied(6, 2, DONE, "me");
  waiters.settle();
  assert.deepEqual(answers, [[3, DONE], [4, { ok: "deleted", incarnation: "x" }], [6, DONE]]);
});

Deno.test("Waiters.applied() says not_leader where another leader's entry took the place", () => {
  const { waiters, answers, wait } = given();
  wait(3, 2);
  wait(4, 2);
  waiters.applied(3, 3, undefined, "other");
  waiters.applied(4, 3, DONE, "other");
  waiters.settle();
  const refused = { unavailable: "not_leader", leader: "other" };
  assert.deepEqual(answers, [[3, refused], [4, refused]]);
});

Deno.test("Waiters.applied() says outcome_unknown of what went by inside a RaftSnapshot", () => {
  const { waiters, answers, wait } = given();
  for (const index of [3, 4, 9]) wait(index, 2);
  waiters.applied(9, 2, DONE, "me");
  waiters.settle();
  assert.deepEqual(answers, [[3, UNKNOWN], [4, UNKNOWN], [9, DONE]]);
});

Deno.test("Waiters.add() gives up who waits for an entry that was cut off", () => {
  const { waiters, answers, wait } = given();
  for (const index of [3, 4, 5]) wait(index, 2);
  wait(4, 4);
  assert.deepEqual(answers, [[4, UNKNOWN], [5, UNKNOWN]]);
  waiters.applied(3, 2, DONE, "me");
  waiters.applied(4, 4, DONE, "me");
  waiters.settle();
  assert.deepEqual(answers.slice(2), [[3, DONE], [4, DONE]]);
});

Deno.test("Waiters.expire() gives up after 5 s, and giveUpAll() everybody, each once", () => {
  const { waiters, answers, wait } = given();
  wait(1, 1, 0);
  wait(2, 1, 4_000);
  waiters.expire(4_999);
  assert.deepEqual(answers, []);
  waiters.expire(5_000);
  assert.deepEqual(answers, [[1, UNKNOWN]]);
  waiters.giveUpAll();
  waiters.giveUpAll();
  assert.deepEqual(answers, [[1, UNKNOWN], [2, UNKNOWN]]);
});
