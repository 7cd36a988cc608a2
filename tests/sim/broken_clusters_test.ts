/**
 * The checkers can fail: clusters that are broken in one way each, and who notices.
 */

import assert from "node:assert/strict";
import type { Group, ReadAnswer } from "../../group/mod.ts";
import type { ClusterFault, Plan } from "./plan.ts";
import { simulate, type SimulationOptions } from "./simulation.ts";
import { Violation } from "./violation.ts";

const SEEDS_MAX = 12;

/** Runs seeds until one fails; answers what was noticed. */
async function noticed(options: SimulationOptions): Promise<string> {
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const { failure } = await simulate(seed, { nodes: 3, ...options });
    if (failure === undefined) continue;
    assert.ok(failure instanceof Violation, String(failure.stack));
    return failure.checker;
  }
  return "nobody";
}

function onlyFaults(...faults: readonly ClusterFault[]): (plan: Plan) => Plan {
  return (plan) => {
    const { cluster } = plan;
    assert.ok(cluster !== undefined);
    const whole = { ...cluster, memory: false, skewMsMax: 0, latencyMsMax: 15, faults };
    return { ...plan, fsync: true, thinkMsMax: 10, cluster: whole, cold: undefined, publishers: 0 };
  };
}

Deno.test("a cluster whose followers answer reads without asking the leader is noticed", async () => {
  const onGroup = (group: Group) => {
    group.read = (request): ReadAnswer => {
      const { key, from, maxBytes, incarnation } = request;
      const found = group.state.read(key, from, maxBytes, incarnation);
      if ("refused" in found) return found;
      if ("moved" in found) {
        return { ok: "moved", target: found.moved, token: found.token, linked: found.linked };
      }
      return { plan: found };
    };
  };
  const found = await noticed({ plan: onlyFaults("cut", "isolate"), onGroup });
  assert.ok(["paths", "ledger", "reads", "buckets", "live"].includes(found), found);
});

Deno.test("a cluster one of whose replicas skips an entry is noticed", async () => {
  const onGroup = ({ state, member }: Group) => {
    if (!member.startsWith("2.")) return;
    const apply = state.apply.bind(state);
    let count = 0;
    state.apply = (command, index, stampMs) => {
      const isSkipped = command.type === "append" && ++count % 10 === 0;
      return apply(isSkipped ? { type: "touch", keys: [] } : command, index, stampMs);
    };
  };
  assert.equal(await noticed({ plan: onlyFaults("cut"), onGroup }), "replicas");
});

Deno.test("a cluster that acknowledges before it syncs is noticed when all lose power", async () => {
  const faults = onlyFaults("power_cut_all", "power_cut_all", "power_cut_all");
  const plan = (drawn: Plan) => ({ ...faults(drawn), fsync: false });
  assert.notEqual(await noticed({ plan }), "nobody");
});

Deno.test("a cluster that takes what it refused into a log is noticed", async () => {
  const onGroup = (group: Group) => {
    const propose = group.propose.bind(group);
    let count = 0;
    group.propose = (command, done) => {
      const isHit = command.type === "append" && group.leads && ++count % 10 === 0;
      if (!isHit) return propose(command, done);
      // So that whoever forwarded it tries again.
      propose(command, () => done({ unavailable: "not_leader" }));
    };
  };
  const found = await noticed({ plan: onlyFaults("cut"), onGroup });
  assert.ok(["paths", "ledger"].includes(found), found);
});

Deno.test("a cluster whose live readers wait for a leader for ever is noticed", async () => {
  const onGroup = (group: Group) => {
    const { watch } = group;
    group.watch = (key, incarnation, watcher) =>
      watch.call(group, key, incarnation, (event) => {
        if (!event.ended) watcher(event);
      });
  };
  const plan = onlyFaults("isolate", "isolate", "isolate", "isolate", "isolate", "isolate");
  assert.equal(await noticed({ plan, onGroup }), "live");
});

Deno.test("a cluster whose groups follow a wrong wall clock is noticed", async () => {
  const onGroup = (group: Group) => {
    const { followWall } = group;
    let count = 0;
    group.followWall = (wallMs) => followWall.call(group, wallMs + (++count > 100 ? 60_000 : 0));
  };
  assert.equal(await noticed({ plan: onlyFaults("cut"), onGroup }), "time");
});
