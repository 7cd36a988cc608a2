import assert from "node:assert/strict";
import type { Group } from "../../../group/mod.ts";
import { type Command, GroupState, newSlab } from "../../../stream/mod.ts";
import { appendOf, createOf, openBucketOf } from "../../given/commands.ts";
import { ReplicaChecker } from "./replicas.ts";

const FORMATION = "f";
const SCRIPT: readonly (() => Command)[] = [
  () => openBucketOf("alpha"),
  () => createOf("alpha/one"),
  () => appendOf("alpha/one", "first;"),
  () => appendOf("alpha/one", "second;"),
];

/** As much of a group as the checker looks at. */
function replica(): Group {
  const state = new GroupState({ group: 0, formation: FORMATION });
  return { id: 0, state } as unknown as Group;
}

function apply(group: Group, from: number, to: number, script = SCRIPT): void {
  for (let index = from; index <= to; index++) {
    const command = script[index - 1];
    if (command !== undefined) group.state.apply(command(), index, index);
  }
}

async function copyOf({ state }: Group): Promise<GroupState> {
  const options = { group: 0, formation: FORMATION, allocate: newSlab };
  return await GroupState.import(state.export(), options);
}

function watched(count: number): { checker: ReplicaChecker; groups: Group[] } {
  const checker = new ReplicaChecker();
  const groups = Array.from({ length: count }, replica);
  for (const group of groups) checker.attach(group, FORMATION);
  return { checker, groups };
}

Deno.test("ReplicaChecker is content when replicas apply one log, each at its own pace", async () => {
  const { checker, groups } = watched(2);
  const [one, other] = groups as [Group, Group];
  apply(one, 1, 2);
  apply(other, 1, 3);
  assert.equal(checker.isCurrent(one), false);
  apply(one, 3, 4);
  apply(other, 4, 4);
  assert.equal(checker.failure, undefined);
  await checker.compare([one, other]);
  assert.equal(checker.applied(0).index, 4);
});

Deno.test("ReplicaChecker notices when replicas apply two commands at an index", () => {
  const { checker, groups } = watched(2);
  for (const [at, group] of groups.entries()) {
    apply(group, 1, 2);
    group.state.apply(appendOf("alpha/one", `${at}`), 3, 3);
  }
  assert.match(String(checker.failure), /two commands at 3/);
});

Deno.test("ReplicaChecker notices when a replica applies what others never did at that index", () => {
  const { checker, groups } = watched(2);
  const [one, other] = groups as [Group, Group];
  apply(one, 1, 2);
  one.state.apply(appendOf("alpha/one", "x"), 4, 4);
  apply(other, 1, 3);
  assert.match(String(checker.failure), /applies something late at 3/);
});

Deno.test("ReplicaChecker notices when a replica answers otherwise", () => {
  const { checker, groups } = watched(2);
  const [one, other] = groups as [Group, Group];
  apply(one, 1, 3);
  // It has lost an entry of its log, and applies the rest.
  apply(other, 1, 1);
  apply(other, 3, 3);
  assert.match(String(checker.failure), /answers .*stream_not_found/);
});

Deno.test("ReplicaChecker takes a state that a RaftSnapshot brought, if the log makes it", async () => {
  const { checker, groups } = watched(2);
  const [one, other] = groups as [Group, Group];
  apply(one, 1, 3);
  const state = await copyOf(one);
  apply(one, 4, 4);
  other.state = state;
  apply(other, 4, 4);
  assert.equal(checker.failure, undefined);
  await checker.compare([one, other]);
});

Deno.test("ReplicaChecker notices when a RaftSnapshot brings another state", async () => {
  const { checker, groups } = watched(2);
  const [one, other] = groups as [Group, Group];
  apply(one, 1, 4);
  const stranger = replica();
  apply(stranger, 1, 2);
  stranger.state.apply(appendOf("alpha/one", "other;"), 3, 3);
  other.state = await copyOf(stranger);
  assert.match(String(checker.failure), /RaftSnapshot of 3 that is not what the log says/);
});

Deno.test("ReplicaChecker notices when a RaftSnapshot is ahead of everybody", async () => {
  const { checker, groups } = watched(2);
  const [one, other] = groups as [Group, Group];
  apply(one, 1, 2);
  const stranger = replica();
  apply(stranger, 1, 3);
  other.state = await copyOf(stranger);
  assert.match(String(checker.failure), /RaftSnapshot of 3; 2 was applied/);
});

Deno.test("ReplicaChecker.compare() throws when a replica is behind", async () => {
  const { checker, groups } = watched(2);
  const [one, other] = groups as [Group, Group];
  apply(one, 1, 4);
  apply(other, 1, 3);
  await assert.rejects(checker.compare([other]), /is at 3, its reference at 4/);
});

Deno.test("ReplicaChecker notices when states part though answers do not", () => {
  const { checker, groups } = watched(2);
  const [one, other] = groups as [Group, Group];
  const script = [
    ...SCRIPT,
    ...Array.from({ length: 60 }, (_, at) => () => {
      return appendOf("alpha/one", `${at};`);
    }),
  ];
  apply(one, 1, script.length, script);
  const stranger = replica();
  other.state.stateHash = () => stranger.state.stateHash();
  apply(other, 1, script.length, script);
  assert.match(String(checker.failure), /at 32 has another state/);
});
