import assert from "node:assert/strict";
import type { Tracer } from "../io/mod.ts";
import { appendOf } from "../tests/given/commands.ts";
import { SimClock } from "../tests/sim/clock.ts";
import type { Answer } from "../group/mod.ts";
import { encodeAnswer } from "./call_codec.ts";
import { Forwarder, type ForwarderOptions } from "./forwarder.ts";
import { Leaders } from "./leaders.ts";

Deno.test("Forwarder traces each call to another node, and what came of it", async () => {
  const spans: string[] = [];
  const tracer: Tracer = {
    begin(name, facts) {
      spans.push(`${name} ${JSON.stringify(facts)}`);
      return { end: (last, failed) => spans.push(`${JSON.stringify(last)} ${failed ?? false}`) };
    },
  };
  const overloaded = encodeAnswer({ unavailable: "overloaded" });
  const replies = [{ failed: "unanswered" as const }, overloaded];
  const options = {
    nodeId: 1,
    local: {
      groupCount: 8,
      propose: (_: number, __: unknown, done: (answer: Answer) => void) =>
        done({ unavailable: "not_leader", leader: "2.a" }),
    },
    peers: { call: () => Promise.resolve(replies.shift()) },
    clock: new SimClock(),
    log: () => {},
    tracer,
  } as unknown as ForwarderOptions; // what forwarding asks of it
  const forwarder = new Forwarder(options, new Leaders(8));
  const submit = () =>
    new Promise<Answer>((done) => forwarder.propose(5, appendOf("demo/a", "x"), done));
  assert.deepEqual(await submit(), { unavailable: "outcome_unknown" });
  assert.deepEqual(await submit(), { unavailable: "overloaded" });
  forwarder.close();
  assert.deepEqual(spans, [
    'forward {"ursula.group":5,"ursula.node":2}',
    '{"error.type":"unanswered"} true',
    'forward {"ursula.group":5,"ursula.node":2}',
    `{"ursula.answer.bytes":${overloaded.length}} false`,
  ]);
});
