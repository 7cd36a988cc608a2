/**
 * The checkers can fail: cold tiers that are broken in one way each, and who notices.
 */

import assert from "node:assert/strict";
import type { Group } from "../../group/mod.ts";
import { Bootstrap } from "../../node/bootstrap.ts";
import type { ShardRuntime } from "../../node/runtime.ts";
import type { ByteParts, ColdStore } from "../../storage/cold/mod.ts";
import type { ColdPiece, ColdState } from "../../stream/mod.ts";
import type { ColdPlan, Plan } from "./plan.ts";
import { simulate, type SimulationOptions } from "./simulation.ts";
import { Violation } from "./violation.ts";
import { WatchedStore } from "./watched_store.ts";

const SEEDS_MAX = 12;

/** Runs seeds until one fails, in the words that are meant; answers what was noticed. */
async function noticed(options: SimulationOptions, meant: RegExp = /./): Promise<string> {
  let message = "nobody";
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const { failure } = await simulate(seed, { nodes: 3, ...options });
    if (failure === undefined) continue;
    assert.ok(failure instanceof Violation, String(failure.stack));
    message = failure.message;
    if (meant.test(message)) break;
  }
  return message;
}

/** Few faults, and a tier that is busy. */
function busy(kind: ColdPlan["kind"], more: Partial<ColdPlan> = {}): (plan: Plan) => Plan {
  return (plan) => {
    const { cluster } = plan;
    assert.ok(cluster !== undefined);
    return {
      ...plan,
      fsync: true,
      thinkMsMax: 10,
      publishers: 0,
      cluster: { ...cluster, memory: false, faults: ["transfer", "kill", "transfer", "kill"] },
      cold: {
        kind,
        flushIntervalMs: 50,
        flushMinHotBytes: 256,
        flushMaxBytes: 1024,
        flushesMax: 4,
        hotBytesPerGroupMax: 1 << 26,
        keepsMs: 2_000,
        cacheBytesMax: 0,
        timing: { sweepMs: 200, listMs: 500, mergeMs: 200, mergePauseMs: 20, underWayMs: 1_000 },
        latencyMsMax: 50,
        faults: [],
        sweepsOut: false,
        ...more,
      },
    };
  };
}

/** A store that says at once that it has what it only begins to put. */
class HastyStore extends WatchedStore {
  constructor(store: ColdStore) {
    super(store, { put() {}, deleted() {} });
  }

  override async put(key: string, size: number, parts: ByteParts): Promise<void> {
    const copies: Uint8Array[] = [];
    for await (const part of parts) copies.push(part.slice());
    this.store.put(key, size, copies).catch(() => {});
  }
}

Deno.test("a flusher that commits before it has uploaded is noticed", async () => {
  const onStore = (_: unknown, store: ColdStore) => new HastyStore(store);
  assert.match(await noticed({ plan: busy("shared"), onStore }), /^objects: flush refers to/);
});

Deno.test("a replica that unpins before its copy is durable is noticed", async () => {
  const onStore = (_: unknown, store: ColdStore) => new HastyStore(store);
  assert.match(await noticed({ plan: busy("own"), onStore }), /^objects: node \d unpins/);
});

for (const kind of ["shared", "own"] as const) {
  Deno.test(`a sweeper that deletes without condemning is noticed (${kind})`, async () => {
    const onGroup = (group: Group) => {
      const propose = group.propose.bind(group);
      group.propose = (command, done) => {
        if (command.type !== "condemn") return propose(command, done);
        propose({ type: "touch", keys: [] }, (answer) => done("ok" in answer ? DONE : answer));
      };
      believeAllCondemned(group.state.cold);
    };
    // With a flush on its way the log may refer to what is deleted, which is seen first.
    const words = /has not condemned it/;
    assert.match(await noticed({ plan: busy(kind), onGroup }, words), words);
  });
}

const DONE = { ok: "done" } as const;

/** Whoever asks hears that every number is condemned; the state knows better. */
function believeAllCondemned(cold: ColdState): void {
  const { objects } = cold;
  Object.defineProperty(cold, "objects", {
    value: {
      get: (number: number) => objects.get(number),
      all: () => objects.all(),
      isFree: (number: number) => objects.isFree(number),
      isCondemned: () => true,
      get count() {
        return objects.count;
      },
      get liveBytes() {
        return objects.liveBytes;
      },
    },
  });
}

Deno.test("a sweeper that takes for superfluous what is not is noticed", async () => {
  const onGroup = ({ state }: Group) => {
    state.cold.unreferenced = () => [...state.cold.objects.all()];
  };
  assert.match(
    await noticed({ plan: busy("shared"), onGroup }),
    /^objects: .*, and the log refers to it/,
  );
});

Deno.test("a reader that reads shifted bytes is noticed", async () => {
  const shifted = (piece: ColdPiece): ColdPiece => ({ ...piece, at: Math.max(0, piece.at - 1) });
  const onGroup = ({ state }: Group) => {
    const read = state.read.bind(state);
    state.read = (...asked) => {
      const found = read(...asked);
      if (!("cold" in found) || found.cold === undefined) return found;
      const pieces = found.cold.pieces.map((piece) => "slab" in piece ? piece : shifted(piece));
      return { ...found, cold: { ...found.cold, pieces } };
    };
  };
  assert.match(await noticed({ plan: busy("shared"), onGroup }), /^ledger: /);
});

Deno.test("a sweeper that sleeps is noticed", async () => {
  const onGroup = ({ state }: Group) => {
    state.cold.unreferenced = () => [];
  };
  const plan = busy("shared", { sweepsOut: true });
  assert.match(await noticed({ plan, onGroup }), /^orphans: /);
});

/** Snapshots are published on a tier that is busy. */
function publishing(plan: Plan): Plan {
  return { ...busy("shared")(plan), publishers: 2, bodyBytesMax: 300 };
}

Deno.test("a node that answers for a snapshot which it did not publish is noticed", async () => {
  const onUp = ({ snapshots }: ShardRuntime) => {
    const publish = snapshots.publish.bind(snapshots);
    let count = 0;
    snapshots.publish = async (publication) => {
      if (++count % 3 > 0) return await publish(publication);
      const found = await snapshots.find(publication.key, undefined, false);
      if (!("facts" in found) || found.facts === undefined) return await publish(publication);
      return { ok: "published", facts: found.facts, repeated: false };
    };
  };
  assert.match(await noticed({ plan: publishing, onUp }), /^snapshots: .* was found, after/);
});

Deno.test("a bootstrap that takes two messages for one is noticed", async () => {
  const onUp = ({ streams }: ShardRuntime) => {
    const bootstrap = streams.bootstrap.bind(streams);
    streams.bootstrap = async (request) => {
      const begun = await bootstrap(request);
      if (!(begun instanceof Bootstrap)) return begun;
      const next = begun.next.bind(begun);
      begun.next = async () => {
        const stretch = await next();
        return "ends" in stretch ? { ...stretch, ends: stretch.ends.slice(1) } : stretch;
      };
      return begun;
    };
  };
  assert.match(await noticed({ plan: publishing, onUp }), /^snapshots: .* messages end at/);
});
