import assert from "node:assert/strict";
import { type Command, GroupState, type StreamFacts } from "../stream/mod.ts";
import { appendOf, createOf, openBucketOf, textOf } from "../tests/given/commands.ts";
import { joinSlices } from "./slices.ts";
import { type LiveEvent, Watches } from "./watch.ts";

const KEY = "demo/a";

class Stage {
  readonly state = new GroupState({ group: 0, formation: "f0000000" });
  readonly watches = new Watches();
  #index = 0;

  constructor() {
    this.apply(openBucketOf("demo"), createOf(KEY));
  }

  apply(...commands: Command[]): void {
    for (const command of commands) this.state.apply(command, ++this.#index, this.#index);
    for (const { key } of this.state.takeChanged()) this.watches.wake(key, this.state);
  }

  get facts(): StreamFacts {
    const found = this.state.find(KEY);
    if (!("incarnation" in found)) throw new Error("the stream is not there");
    return found;
  }

  watch(): { told: string[]; watcher: (event: LiveEvent) => void } {
    const told: string[] = [];
    const watcher = (event: LiveEvent) => void told.push(lineOf(event));
    this.watches.add(KEY, this.facts, watcher);
    return { told, watcher };
  }
}

function lineOf({ from, to, slices, closed, ended }: LiveEvent): string {
  if (ended) return "ended";
  const bytes = slices && joinSlices(slices);
  const text = bytes === undefined ? "too much" : bytes.length > 9 ? bytes.length : textOf(bytes);
  return `${from}-${to} ${text}${closed ? " closed" : ""}`;
}

Deno.test("Watches.wake() tells all watchers the same, each from where it began", () => {
  const stage = new Stage();
  stage.apply(appendOf(KEY, "old"));
  const first = stage.watch();
  stage.apply(appendOf(KEY, "a"), appendOf(KEY, "b"));
  const second = stage.watch();
  stage.apply(appendOf(KEY, "c"));
  assert.deepEqual(first.told, ["3-5 ab", "5-6 c"]);
  assert.deepEqual(second.told, ["5-6 c"]);
});

Deno.test("Watches.wake() sends no bytes along when there are more than 256 KiB", () => {
  const stage = new Stage();
  const { told } = stage.watch();
  stage.apply(appendOf(KEY, "x".repeat(262_144)));
  stage.apply(appendOf(KEY, "x".repeat(262_144)), appendOf(KEY, "y"));
  stage.apply(appendOf(KEY, "z"));
  assert.deepEqual(told, ["0-262144 262144", "262144-524289 too much", "524289-524290 z"]);
});

Deno.test("Watches.wake() tells that the stream closed, with its last bytes or without", () => {
  const stage = new Stage();
  const { told } = stage.watch();
  stage.apply(appendOf(KEY, "end", { closed: true }));
  assert.deepEqual(told, ["0-3 end closed"]);
  const other = new Stage();
  const alone = other.watch();
  other.apply(appendOf(KEY, "", { body: undefined, closed: true }));
  assert.deepEqual(alone.told, ["0-0  closed"]);
});

Deno.test("Watches.wake() ends a watch when the incarnation is over, and the next one is another", () => {
  const stage = new Stage();
  const { told } = stage.watch();
  stage.apply({ type: "delete", key: KEY }, createOf(KEY), appendOf(KEY, "new life"));
  assert.deepEqual(told, ["ended"]);
  assert.ok(stage.watches.empty);
  const next = stage.watch();
  stage.apply(appendOf(KEY, "!"));
  assert.deepEqual([told, next.told], [["ended"], ["8-9 !"]]);
});

Deno.test("Watches.remove() stops one watcher, and the last one takes the stream along", () => {
  const stage = new Stage();
  const first = stage.watch();
  const second = stage.watch();
  stage.watches.remove(KEY, first.watcher);
  stage.apply(appendOf(KEY, "a"));
  assert.deepEqual([first.told, second.told], [[], ["0-1 a"]]);
  assert.deepEqual([...stage.watches.keys()], [KEY]);
  stage.watches.remove(KEY, second.watcher);
  stage.watches.remove(KEY, second.watcher);
  assert.ok(stage.watches.empty);
});

Deno.test("Watches lets a watcher leave or come while it is told", () => {
  const stage = new Stage();
  const told: string[] = [];
  const leaver = (event: LiveEvent) => {
    told.push(`leaver ${lineOf(event)}`);
    stage.watches.remove(KEY, leaver);
  };
  stage.watches.add(KEY, stage.facts, leaver);
  const other = stage.watch();
  stage.apply(appendOf(KEY, "a"));
  stage.apply(appendOf(KEY, "b"));
  assert.deepEqual(told, ["leaver 0-1 a"]);
  assert.deepEqual(other.told, ["0-1 a", "1-2 b"]);
});

Deno.test("Watches.endAll() ends every watch once", () => {
  const stage = new Stage();
  const { told } = stage.watch();
  stage.watches.endAll();
  stage.watches.endAll();
  stage.apply(appendOf(KEY, "a"));
  assert.deepEqual(told, ["ended"]);
});

Deno.test("Watches.add() begins afresh when the stream is another incarnation's", () => {
  const stage = new Stage();
  stage.watches.add(KEY, { ...stage.facts, incarnation: "gone" }, () => assert.fail());
  const { told } = stage.watch();
  stage.apply(appendOf(KEY, "a"));
  assert.deepEqual(told, ["0-1 a"]);
});
