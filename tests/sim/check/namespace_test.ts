import assert from "node:assert/strict";
import { createOf } from "../../given/commands.ts";
import { Namespace } from "./namespace.ts";

Deno.test("begin() knows a fork's path before it asks for the time that the fork will follow", () => {
  const asked: boolean[] = [];
  const namespace: Namespace = new Namespace({
    times(key) {
      asked.push(namespace.path(key).wasForkPath);
      return { min: 0, max: 0 };
    },
    undecided: undefined,
  });
  const fork = { source: "demo/source", subOffset: 0 };
  namespace.begin(createOf("demo/stream"), "demo/stream");
  assert.ok(!asked.includes(true));
  asked.length = 0;
  namespace.begin(createOf("demo/fork", { fork }), "demo/fork");
  assert.equal(asked[0], true);
});
