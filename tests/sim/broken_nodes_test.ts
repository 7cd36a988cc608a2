/**
 * The checkers can fail: nodes that are broken in one way each, and who notices.
 */

import assert from "node:assert/strict";
import type { ShardRuntime } from "../../node/runtime.ts";
import type { AppendStream } from "../../stream/mod.ts";
import type { Fault, Plan } from "./plan.ts";
import { simulate, type SimulationOptions } from "./simulation.ts";
import { Violation } from "./violation.ts";

const SEEDS_MAX = 12;
/** Which of the two looks first at a stream that is wrong depends on the seed. */
const LEDGER_OR_PATHS = /^(ledger|paths)$/;

/** Runs seeds until one fails; answers what was noticed. */
async function noticed(options: SimulationOptions): Promise<string> {
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const { failure } = await simulate(seed, options);
    if (failure === undefined) continue;
    assert.ok(failure instanceof Violation, String(failure.stack));
    return failure.checker;
  }
  return "nobody";
}

function calm(plan: Plan): Plan {
  const cluster = plan.cluster && { ...plan.cluster, faults: [] };
  return {
    ...plan,
    cluster,
    faults: ["wall_jumps"],
    thinkMsMax: 20,
    cold: undefined,
    publishers: 0,
  };
}

function onlyFaults(...faults: readonly Fault[]): (plan: Plan) => Plan {
  return (plan) => ({ ...plan, faults, cold: undefined, publishers: 0 });
}

/** Puts something in the place of every `nth` append with a body. */
function breakAppends(
  nth: number,
  instead: (
    streams: ShardRuntime["streams"],
    command: AppendStream,
  ) => ReturnType<ShardRuntime["streams"]["append"]>,
): (runtime: ShardRuntime) => void {
  return ({ streams }) => {
    const append = streams.append.bind(streams);
    const whole = { append, read: streams.read.bind(streams) } as ShardRuntime["streams"];
    let count = 0;
    streams.append = (command) => {
      const isHit = command.body !== undefined && ++count % nth === 0;
      return isHit ? instead(whole, command) : append(command);
    };
  };
}

Deno.test("a node that answers for an append which it dropped is noticed", async () => {
  const onUp = breakAppends(20, async (streams, command) => {
    const { key, body } = command;
    const found = await streams.read({ key, from: "now", maxBytes: 0, touch: true });
    if (!("plan" in found) || body === undefined) return await streams.append(command);
    const bytes = body.data.end - body.data.start;
    const { facts } = found.plan;
    return { ok: "appended", facts: { ...facts, tail: facts.tail + bytes } };
  });
  assert.match(await noticed({ plan: calm, onUp }), LEDGER_OR_PATHS);
});

Deno.test("a node that appends twice is noticed", async () => {
  const onUp = breakAppends(20, async (streams, command) => {
    const again = { ...command, body: command.body && { ...command.body } };
    const answer = await streams.append(command);
    await streams.append(again);
    return answer;
  });
  assert.equal(await noticed({ plan: calm, onUp }), "paths");
});

Deno.test("a node that mixes up bytes of two appends is noticed", async () => {
  let kept: AppendStream["body"];
  const onUp = breakAppends(2, (streams, command) => {
    const body = kept;
    kept = command.body;
    const isAlike = body !== undefined && kept !== undefined &&
      body.data.end - body.data.start === kept.data.end - kept.data.start &&
      body.lengths?.length === kept.lengths?.length;
    return streams.append(isAlike ? { ...command, body } : command);
  });
  const plan = (drawn: Plan) => ({ ...calm(drawn), bodyBytesMax: 8 });
  assert.equal(await noticed({ plan, onUp }), "ledger");
});

Deno.test("a node that forgets which producer sent what is noticed", async () => {
  const onUp = breakAppends(1, (streams, command) => {
    return streams.append({ ...command, producer: undefined });
  });
  assert.match(await noticed({ plan: calm, onUp }), LEDGER_OR_PATHS);
});

Deno.test("a node that acknowledges before it syncs is noticed when the power fails", async () => {
  const plan = (drawn: Plan) => ({
    ...onlyFaults("power_cut", "power_cut", "power_cut")(drawn),
    fsync: false,
  });
  assert.equal(await noticed({ plan }), "replicas");
});

Deno.test("a replica that skips an entry of its log is noticed", async () => {
  const onGroup: SimulationOptions["onGroup"] = ({ state }) => {
    const apply = state.apply.bind(state);
    let count = 0;
    state.apply = (command, index, stampMs) => {
      const isSkipped = command.type === "append" && ++count % 10 === 0;
      return apply(isSkipped ? { type: "touch", keys: [] } : command, index, stampMs);
    };
  };
  assert.equal(await noticed({ plan: calm, onGroup }), "replicas");
});

Deno.test("a node whose readers miss an event is noticed", async () => {
  const onUp = ({ streams }: ShardRuntime) => {
    const watch = streams.watch.bind(streams);
    streams.watch = async (key, incarnation) => {
      const feed = await watch(key, incarnation);
      if (feed === undefined) return feed;
      const deliver = feed.deliver.bind(feed);
      let count = 0;
      feed.deliver = (event) => {
        if (event.ended || ++count % 3 !== 0) deliver(event);
      };
      return feed;
    };
  };
  assert.equal(await noticed({ plan: calm, onUp }), "live");
});

Deno.test("a node that makes half a fork is noticed", async () => {
  const onGroup: SimulationOptions["onGroup"] = ({ state }) => {
    const apply = state.apply.bind(state);
    state.apply = (command, index, stampMs) =>
      apply(command.type === "link" ? { type: "touch", keys: [] } : command, index, stampMs);
  };
  const plan = (drawn: Plan) => ({ ...calm(drawn), groups: 8 });
  assert.notEqual(await noticed({ plan, onGroup }), "nobody");
});

Deno.test("a node that expires streams early is noticed", async () => {
  const onUp = ({ streams, access }: ShardRuntime) => {
    const create = streams.create.bind(streams);
    streams.create = async (command, missingBucket) => {
      const answer = await create(command, missingBucket);
      if (command.ttlSeconds !== undefined && "ok" in answer) {
        await access.submit(streams.homeOf(command.key), { type: "delete", key: command.key });
      }
      return answer;
    };
  };
  assert.equal(await noticed({ plan: calm, onUp }), "paths");
});
