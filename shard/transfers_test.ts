import assert from "node:assert/strict";
import type { Group } from "../group/mod.ts";
import type { PeerInfo } from "../peer/mod.ts";
import { nodeOf } from "../storage/member.ts";
import { RaftSnapshots } from "../storage/raft_snapshots/mod.ts";
import { appendOf, createOf, openBucketOf } from "../tests/given/commands.ts";
import { GivenReplicas } from "../tests/given/replicas.ts";
import { SimDisk } from "../tests/sim/disk.ts";
import { SimRandom } from "../tests/sim/random.ts";
import { Arrivals, groupOfTransfer } from "./arrivals.ts";
import type { Peers } from "./peers.ts";
import { type SnapshotMessage, TRANSFER, Transfers } from "./transfers.ts";

const KEY = "demo/a";
/** State enough for several chunks. */
const MESSAGES = 12;
const MESSAGE_BYTES = 100_000;

/** Three replicas of which the last missed everything, and links that a test may break. */
class Stage {
  readonly replicas = new GivenReplicas({ count: 3, retainedBytesMax: 1 });
  readonly lines: string[] = [];
  readonly fatal: Error[] = [];
  /** Steps of transfers as they were sent. */
  readonly steps: number[] = [];
  /** Whether a step gets through. */
  passes: (step: number) => boolean = () => true;
  /** A step was taken, and its answer is on its way. */
  taken: (step: number) => void | Promise<void> = () => {};
  storeOf = (nodeId: number): string | undefined => nodeId === 3 ? "a" : "a";
  unanswered = 0;
  unansweredMost = 0;
  readonly transfers: Transfers;
  arrivals: Arrivals;

  constructor(store?: RaftSnapshots) {
    const peers = {
      send: () => true,
      peer: (nodeId: number) => {
        const storeId = this.storeOf(nodeId);
        return storeId === undefined ? undefined : { nodeId, storeId } as PeerInfo; // what is asked for
      },
      call: (_nodeId: number, _kind: number, parts: readonly Uint8Array[]) => this.#call(parts),
    } as unknown as Peers; // what a transfer uses of it
    const log = (line: string) => void this.lines.push(line);
    this.transfers = new Transfers(peers, log);
    this.arrivals = new Arrivals({
      clock: this.replicas.clock,
      setup: { formation: "f0000000", cold: undefined },
      storeOf: () => store,
      log,
      onFatal: (reason) => void this.fatal.push(reason),
    });
    this.replicas.onSnapshot = (from, message) => this.transfers.begin(from, message);
  }

  /** Replica 3 misses so much that only a RaftSnapshot helps; answers who leads. */
  async fallBehind(): Promise<Group> {
    const { replicas } = this;
    let leader = await replicas.elect();
    while (leader === replicas.at(3)) {
      leader.transfer("1.a");
      await replicas.run(1_000);
      leader = replicas.leader;
    }
    await replicas.submit(leader, openBucketOf("demo"));
    await replicas.submit(leader, createOf(KEY));
    replicas.cut = (from, to) => from === "3.a" || to === "3.a";
    for (let n = 0; n < MESSAGES; n++) {
      const answer = await replicas.submit(leader, appendOf(KEY, `${n}`.padEnd(MESSAGE_BYTES)));
      assert.ok("ok" in answer);
    }
    replicas.cut = () => false;
    return leader;
  }

  assertCaughtUp(): void {
    const [one, , three] = this.replicas.groups.map(({ state }) => state.stateHash());
    assert.equal(three, one);
  }

  async #call(parts: readonly Uint8Array[]): Promise<Uint8Array | { failed: "unanswered" }> {
    const bytes = Uint8Array.from(parts.flatMap((part) => [...part]));
    this.steps.push(bytes[0] ?? 0);
    assert.equal(groupOfTransfer(bytes), 0);
    if (!this.passes(bytes[0] ?? 0)) return { failed: "unanswered" };
    this.unansweredMost = Math.max(this.unansweredMost, ++this.unanswered);
    await Promise.resolve();
    const answer = await this.arrivals.take(
      this.replicas.at(3),
      this.replicas.leader.member,
      bytes,
    );
    await this.taken(bytes[0] ?? 0);
    this.unanswered--;
    return answer;
  }
}

Deno.test("a RaftSnapshot goes over in chunks, few unanswered at a time, and the log goes on from it", async () => {
  const stage = new Stage();
  const leader = await stage.fallBehind();
  await stage.replicas.run(2_000);
  assert.ok("ok" in await stage.replicas.submit(leader, appendOf(KEY, "after")));
  await stage.replicas.run(200);
  assert.deepEqual(stage.lines, [
    "node 3 lacks more than the log has: RaftSnapshots go to it",
    "node 3 has got 1 RaftSnapshot",
  ]);
  stage.assertCaughtUp();
  assert.equal(stage.steps[0], TRANSFER.BEGIN);
  assert.equal(stage.steps.at(-1), TRANSFER.END);
  assert.ok(stage.steps.filter((step) => step === TRANSFER.CHUNK).length >= 4);
  assert.ok(stage.unansweredMost <= 4);
});

Deno.test("a RaftSnapshot goes over once another one of the group is read out", async () => {
  const stage = new Stage();
  const leader = await stage.fallBehind();
  const other = leader.snapshot().chunks[Symbol.iterator]();
  other.next();
  await stage.replicas.run(500);
  assert.deepEqual(stage.steps, []);
  other.return?.();
  assert.equal(leader.exports.underWay, undefined);
  await stage.replicas.run(2_000);
  stage.assertCaughtUp();
  assert.equal(stage.lines.at(-1), "node 3 has got 1 RaftSnapshot");
});

Deno.test("a RaftSnapshot lands on disk before it is installed, and stands there afterwards", async () => {
  const disk = new SimDisk({ random: new SimRandom(4) });
  const store = await RaftSnapshots.open(disk, "/data/snapshots/0");
  const stage = new Stage(store);
  await stage.fallBehind();
  await stage.replicas.run(2_000);
  stage.assertCaughtUp();
  const [listed] = store.list();
  assert.equal(listed?.group, 0);
  assert.ok((listed?.index ?? 0) > MESSAGES);
});

Deno.test("a RaftSnapshot of what a replica has, under a newer one of its own, leads to no more of them", async () => {
  const disk = new SimDisk({ random: new SimRandom(4) });
  const store = await RaftSnapshots.open(disk, "/data/snapshots/0");
  const stage = new Stage(store);
  const leader = await stage.fallBehind();
  await stage.replicas.run(2_000);
  const { term, appliedIndex } = leader.status();
  const mark = leader.core.markAt(appliedIndex);
  const meta = new Uint8Array();
  assert.ok(await store.receive(0).finish({ index: mark.index + 9, term: mark.term, meta }));
  stage.lines.length = 0;
  stage.transfers.begin(leader, { type: "snapshot", from: leader.member, to: "3.a", term, mark });
  await stage.replicas.run(2_000);
  assert.deepEqual(stage.lines, [
    "node 3 lacks more than the log has: RaftSnapshots go to it",
    "node 3 has got 1 RaftSnapshot",
  ]);
  assert.equal(stage.steps.at(-1), TRANSFER.END);
  stage.assertCaughtUp();
});

Deno.test("a transfer that breaks off at any step begins anew, and leaves nothing behind", async () => {
  for (const broken of [TRANSFER.BEGIN, TRANSFER.CHUNK, TRANSFER.END]) {
    const stage = new Stage();
    let failures = 1;
    stage.passes = (step) => step !== broken || failures-- <= 0;
    await stage.fallBehind();
    await stage.replicas.run(4_000);
    stage.assertCaughtUp();
    assert.equal(stage.steps.filter((step) => step === TRANSFER.BEGIN).length, 2, `step ${broken}`);
    await stage.arrivals.stop();
  }
});

Deno.test("a RaftSnapshot that is asked for before the last one's end is answered is not broken off", async () => {
  const stage = new Stage();
  const { replicas } = stage;
  const leader = await stage.fallBehind();
  const answered = Promise.withResolvers<void>();
  let ends = 0;
  stage.passes = (step) => {
    if (step !== TRANSFER.END || ++ends > 1) return true;
    // What follows it is under a newer one of the leader's own by now, and gone.
    leader.propose(appendOf(KEY, "meanwhile"), () => {});
    replicas.settleAtOnce();
    leader.compact(leader.core.markAt(leader.status().appliedIndex), 0);
    leader.core.purge();
    return true;
  };
  stage.taken = (step) => {
    if (step === TRANSFER.CHUNK && ends > 0) return answered.promise;
    // The leader hears what replica 3 has before it hears that all has arrived.
    if (step === TRANSFER.END) replicas.settleAtOnce();
  };
  await replicas.run(2_000);
  answered.resolve();
  await replicas.run(2_000);
  stage.assertCaughtUp();
  assert.equal(stage.steps.filter((step) => step === TRANSFER.BEGIN).length, 2);
  assert.equal(stage.steps.filter((step) => step === TRANSFER.END).length, 2);
  assert.equal(stage.lines.at(-1), "node 3 has got 2 RaftSnapshots");
});

Deno.test("a disk that fails while a RaftSnapshot lands ends the node; without room it comes again", async () => {
  for (const code of ["failed", "full"] as const) {
    for (
      const [operation, nth] of [["open", 2], ["write", 1], ["sync", 1], ["remove", 1]] as const
    ) {
      const disk = new SimDisk({ random: new SimRandom(4) });
      const store = await RaftSnapshots.open(disk, "/data/snapshots/0");
      const stage = new Stage(store);
      // So that something is removed.
      let breaks = operation === "remove";
      stage.passes = (step) => step !== TRANSFER.END || !breaks || (breaks = false);
      disk.failAt(operation, nth, code);
      await stage.fallBehind();
      await stage.replicas.run(4_000);
      stage.assertCaughtUp();
      assert.equal(stage.fatal.length, code === "failed" ? 1 : 0, `${operation} ${code}`);
      assert.equal(stage.lines.some((line) => line.includes("taken in")), code === "full");
    }
  }
});

Deno.test("a step of another transfer, or after the end, is refused", async () => {
  const stage = new Stage();
  await stage.fallBehind();
  await stage.replicas.run(2_000);
  const late = Uint8Array.of(TRANSFER.CHUNK, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3);
  const answer = await stage.arrivals.take(stage.replicas.at(3), "1.a", late);
  assert.deepEqual([...answer], [0]);
  const short = await stage.arrivals.take(stage.replicas.at(3), "1.a", late.subarray(0, 5));
  assert.deepEqual([...short], [0]);
});

Deno.test("what is no end of a RaftSnapshot is refused, said, and forgotten", async () => {
  const stage = new Stage();
  await stage.replicas.elect();
  const follower = stage.replicas.at(3);
  const head = (step: number) => Uint8Array.of(step, 0, 0, 0, 9, 0, 0, 0, 0);
  assert.deepEqual([...await stage.arrivals.take(follower, "1.a", head(TRANSFER.BEGIN))], [1]);
  assert.deepEqual([...await stage.arrivals.take(follower, "1.a", head(TRANSFER.END))], [0]);
  assert.equal(stage.lines.length, 1);
  assert.deepEqual([...await stage.arrivals.take(follower, "1.a", head(TRANSFER.CHUNK))], [0]);
});

Deno.test("a transfer to a store that is not there any more ends at once", async () => {
  const stage = new Stage();
  stage.storeOf = (nodeId) => nodeId === 3 ? "b" : "a";
  await stage.fallBehind();
  await stage.replicas.run(2_000);
  assert.deepEqual(stage.steps, []);
  assert.equal(nodeOf("3.a"), 3);
});

Deno.test("an arrival that goes silent is given up", async () => {
  const stage = new Stage();
  await stage.replicas.elect();
  const begin = Uint8Array.of(TRANSFER.BEGIN, 0, 0, 0, 9, 0, 0, 0, 0);
  const chunk = Uint8Array.of(TRANSFER.CHUNK, 0, 0, 0, 9, 0, 0, 0, 0, 1);
  const follower = stage.replicas.at(3);
  await stage.arrivals.take(follower, "1.a", begin);
  assert.deepEqual([...await stage.arrivals.take(follower, "1.a", chunk)], [1]);
  stage.arrivals.tick(stage.replicas.clock.monotonicMs() + 31_000);
  assert.deepEqual([...await stage.arrivals.take(follower, "1.a", chunk)], [0]);
});

Deno.test("stop() breaks transfers off, and begins none", async () => {
  const stage = new Stage();
  const leader = await stage.fallBehind();
  stage.transfers.stop();
  await stage.replicas.run(2_000);
  const begun = stage.steps.length;
  stage.transfers.begin(leader, { to: "3.a" } as SnapshotMessage); // never looked at
  await stage.replicas.run(100);
  assert.equal(stage.steps.length, begun);
});
