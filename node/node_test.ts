import assert from "node:assert/strict";
import { appendOf, createOf } from "../tests/given/commands.ts";
import { SimClock } from "../tests/sim/clock.ts";
import { SimDisk } from "../tests/sim/disk.ts";
import { SimNetwork } from "../tests/sim/network.ts";
import { SimRandom } from "../tests/sim/random.ts";
import { type Config, configFromInput } from "./config/mod.ts";
import { Node } from "./node.ts";

const CONFIG = configFromInput({ dataDir: "/data", cores: 1, raftGroupCount: 2 }, { cores: 1 });

function machine() {
  const clock = new SimClock();
  const random = new SimRandom(5);
  const disk = new SimDisk({ random });
  const fatal: Error[] = [];
  const open = async (config: Config) => {
    const node = await Node.open(config, {
      io: { clock, random, disk, network: new SimNetwork({ clock, random }).of(1) },
      log: () => {},
      memoryBytes: 1 << 30,
      osBootId: "boot",
      sharesPorts: false,
      spawn: () => assert.fail("one core needs no worker"),
      extra: undefined,
      onFatal: (reason: Error) => fatal.push(reason),
    });
    return Object.assign(node, { shard: await node.begin() });
  };
  const start = (config = CONFIG) => clock.until(open(config));
  return { clock, disk, fatal, start };
}

Deno.test("a node that can't sync says so once, and gives the directory back", async () => {
  const { clock, disk, fatal, start } = machine();
  const node = await start();
  const { streams } = node.shard;
  assert.ok("ok" in await clock.until(streams.create(createOf("demo/a"), "make")));
  assert.ok("ok" in await clock.until(streams.append(appendOf("demo/a", "kept"))));
  disk.failAt("sync", 1);
  const unknown = streams.append(appendOf("demo/a", "lost"));
  await clock.run(5_000);
  assert.equal(fatal.length, 1);
  node.abandon();
  assert.deepEqual(await unknown, { unavailable: "outcome_unknown" });
  const next = await start();
  const answer = await next.shard.streams.read({
    key: "demo/a",
    from: "now",
    maxBytes: 0,
    touch: false,
  });
  assert.ok("plan" in answer && answer.plan.facts.tail >= 4);
  await clock.until(next.stop());
});

Deno.test("a node keeps to the cold backend that it began with, but for none", async () => {
  const { clock, start } = machine();
  const none = { ...CONFIG, coldBackend: "none", coldRoot: undefined } as const;
  for (const config of [none, none, CONFIG]) await clock.until((await start(config)).stop());
  await assert.rejects(start(none), /of cold backend fs, but this node was started with none/);
  await clock.until((await start()).stop());
});

Deno.test("a start that fails at any sync gives the directory back, and may be repeated", async () => {
  for (let nth = 1;; nth++) {
    const { clock, disk, fatal, start } = machine();
    disk.failAt("sync", nth);
    const node = await start().catch(() => undefined);
    if (node !== undefined) {
      assert.ok(nth > 3);
      break;
    }
    const again = await start();
    assert.ok("ok" in await clock.until(again.shard.buckets.create("demo")), `sync ${nth}`);
    await clock.until(again.stop());
    assert.ok(fatal.length <= 1);
  }
});
