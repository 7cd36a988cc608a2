import assert from "node:assert/strict";
import fc from "fast-check";
import { copySlices, newSlab } from "./slab.ts";
import { GroupState } from "./state.ts";
import { coldStep, takeColdStep } from "./testing/cold_steps_test.ts";
import { history } from "./testing/history_test.ts";
import { Script } from "./testing/script_test.ts";

const ALL = ["demo/a", "demo/b", "work/c", "demo/j", "work/k"];

/** The bytes of all streams, wherever they lie. */
function contents(script: Script): unknown {
  return ALL.map((key) => {
    const facts = script.state.find(key);
    if (!("earliest" in facts)) return facts;
    const plan = script.state.read(key, facts.earliest, 1 << 20);
    assert.ok("slices" in plan);
    const settled = script.store.settle(plan);
    return "refused" in settled
      ? settled
      : [settled.facts, script.state.snapshot(key), script.store.read(settled).join()];
  });
}

/** Everything that a flusher or sweeper asks and that all replicas agree on. */
function objectsOf({ state }: Script): unknown {
  return [[...state.cold.objects.all()].map((object) => ({ ...object })), state.cold.nextNumber];
}

/** What is pinned is what was uploaded, unless that is deleted already. */
function checkPinned({ state, store }: Script): void {
  for (const number of state.cold.pinnedObjects()) {
    const payload = store.payloads.get(number);
    const pinned = copySlices([...state.cold.pinnedPayload(number)]);
    if (payload !== undefined) assert.deepEqual(pinned, payload);
  }
}

function endAll(script: Script): void {
  for (const _ of ALL) for (const key of ALL) script.apply({ type: "delete", key });
  script.finish([]);
  for (const slab of script.slabs) assert.equal(slab.live, 0, "a slab is held");
}

Deno.test("replicas with and without copies of their own agree, and so does one that is imported", async () => {
  const colds = fc.array(coldStep(), { minLength: 20, maxLength: 64, size: "max" });
  const property = fc.asyncProperty(
    history(),
    colds,
    fc.nat(60),
    fc.nat(3),
    fc.constantFrom(8, 100, 2000),
    async (steps, cold, cut, pulls, pieceBytes) => {
      const leader = new Script(), follower = new Script(), late = new Script();
      follower.store = late.store = leader.store;
      follower.pins = true;
      let hash = "";
      let pinned: number[] = [];
      let exported: Generator<Uint8Array, void, void> | undefined;
      const pieces: Uint8Array[] = [];
      let begun = 0;
      const pull = () => {
        const next = exported?.next();
        if (next?.done === false) pieces.push(next.value);
        return next?.done === false;
      };
      for (const [i, { waitMs, command }] of steps.entries()) {
        if (i === Math.min(cut, steps.length - 1)) {
          hash = leader.state.stateHash();
          begun = leader.entries.length;
          pinned = leader.state.cold.pinnedObjects();
          exported = leader.state.export(pieceBytes);
          pull();
        }
        leader.stampMs += waitMs;
        leader.apply(command);
        takeColdStep(leader, cold[i % cold.length] ?? { does: "nothing" });
        for (let n = 0; n < pulls; n++) pull();
        for (const entry of leader.entries.slice(follower.entries.length)) follower.replay(entry);
        assert.equal(follower.state.stateHash(), leader.state.stateHash());
      }
      while (pull());
      late.state = await GroupState.import(pieces, {
        group: 3,
        formation: "f",
        pinsFlushed: true,
        allocate: (bytes) => {
          const slab = newSlab(bytes);
          late.slabs.push(slab);
          return slab;
        },
      });
      assert.equal(late.state.stateHash(), hash);
      assert.deepEqual(late.state.cold.pinnedObjects(), pinned);
      checkPinned(late);
      for (const entry of leader.entries.slice(begun)) late.replay(entry);
      for (const script of [follower, late]) {
        assert.equal(script.state.stateHash(), leader.state.stateHash());
        assert.deepEqual(contents(script), contents(leader));
        assert.deepEqual(objectsOf(script), objectsOf(leader));
        assert.equal(script.state.hotBytes, leader.state.hotBytes);
      }
      checkPinned(follower);
      for (const script of [leader, follower, late]) {
        for (const number of script.state.cold.pinnedObjects()) script.state.cold.unpin(number);
      }
      assert.equal(follower.state.hotFootprint, leader.state.hotFootprint);
      assert.equal(late.state.hotFootprint, leader.state.hotFootprint);
      for (const script of [leader, follower, late]) endAll(script);
    },
  );
  await fc.assert(property, { numRuns: 250 });
});

Deno.test("sparse() names objects of ranges that are small or mostly dead, unreferenced() the others", () => {
  const script = new Script();
  script.run(`
    set demo open 2
    put demo/a body=aaaa
    put demo/b body=bbbbbbbb
    put demo/c body=c
    flush 1 len=12 demo/a:0-4@0 demo/b:0-8@4 -> stored 0,1 bytes=12
    flush 2 len=1 demo/c:0-1                 -> stored 0 bytes=1
    publish 3 len=1 demo/c:0                 -> published tail=1
    delete demo/b
  `);
  const numbers = (objects: readonly { number: number }[]) => objects.map(({ number }) => number);
  const { cold } = script.state;
  assert.deepEqual(numbers(cold.sparse(1, 0, 9)), [2]);
  assert.deepEqual(numbers(cold.sparse(0, 0.34, 9)), [1]);
  assert.deepEqual(numbers(cold.sparse(4, 0, 9)), [2, 1]);
  assert.deepEqual(numbers(cold.sparse(4, 0, 1)), [2]);
  assert.deepEqual(cold.unreferenced(2000), []);
  script.run("now 5\ndelete demo/c");
  assert.deepEqual(numbers(cold.unreferenced(1004)), []);
  assert.deepEqual(numbers(cold.unreferenced(1005)), [2, 3]);
  const held = [...cold.ranges(new Set([1, 2]), 1)].flat().map((
    { key, piece },
  ) => [key, piece.from, piece.to]);
  assert.deepEqual(held, [["demo/a", 0, 4]]);
});
