import assert from "node:assert/strict";
import type { Group } from "../../group/mod.ts";
import { FaultyStore } from "../../tests/cold/faulty_store.ts";
import { append, contentOf, giveStream } from "../../tests/given/cold.ts";
import { coldSetupOf, type GivenShard, givenShard } from "../../tests/given/shard.ts";
import type { ColdSetup } from "../setup.ts";

const KIB = 1024;
/** A group is flushed from 10 KiB on, 20 KiB at a time. */
const FLUSHES = { flushMinHotBytes: 10 * KIB, flushMaxBytes: 20 * KIB };

interface Given extends GivenShard {
  readonly store: FaultyStore;
  /** The replicas by number. */
  readonly groups: readonly Group[];
}

async function given(
  store: FaultyStore,
  more: Partial<ColdSetup> & { readonly groupCount?: number; readonly hotBytesMax?: number } = {},
): Promise<Given> {
  const { groupCount = 1, hotBytesMax = 1 << 26, ...cold } = more;
  const groups: Group[] = [];
  const shard = await givenShard({
    groupCount,
    hotBytesMax,
    cold: coldSetupOf({
      // Decides whether replicas keep what was flushed.
      backend: store.isShared ? { kind: "s3" } as ColdSetup["backend"] : { kind: "memory" },
      ...FLUSHES,
      ...cold,
    }),
    coldStore: store,
    onGroup: (group) => void (groups[group.id] = group),
  });
  for (let group = 0; group < groupCount; group++) await giveStream(shard, `s${group}`, group);
  return { ...shard, store, groups };
}

function only({ groups: [group] }: Given): Group {
  assert.ok(group !== undefined);
  return group;
}

for (const isShared of [true, false]) {
  const kind = isShared ? "shared" : "own";

  Deno.test(`${kind}: Flusher takes a group at its threshold, and goes on while it is above`, async () => {
    const all = await given(new FaultyStore(isShared));
    const { clock, store } = all;
    const group = only(all);
    await append(all, "s0", "a".repeat(9 * KIB));
    await clock.run(3000);
    assert.equal(store.begun.length, 0);
    assert.equal(group.state.hotBytes, 9 * KIB);
    let text = "a".repeat(9 * KIB);
    for (const letter of "bcdef") {
      await append(all, "s0", letter.repeat(9 * KIB));
      text += letter.repeat(9 * KIB);
    }
    await clock.run(1100);
    assert.equal(group.state.hotBytes, 0, "three flushes of 18 KiB in one look");
    assert.equal(group.state.cold.objects.count, 3);
    assert.equal(store.done.length, 3);
    assert.equal(group.state.cold.pinnedBytes, 0);
    assert.ok(text === await contentOf(group, "s0", store));
    await clock.until(all.open.stop());
  });
}
