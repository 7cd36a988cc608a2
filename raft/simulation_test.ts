/** Runs 200 seeds of `testing/simulation.ts`; `RAFT_SEED=n` in the environment replays one. */

import assert from "node:assert/strict";
import { simulate } from "./testing/simulation.ts";

const SEEDS = 200;
const mayReadEnvironment =
  Deno.permissions.querySync({ name: "env", variable: "RAFT_SEED" }).state === "granted";
const replayed = mayReadEnvironment ? Deno.env.get("RAFT_SEED") : undefined;

function run(seed: number): ReturnType<typeof simulate> {
  try {
    return simulate(seed);
  } catch (error) {
    throw new Error(
      `seed ${seed} fails; replay: RAFT_SEED=${seed} deno test -A raft/simulation_test.ts`,
      { cause: error },
    );
  }
}

Deno.test("simulate() keeps the paper's figure 3 under faults, and makes progress after them", () => {
  if (replayed !== undefined) {
    run(Number(replayed));
    return;
  }
  let snapshots = 0;
  let memberships = 0;
  let leased = 0;
  let confirmed = 0;
  let forwarded = 0;
  for (let seed = 0; seed < SEEDS; seed++) {
    const outcome = run(seed);
    snapshots += outcome.snapshots;
    memberships += outcome.memberships;
    leased += outcome.leased;
    confirmed += outcome.confirmed;
    forwarded += outcome.forwarded;
  }
  for (const count of [snapshots, memberships, leased, confirmed, forwarded]) {
    assert.ok(count > SEEDS, "everything is really met");
  }
});

Deno.test("simulate() gives the same outcome twice for one seed", () => {
  assert.deepEqual(run(7), run(7));
});
