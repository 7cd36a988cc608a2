import assert from "node:assert/strict";
import fc from "fast-check";
import { newSlab } from "./slab.ts";
import { GroupState } from "./state.ts";
import { history, type Step } from "./testing/history_test.ts";
import { Script } from "./testing/script_test.ts";
import type { Outcome, Slab } from "./types.ts";

const ALL = ["demo/a", "demo/b", "work/c", "demo/j", "work/k"];

/** Everything that can be asked of a state, as one value. */
function answers(script: Script): unknown {
  const { state, stampMs } = script;
  return {
    find: ALL.map((key) => state.find(key)),
    read: ALL.map((key) => {
      const plan = state.read(key, "start", 9);
      return "slices" in plan ? { ...plan, slices: undefined } : plan;
    }),
    links: ALL.map((key) => state.linkOf(key)),
    touch: ALL.map((key) => state.touchWanted(key, stampMs + 500)),
    streams: ["demo", "work"].map((bucket) => state.listStreams(bucket, "", undefined, 9)),
    buckets: [state.listBuckets("", undefined, 9), state.bucket("else")],
    pending: [state.pendingIntents(), state.pendingReservations(stampMs), state.pendingUnlinks()],
    due: state.due(stampMs + 1000, 9),
    counts: [state.hotBytes, state.hotFootprint, state.streamCount, state.index, state.stampMs],
    hash: state.stateHash(),
  };
}

function step(script: Script, { waitMs, command }: Step): Outcome {
  script.stampMs += waitMs;
  return script.apply(command);
}

function endAll(script: Script): void {
  // Sources that forks keep end with them: a few rounds end a chain.
  for (let round = 0; round < ALL.length; round++) {
    for (const key of ALL) script.apply({ type: "delete", key });
  }
  script.finish([]);
  for (const slab of script.slabs) assert.equal(slab.live, 0, "a slab is held");
}

Deno.test("GroupState.import() answers like the original when exported at any point", async () => {
  const property = fc.asyncProperty(
    history(),
    fc.nat(60),
    fc.nat(4),
    fc.constantFrom(8, 100, 2000),
    async (steps, cut, pulls, pieceBytes) => {
      const original = new Script();
      const before = steps.slice(0, cut), after = steps.slice(cut);
      for (const each of before) step(original, each);
      original.state.takeChanged();

      // The export is pulled while the original goes on.
      const hash = original.state.stateHash();
      const atCut = answers(original);
      const resumed = new Script();
      resumed.index = original.index;
      resumed.stampMs = original.stampMs;
      const exported = original.state.export(pieceBytes);
      const pieces: Uint8Array[] = [];
      const pull = () => {
        const next = exported.next();
        if (!next.done) pieces.push(next.value);
        return !next.done;
      };
      pull();
      const expected: Outcome[] = [];
      for (const each of after) {
        expected.push(step(original, each));
        for (let i = 0; i < pulls; i++) pull();
      }
      while (pull());

      resumed.state = await GroupState.import(pieces, {
        group: 3,
        formation: "f",
        allocate: (bytes) => {
          const slab = newSlab(bytes);
          resumed.slabs.push(slab);
          return slab;
        },
      });
      assert.equal(resumed.state.stateHash(), hash);
      assert.deepEqual(answers(resumed), atCut);
      for (const [i, each] of after.entries()) assert.deepEqual(step(resumed, each), expected[i]);
      assert.deepEqual(answers(resumed), answers(original));
      assert.deepEqual(resumed.state.takeChanged(), original.state.takeChanged());
      endAll(original);
      endAll(resumed);
    },
  );
  await fc.assert(property, { numRuns: 400 });
});

Deno.test("GroupState.apply() changes nothing when it refuses or repeats", () => {
  fc.assert(
    fc.property(history(), (steps) => {
      const script = new Script();
      for (const { waitMs, command } of steps) {
        script.stampMs += waitMs;
        const before = answersBut(script);
        const outcome = script.apply(command);
        if ("refused" in outcome || outcome.ok === "repeated" || outcome.ok === "moved") {
          assert.deepEqual(answersBut(script), before);
        }
      }
      endAll(script);
    }),
    { numRuns: 150 },
  );
});

/** The answers without what every entry moves. */
function answersBut(script: Script): unknown {
  return { ...(answers(script) as object), hash: undefined, counts: undefined };
}

Deno.test("GroupState.export() holds deleted streams' bytes until it is done or given up", async () => {
  for (const finish of [true, false]) {
    const script = new Script();
    script.run("set demo open 2\nput demo/a body=aaaa\nput demo/b json=[1,2,3]\nput demo/c body=c");
    const hash = script.state.stateHash();
    const exported = script.state.export(40);
    const pieces = [exported.next().value as Uint8Array];
    assert.throws(() => script.state.export().next(), /one export at a time/);
    script.run(
      "post demo/a body=bb\ndelete demo/a\ndelete demo/b\nput demo/a body=new\ndelete demo/a",
    );
    assert.equal(script.slabs[1]?.live, 4);
    if (finish) {
      for (const piece of exported) pieces.push(piece);
      const allocate = newSlab;
      const copy = await GroupState.import(pieces, { group: 3, formation: "f", allocate });
      assert.equal(copy.stateHash(), hash);
    } else {
      exported.return();
    }
    script.finish(["demo/c"]);
    for (const slab of script.slabs) assert.equal(slab.live, 0);
    script.state.export().return();
  }
});

Deno.test("GroupState.import() names the damage when its input is not whole", async () => {
  const script = new Script();
  script.run(`
    set demo open 2
    put demo/a json=[1,2,3] ttl=5
    post demo/a producer=p/0/0 json=[4]
    put demo/f from=demo/a at=0 sub=2
    post demo/a close producer=p/0/1
  `);
  const options = { group: 3, formation: "f", allocate: newSlab };
  const whole = [...script.state.export()][0] as Uint8Array;
  await GroupState.import([whole], options);
  for (let length = 0; length < whole.length; length++) {
    await assert.rejects(GroupState.import([whole.subarray(0, length)], options));
  }
  await assert.rejects(
    GroupState.import([whole], { ...options, group: 4 }),
    /it is of group 3, formation f; wanted are group 4/,
  );
  const version = whole.slice();
  version[5 + 15] = 9;
  await assert.rejects(GroupState.import([version], options), /version 9; this program reads 1/);
});

Deno.test("GroupState.import() takes pieces joined and split at will", async () => {
  const script = new Script();
  script.run("set demo open 2\nput demo/a body=hello\nput demo/b json=[1,2]");
  const whole = [...script.state.export()][0] as Uint8Array;
  const bytes = Array.from(whole, (_, i) => whole.subarray(i, i + 1));
  const state = await GroupState.import(bytes, { group: 3, formation: "f", allocate: newSlab });
  assert.equal(state.stateHash(), script.state.stateHash());
});

Deno.test("GroupState.import() puts appends of any size into slabs of 1 MiB or their own", async () => {
  const script = new Script();
  script.run("set demo open 2\nput demo/a type=bytes");
  const sizes = [3, 700_000, 700_000, 3_000_000, 5];
  for (const [i, size] of sizes.entries()) {
    const slab: Slab = { bytes: new Uint8Array(size).fill(65 + i), live: 0 };
    const data = { slab, start: 0, end: size };
    const contentType = "application/octet-stream";
    script.apply({ type: "append", key: "demo/a", contentType, body: { data }, closed: false });
  }
  const slabs: Slab[] = [];
  let largest = 0;
  const pieces = [];
  for (const piece of script.state.export()) {
    largest = Math.max(largest, piece.length);
    pieces.push(piece);
  }
  assert.ok(largest <= 256 * 1024);
  const state = await GroupState.import(pieces, {
    group: 3,
    formation: "f",
    allocate: (bytes) => {
      const slab = newSlab(bytes);
      slabs.push(slab);
      return slab;
    },
  });
  assert.equal(state.stateHash(), script.state.stateHash());
  assert.deepEqual(slabs.map((slab) => slab.bytes.length), [1 << 20, 1 << 20, 3_000_000]);
});
