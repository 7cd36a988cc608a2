import assert from "node:assert/strict";
import type { CoreTime } from "../io/mod.ts";
import { SimClock } from "../tests/sim/clock.ts";
import { Crowding } from "./crowding.ts";

/** A thread that spends its time as it is told to. */
class Core extends SimClock {
  #time: CoreTime | undefined = { ranMs: 0, waitedMs: 0 };
  readonly #crowding = new Crowding(this);

  coreTime(): CoreTime | undefined {
    return this.#time;
  }

  /** The system says nothing from now on. */
  hide(): void {
    this.#time = undefined;
  }

  /** Lets time pass, of which it ran and waited for so much; answers the gap after each look. */
  async pass(ms: number, { ran = 0, waited = 0 }): Promise<number[]> {
    const gaps: number[] = [];
    for (let passed = 0; passed < ms; passed += 20) {
      await this.run(20);
      if (this.#time !== undefined) {
        const { ranMs, waitedMs } = this.#time;
        this.#time = { ranMs: ranMs + 20 * ran, waitedMs: waitedMs + 20 * waited };
      }
      this.#crowding.tick(this.monotonicMs());
      if ((passed + 20) % 100 === 0) gaps.push(this.#crowding.gapMs);
    }
    return gaps;
  }
}

Deno.test("Crowding widens the gap while a thread has no rest and waits for its core", async () => {
  const gaps = await new Core().pass(1_200, { ran: 0.3, waited: 0.65 });
  assert.deepEqual(gaps, [1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8, 8]);
});

Deno.test("Crowding leaves a thread alone that is busy on a core of its own", async () => {
  assert.deepEqual(await new Core().pass(300, { ran: 1 }), [0, 0, 0]);
  assert.deepEqual(await new Core().pass(300, { ran: 0.9, waited: 0.1 }), [0, 0, 0]);
});

Deno.test("Crowding leaves a thread alone that waits for its core, and has rest", async () => {
  assert.deepEqual(await new Core().pass(300, { ran: 0.2, waited: 0.55 }), [0, 0, 0]);
});

Deno.test("Crowding keeps the gap with which a thread has a little rest, and narrows it with more", async () => {
  const core = new Core();
  await core.pass(400, { ran: 0.3, waited: 0.65 });
  assert.deepEqual(await core.pass(300, { ran: 0.3, waited: 0.54 }), [4, 4, 4]);
  assert.deepEqual(await core.pass(300, { ran: 0.3, waited: 0.45 }), [3, 2, 1]);
  assert.deepEqual(await core.pass(300, {}), [0, 0, 0]);
});

Deno.test("Crowding narrows the gap once nobody else wants the core", async () => {
  const core = new Core();
  await core.pass(400, { ran: 0.3, waited: 0.65 });
  assert.deepEqual(await core.pass(500, { ran: 0.9, waited: 0.1 }), [3, 2, 1, 0, 0]);
});

Deno.test("Crowding does nothing where the system does not say", async () => {
  const core = new Core();
  core.hide();
  assert.deepEqual(await core.pass(300, { ran: 0.3, waited: 0.65 }), [0, 0, 0]);
  assert.equal(new Crowding(new SimClock()).gapMs, 0);
});
