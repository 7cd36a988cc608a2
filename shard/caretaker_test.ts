import assert from "node:assert/strict";
import type { Group } from "../group/mod.ts";
import type { PeerInfo } from "../peer/mod.ts";
import type { MembershipChange, RaftStatus } from "../raft/mod.ts";
import { Caretaker, heirOf } from "./caretaker.ts";
import type { Peers } from "./peers.ts";

const VOTERS = ["1.a", "2.a", "3.a"];

type Member = RaftStatus["others"][number];

function member(id: string, more: Partial<Member> = {}): Member {
  return {
    id,
    state: "replicate",
    match: 100,
    next: 101,
    inflightEntries: 0,
    inflightBytes: 0,
    silentMs: 10,
    full: false,
    ...more,
  };
}

/** A group that node 1 leads, and what is done to it. */
function given(options: {
  id?: number;
  leads?: boolean;
  voters?: string[];
  outgoing?: string[];
  learners?: string[];
  others?: Member[];
  transferringTo?: string;
} = {}) {
  const { voters = VOTERS, outgoing = [], learners = [] } = options;
  const others = options.others ??
    [...voters, ...learners].filter((id) => id !== "1.a").map((id) => member(id));
  const done: string[] = [];
  const group = {
    id: options.id ?? 0,
    leads: options.leads ?? true,
    status: () => ({
      id: "1.a",
      membership: { voters, outgoing, learners },
      others,
      commitIndex: 100,
      lastIndex: 100,
      transferringTo: options.transferringTo,
    }),
    transfer: (to: string) => void done.push(`transfer ${to}`),
    changeMembership: ({ voters, learners }: MembershipChange) =>
      void done.push(`voters ${voters} learners ${learners}`),
  } as unknown as Group; // what a caretaker uses of it
  return { group, done };
}

/** Nodes and their stores, each connected to all others but those named; some are being drained. */
function peersWith(
  stores: Record<number, string>,
  cut: Record<number, number[]> = {},
  drained: readonly number[] = [],
): Peers {
  return {
    peer(nodeId: number) {
      const draining = drained.includes(nodeId);
      const reaches = [1, 2, 3, 4, 5].filter((other) => !cut[nodeId]?.includes(other));
      const storeId = stores[nodeId];
      return storeId === undefined
        ? undefined
        : { nodeId, storeId, reaches, draining } as unknown as PeerInfo;
    },
  } as unknown as Peers; // what a caretaker asks
}

const ALL = { 2: "a", 3: "a" };

/** Looks once this node has led for a while. */
function looked(caretaker: Caretaker, group: Group): void {
  for (const nowMs of [0, 1_000]) caretaker.look(group, nowMs, false);
}

/** Looks until whoever leads, and who should, have settled. */
function settled(caretaker: Caretaker, group: Group): void {
  looked(caretaker, group);
  caretaker.look(group, 6_000, false);
}

Deno.test("look() gives a group to the voter whose turn it is, once it has settled", () => {
  for (
    const [id, to] of [[0, []], [1, ["transfer 2.a"]], [2, ["transfer 3.a"]], [3, []]] as const
  ) {
    const { group, done } = given({ id });
    const caretaker = new Caretaker(peersWith(ALL), false);
    caretaker.look(group, 0, false);
    caretaker.look(group, 1_000, false);
    assert.deepEqual(done, [], "not before");
    caretaker.look(group, 6_000, false);
    assert.deepEqual(done, to);
  }
});

Deno.test("look() gives nothing to who lags, is silent, or is out of room", () => {
  const unfit: Partial<Member>[] = [
    { state: "probe" },
    { match: -1_000 },
    { silentMs: 1_000 },
    { full: true },
  ];
  for (const more of unfit) {
    const { group, done } = given({ id: 1, others: [member("2.a", more), member("3.a")] });
    settled(new Caretaker(peersWith(ALL), false), group);
    assert.deepEqual(done, []);
  }
});

Deno.test("look() gives nothing to a voter that is not back for long", () => {
  let second = member("2.a");
  const { group, done } = given({ id: 1 });
  const status = group.status();
  const others = () => [second, member("3.a")];
  Object.assign(group, { status: () => ({ ...status, others: others() }) });
  const caretaker = new Caretaker(peersWith(ALL), false);
  const look = (nowMs: number) => caretaker.look(group, nowMs, false);
  [0, 1_000, 2_000].forEach(look);
  second = member("2.a", { silentMs: 900 });
  look(3_000);
  second = member("2.a");
  [4_000, 5_000, 6_000, 7_000, 8_000].forEach(look);
  assert.deepEqual(done, []);
  look(9_000);
  assert.deepEqual(done, ["transfer 2.a"]);
});

Deno.test("look() leaves a group to a voter that reaches one which this node does not hear", () => {
  const others = [member("2.a", { silentMs: 5_001 }), member("3.a")];
  const { group, done } = given({ others });
  looked(new Caretaker(peersWith(ALL), false), group);
  assert.deepEqual(done, ["transfer 3.a"]);
});

Deno.test("look() keeps a group that nobody else would serve better", () => {
  const unheard = { silentMs: 5_001 };
  const rows: [others: Member[], cut: Record<number, number[]>][] = [
    // It is down: nobody else hears it either.
    [[member("2.a", unheard), member("3.a")], { 3: [2] }],
    // Not for long enough.
    [[member("2.a", { silentMs: 4_999 }), member("3.a")], {}],
    [[member("2.a", unheard), member("3.a", { full: true })], {}],
    // Reaches one more, and one less.
    [[member("2.a", unheard), member("3.a"), member("4.a")], { 3: [4], 4: [2, 3] }],
  ];
  for (const [others, cut] of rows) {
    const { group, done } = given({ voters: ["1.a", ...others.map(({ id }) => id)], others });
    looked(new Caretaker(peersWith({ ...ALL, 4: "a" }, cut), false), group);
    assert.deepEqual(done, []);
  }
});

Deno.test("look() gives nothing to a voter that does not reach all that this node hears", () => {
  const { group, done } = given({ id: 1 });
  settled(new Caretaker(peersWith(ALL, { 2: [3] }), false), group);
  assert.deepEqual(done, []);
});

Deno.test("look() gives back a few groups at a time", () => {
  const ids = Array.from({ length: 9 }, (_, at) => 1 + 3 * at);
  const groups = ids.map((id) => given({ id }));
  const caretaker = new Caretaker(peersWith(ALL), false);
  const back = () => groups.filter(({ done }) => done.length > 0).length;
  for (const [nowMs, count] of [[0, 0], [1_000, 0], [6_000, 4]] as const) {
    for (const { group } of groups) caretaker.look(group, nowMs, false);
    assert.equal(back(), count);
  }
});

Deno.test("look() leaves a group alone that changes already, or that others lead", () => {
  for (const options of [{ outgoing: VOTERS }, { transferringTo: "3.a" }, { leads: false }]) {
    const { group, done } = given({ id: 1, ...options });
    settled(new Caretaker(peersWith({ 2: "b", 3: "a" }), true), group);
    assert.deepEqual(done, []);
  }
});

Deno.test("retire() ends the giving", () => {
  const { group, done } = given({ id: 1 });
  const caretaker = new Caretaker(peersWith(ALL), false);
  caretaker.retire();
  settled(caretaker, group);
  assert.deepEqual(done, []);
});

Deno.test("in memory mode a member whose node came back with nothing is replaced, step by step", () => {
  const caretaker = () => new Caretaker(peersWith({ 2: "b", 3: "a" }), true);
  const lost = given();
  looked(caretaker(), lost.group);
  assert.deepEqual(lost.done, ["voters 1.a,3.a learners 2.b"]);
  const others = [member("3.a"), member("2.b", { state: "snapshot", match: 0 })];
  const behind = given({ voters: ["1.a", "3.a"], learners: ["2.b"], others });
  looked(caretaker(), behind.group);
  assert.deepEqual(behind.done, []);
  const ready = given({ voters: ["1.a", "3.a"], learners: ["2.b"] });
  looked(caretaker(), ready.group);
  assert.deepEqual(ready.done, ["voters 1.a,3.a,2.b learners "]);
});

Deno.test("a learner that lost its store, too, is replaced by the next one", () => {
  const { group, done } = given({ voters: ["1.a", "3.a"], learners: ["2.b"] });
  looked(new Caretaker(peersWith({ 2: "c", 3: "a" }), true), group);
  assert.deepEqual(done, ["voters 1.a,3.a learners 2.c"]);
});

Deno.test("nobody is replaced who is only away, or where data lies on disk", () => {
  const away = given();
  settled(new Caretaker(peersWith({ 3: "a" }), true), away.group);
  assert.deepEqual(away.done, []);
  const onDisk = given();
  settled(new Caretaker(peersWith({ 2: "b", 3: "a" }), false), onDisk.group);
  assert.deepEqual(onDisk.done, []);
});

Deno.test("heirOf() names the voter with most of the log that was heard from", () => {
  const status = (others: Member[], learners: string[] = []) =>
    ({
      id: "1.a",
      membership: { voters: VOTERS, outgoing: [], learners },
      others,
    }) as unknown as RaftStatus; // what is looked at
  assert.equal(heirOf(status([member("2.a", { match: 5 }), member("3.a", { match: 7 })])), "3.a");
  const silent = member("3.a", { match: 9, silentMs: 900 });
  assert.equal(heirOf(status([member("2.a", { match: 5 }), silent])), "2.a");
  assert.equal(heirOf(status([member("4.a", { match: 9 })], ["4.a"])), undefined);
  assert.equal(heirOf(status([])), undefined);
});

Deno.test("look() lets no learner vote that lacks objects", () => {
  const { group, done } = given({ voters: ["1.a", "3.a"], learners: ["2.b"] });
  const asked: string[] = [];
  let isWhole = false;
  const learners = {
    isWhole(_group: Group, learner: string, nowMs: number) {
      asked.push(`${learner} ${nowMs}`);
      return isWhole;
    },
  };
  const caretaker = new Caretaker(peersWith({ 2: "b", 3: "a" }), true, learners);
  looked(caretaker, group);
  caretaker.look(group, 2_000, false);
  assert.deepEqual(done, []);
  assert.deepEqual(asked, ["2.b 1000", "2.b 2000"], "asked at every look");
  isWhole = true;
  caretaker.look(group, 3_000, false);
  assert.deepEqual(done, ["voters 1.a,3.a,2.b learners "]);
});

Deno.test("look() gives nothing to a node that is being drained, whatever the reason", () => {
  const drained = (...nodes: number[]) => new Caretaker(peersWith(ALL, {}, nodes), false);
  const turn = given({ id: 1 });
  settled(drained(2), turn.group);
  assert.deepEqual(turn.done, []);
  const others = [member("2.a", { silentMs: 5_001 }), member("3.a")];
  const yielded = given({ others });
  looked(drained(3), yielded.group);
  assert.deepEqual(yielded.done, []);
  const full = given();
  const caretaker = drained(2);
  for (const nowMs of [0, 1_000]) caretaker.look(full.group, nowMs, true);
  assert.deepEqual(full.done, ["transfer 3.a"]);
});

Deno.test("a node that is being drained gives away what it leads at once, to who could lead", () => {
  const rows: [others: Member[], drained: number[], done: string[]][] = [
    [[member("2.a"), member("3.a")], [], ["transfer 2.a"]],
    [[member("2.a", { silentMs: 400 }), member("3.a")], [], ["transfer 3.a"]],
    [[member("2.a", { match: -200 }), member("3.a")], [3], []],
    [[member("2.a"), member("3.a")], [2, 3], []],
  ];
  for (const [others, drained, expected] of rows) {
    const { group, done } = given({ others });
    const peers = peersWith(ALL, {}, drained);
    const caretaker = new Caretaker(peers, false);
    caretaker.draining = true;
    assert.equal(peers.draining, true, "others are told");
    caretaker.look(group, 0, false);
    assert.deepEqual(done, expected);
  }
});

Deno.test("a node whose disk is slow says so, and gives away what it leads while it hampers", () => {
  const { group, done } = given();
  const peers = peersWith(ALL);
  const caretaker = new Caretaker(peers, false);
  caretaker.seeDisk({ slow: true, hampers: false });
  assert.equal(peers.draining, true);
  caretaker.look(group, 0, false);
  assert.deepEqual(done, []);
  caretaker.seeDisk({ slow: true, hampers: true });
  caretaker.look(group, 1_000, false);
  assert.deepEqual(done, ["transfer 2.a"]);
  caretaker.draining = true;
  caretaker.seeDisk({ slow: false, hampers: false });
  assert.equal(peers.draining, true, "it is being drained all the same");
  caretaker.draining = false;
  assert.equal(peers.draining, false);
});

Deno.test("heirOf() of a node that ends is one that is being drained where there is no other", () => {
  const { group } = given();
  const heirBeside = (...drained: number[]) =>
    new Caretaker(peersWith(ALL, {}, drained), false).heirOf(group.status());
  assert.deepEqual([heirBeside(), heirBeside(2), heirBeside(2, 3)], ["2.a", "3.a", "2.a"]);
});

Deno.test("look() keeps a group though a voter is silent whose node came back as another", () => {
  const others = [member("2.a", { silentMs: 5_001 }), member("3.a")];
  const { group, done } = given({ others });
  looked(new Caretaker(peersWith({ 2: "b", 3: "a" }), false), group);
  assert.deepEqual(done, []);
});
