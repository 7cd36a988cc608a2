import assert from "node:assert/strict";
import { GroupState } from "../../stream/mod.ts";
import { chooseMerge, FIRST_OBJECTS_MIN, isWorthIt, type MergeChoice } from "./merge_choice.ts";

const FULL = 8_000;

/** A state with objects of one range each, so many bytes long; of some nothing lives but that. */
function stateWith(objects: readonly { readonly bytes: number; readonly dead?: number }[]) {
  const state = new GroupState({ group: 0, formation: "f" });
  let index = 1;
  state.apply({ type: "set_bucket", bucket: "b", phase: "open", version: 2 }, index++, 1);
  for (const [i, { bytes, dead = 0 }] of objects.entries()) {
    const data = { slab: { bytes: new Uint8Array(bytes), live: 0 }, start: 0, end: bytes };
    const key = `b/${i}`;
    state.apply({ type: "create", key, closed: false, body: { data } }, index++, 1);
    state.apply(
      {
        type: "flush",
        object: { number: i + 1, term: 1, length: bytes + dead },
        ranges: state.cold.planFlush({ maxBytes: 1 << 20 }).ranges,
      },
      index++,
      1,
    );
  }
  return state.cold;
}

function chosen(
  objects: readonly { readonly bytes: number; readonly dead?: number }[],
): string | undefined {
  const choice = chooseMerge(stateWith(objects), FULL, FIRST_OBJECTS_MIN, () => false);
  return choice && `${choice.why} ${choice.sources.map(({ number }) => number).join()}`;
}

function alike(count: number, bytes: number, dead?: number) {
  return Array.from({ length: count }, () => ({ bytes, dead }));
}

Deno.test("chooseMerge() takes the lightest objects from 16 on, an object's worth of them", () => {
  const first = (count: number) => Array.from({ length: count }, (_, i) => i + 1).join();
  assert.equal(chosen(alike(15, 100)), undefined);
  assert.equal(chosen(alike(16, 100)), `light ${first(16)}`);
  assert.equal(chosen([...alike(15, 100), { bytes: 1_001 }]), undefined, "is not light");
  assert.equal(chosen(alike(16, 1_000)), `light ${first(8)}`);
  assert.equal(chosen([...alike(10, 900), ...alike(6, 700)]), "light 11,12,13,14,15,16,1,2,3,4");
});

Deno.test("chooseMerge() leaves out what would be rewritten for little", () => {
  const first = Array.from({ length: 16 }, (_, i) => i + 1).join();
  assert.equal(chosen([...alike(16, 10), { bytes: 900 }]), `light ${first}`);
  assert.equal(chosen([...alike(16, 10), { bytes: 54 }]), `light ${first}`);
  assert.equal(chosen([...alike(16, 10), { bytes: 53 }]), `light ${first},17`);
});

Deno.test("chooseMerge() finds a merge among many objects, whatever their weights are", () => {
  for (const factor of [1, 1.1, 1.3, 1.5, 2]) {
    const objects = Array.from({ length: 300 }, (_, i) => ({
      bytes: Math.max(1, Math.floor(1_000 / factor ** (i % 100))),
    }));
    assert.notEqual(chosen(objects), undefined, `${factor}`);
  }
});

Deno.test("chooseMerge() takes half dead objects with the light ones, or once they waste a full one", () => {
  assert.equal(chosen(alike(3, 2_000, 2_500)), undefined);
  assert.equal(chosen(alike(4, 2_000, 2_500)), "dead 1,2,3,4");
  assert.equal(chosen(alike(6, 3_000, 3_000)), "dead 1,2");
  assert.equal(chosen(alike(6, 3_000, 2_999)), undefined);
});

Deno.test("isWorthIt() asks for a quarter of the objects, or of the ranges", () => {
  const choice = (why: MergeChoice["why"], count: number): MergeChoice => ({
    why,
    sources: [...stateWith(alike(count, 1)).objects.all()],
    candidates: count,
  });
  const gain = { ranges: 400, runs: 101, objects: 4 };
  assert.equal(isWorthIt(choice("light", 16), gain), true);
  assert.equal(isWorthIt(choice("light", 15), gain), false);
  assert.equal(isWorthIt(choice("light", 15), { ...gain, runs: 100 }), true);
  assert.equal(isWorthIt(choice("divided", 16), gain), false);
  assert.equal(isWorthIt(choice("divided", 16), { ...gain, runs: 100 }), true);
  assert.equal(isWorthIt(choice("dead", 1), gain), true);
});
