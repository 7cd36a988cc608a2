import assert from "node:assert/strict";
import { TOMBSTONE_MS } from "./buckets.ts";
import { Script } from "./testing/script_test.ts";
import { table } from "./testing/table_test.ts";

table(
  "applyIntend() creates and deletes a bucket, one intent at a time",
  `
  put work/a               -> refused bucket_not_found
  intend work delete       -> refused bucket_not_found
  intend work create       -> closed version=8 streams=0
  intend work create       -> refused bucket_busy
  intend work delete       -> refused bucket_busy
  bucket work              -> closed version=0 streams=0 listed=0 intent=create/8
  set work open 8          -> open version=8 streams=0
  set work open 8          -> open version=8 existed streams=0
  put work/a body=x        -> created tail=1
  settle work open 6       -> open version=8 existed streams=1
  bucket work              -> open version=8 streams=1 listed=1 intent=create/8
  settle work open 8       -> open version=8 existed streams=1
  intend work create       -> open version=8 existed streams=1
  buckets                  -> demo work

  # A stream is left: the delete is given up under the odd version, for whoever settles later, too.
  intend work delete       -> open version=26 existed streams=1
  set work closed 26       -> closed version=26 existed streams=1
  put work/b               -> refused bucket_not_found
  put work/a               -> existed tail=1
  buckets                  -> demo
  settle work open 26      -> closed version=27 streams=1
  bucket work              -> closed version=26 streams=1 listed=1 intent=create/27
  settle work closed 26    -> closed version=27 streams=1
  settle work open 26      -> closed version=27 streams=1
  intend work delete       -> refused bucket_busy
  set work open 27         -> open version=27 streams=1
  set work closed 26       -> open version=27 existed streams=1
  settle work open 27      -> open version=27 existed streams=1
  settle work closed 26    -> open version=27 existed streams=1
  bucket work              -> open version=27 streams=1 listed=1

  # None is left: whoever wants to give the delete up comes too late.
  delete work/a            -> deleted
  intend work delete       -> open version=52 existed streams=0
  set work closed 52       -> closed version=52 existed streams=0
  settle work closed 52    -> closed version=52 streams=0
  settle work open 52      -> closed version=52 streams=0
  bucket work              -> none
  set work open 27         -> closed version=52 streams=0
  intend work create       -> closed version=62 streams=0
  settle work closed 52    -> closed version=62 streams=0
  set work open 62         -> open version=62 streams=0
  settle work open 62      -> open version=62 existed streams=0
  buckets                  -> demo work
  `,
);

table(
  "applySet() takes over only a higher version where the group is not the home",
  `
  set far open 10          -> open version=10 streams=0
  put far/a                -> created tail=0
  set far closed 8         -> open version=10 existed streams=1
  set far closed 12        -> closed version=12 existed streams=1
  bucket far               -> closed version=12 streams=1 listed=1
  delete far/a             -> deleted
  bucket far               -> none
  set far open 10          -> closed version=12 streams=0
  set far closed 12        -> closed version=12 streams=0
  set far open 14          -> open version=14 streams=0
  `,
);

table(
  "listBuckets() and listStreams() page in byte order",
  `
  set aa open 2
  set b open 2
  set ab open 2
  buckets                      -> aa ab b demo
  buckets prefix=a             -> aa ab
  buckets after=aa limit=2     -> ab b
  put demo/b
  put demo/a
  list demo                    -> a b
  put demo/a/x
  put demo/a!
  put demo/\u{1f600}
  put demo/\uff5e
  put demo/ab
  list demo                    -> a a! a/x ab b \uff5e \u{1f600}
  list demo prefix=a           -> a a! a/x ab
  list demo prefix=a after=a!  -> a/x ab
  list demo after=a limit=2    -> a! a/x
  delete demo/a!
  list demo prefix=a           -> a a/x ab
  list none                    ->
  `,
);

Deno.test("Bucket.list() stays in order when streams come and go by the hundred", () => {
  const script = new Script();
  script.run("set demo open 2");
  const alive = new Set<string>();
  for (let i = 0; i < 400; i++) {
    const id = String((i * 7919) % 401);
    script.run(`put demo/${id}`);
    alive.add(id);
    if (i % 3 === 0) {
      const gone = String((Math.floor(i / 2) * 7919) % 401);
      script.run(`delete demo/${gone}`);
      alive.delete(gone);
    }
    if (i % 50 === 0) script.run(`list demo -> ${[...alive].sort().join(" ")}`);
  }
  script.run(`list demo -> ${[...alive].sort().join(" ")}`);
  script.finish([...alive].map((id) => `demo/${id}`));
});

Deno.test("Buckets.bury() forgets versions after an hour of group time", () => {
  const script = new Script();
  script.run(`
    set old open 10
    set old closed 12
    now ${TOMBSTONE_MS}
    set other open 10
    set other closed 12
    set old open 10  -> closed version=12 streams=0
    now 1
    set third open 2
    set third closed 4
    set old open 10  -> open version=10 streams=0
    set other open 10 -> closed version=12 streams=0
  `);
  assert.equal(script.state.pendingIntents().length, 0);
});
