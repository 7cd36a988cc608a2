import assert from "node:assert/strict";
import { GroupState, newSlab, type ReadPlan } from "./mod.ts";
import { coldTable } from "./testing/table_test.ts";
import { bodyOf, createOf, openBucketOf } from "../tests/given/commands.ts";

coldTable(
  "applyPublish() decides in SPEC section 5's order when several things are wrong",
  `
  publish 1 demo/a:9 inc=f.3.99         -> refused stream_not_found
  put demo/a body=hello
  post demo/a body=world
  put demo/keep from=demo/a at=0
  delete demo/a
  publish 1 demo/a:9 inc=f.3.99         -> refused stream_gone
  delete demo/keep
  put demo/a body=hello
  post demo/a body=world
  publish 1 demo/a:11 inc=f.3.99        -> refused incarnation_mismatch tail=10
  publish 1 demo/a:11                   -> refused snapshot_beyond_tail tail=10
  publish 1 demo/a:4                    -> refused offset_not_boundary tail=10
  condemn below=2
  publish 1 demo/a:5                    -> condemned
  snapshot demo/a                       -> none
  publish 2 len=7 demo/a:5              -> published tail=10
  snapshot demo/a                       -> 5 in 2
  publish 3 demo/a:0                    -> refused offset_trimmed tail=10
  publish 3 demo/a:5 digest=e           -> refused snapshot_conflict tail=10
  publish 2 demo/a:5                    -> published tail=10 repeated
  publish 2 demo/a:10                   -> condemned
  read demo/a start                     -> refused offset_trimmed tail=10
  read demo/a 4                         -> refused offset_trimmed tail=10
  read demo/a 5                         -> 5..10 "world" up-to-date
  hot                                   -> 5
  objects                               -> 2: 7 in 1, next 3
  publish 3 len=8 demo/a:10             -> published tail=10
  hot                                   -> 0
  now 5
  read demo/a 10                        -> 10..10 "" up-to-date
  post demo/a body=more                 -> appended tail=14
  read demo/a 10                        -> 10..14 "more" up-to-date
  objects                               -> 2: 0 in 0 since 1000, 3: 8 in 1, next 4
  delete demo/a
  objects                               -> 2: 0 in 0 since 1000, 3: 0 in 0 since 1005, next 4
  `,
);

coldTable(
  "applyPublish() lets objects below the snapshot go, and proves an offset within one",
  `
  put demo/j json=[1,22,333]
  post demo/j json=[4]
  flush 1 demo/j:0-2 demo/j:2-9         -> stored 0,1 bytes=9
  publish 2 demo/j:3                    -> unproven
  publish 2 demo/j:5                    -> published tail=11
  pieces demo/j 5                       -> 5..11 1@100+2 5..9, hot 2
  read demo/j 5                         -> 5..11 "333,4," up-to-date
  objects                               -> 1: 9 in 1, 2: 1000 in 1, next 3
  publish 3 demo/j:9                    -> published tail=11
  objects                               -> 1: 0 in 0 since 1000, 2: 0 in 0 since 1000, 3: 1000 in 1, next 4
  read demo/j 9                         -> 9..11 "4," up-to-date
  `,
);

coldTable(
  "forks made before a snapshot keep what they inherit, and those made after share it",
  `
  put demo/s body=hello
  post demo/s body=world
  post demo/s body=again
  put demo/old from=demo/s at=5
  put demo/older from=demo/s at=3
  flush 1 demo/s:0-5 demo/s:5-10        -> stored 0,1 bytes=10
  publish 2 len=7 demo/s:10             -> published tail=15
  objects                               -> 1: 5 in 1, 2: 7 in 1, next 3
  read demo/old start                   -> 0..5 "hello" up-to-date
  put demo/x from=demo/s at=5           -> refused offset_trimmed tail=15
  put demo/new from=demo/s body=!       -> created tail=16
  snapshot demo/new                     -> 10 in 2
  read demo/new start                   -> refused offset_trimmed tail=16
  read demo/new 10                      -> 10..16 "again!" up-to-date
  objects                               -> 1: 5 in 1, 2: 14 in 2, next 3
  publish 3 len=8 demo/s:15             -> published tail=15
  read demo/new 10                      -> 10..16 "again!" up-to-date
  objects                               -> 1: 5 in 1, 2: 7 in 1, 3: 8 in 1, next 4
  hot                                   -> 6
  delete demo/old
  read demo/older start                 -> 0..3 "hel" up-to-date
  delete demo/older
  objects                               -> 1: 0 in 0 since 1000, 2: 7 in 1, 3: 8 in 1, next 4
  flush 4 demo/s:10-15                  -> stored 0 bytes=5
  read demo/new 10                      -> 10..16 "again!" up-to-date
  delete demo/new
  hot                                   -> 0
  objects                               -> 1: 0 in 0 since 1000, 2: 0 in 0 since 1000, 3: 8 in 1, 4: 0 in 0 since 1000, next 5
  `,
);

coldTable(
  "a fork of a fork keeps what both inherit, until the last that needs it goes",
  `
  put demo/s body=hello
  put demo/f from=demo/s body=world
  put demo/g from=demo/f body=!
  flush 1 demo/s:0-5
  flush 2 demo/f:5-10
  post demo/s body=x
  publish 3 demo/f:10                   -> published tail=10
  publish 4 demo/s:6                    -> published tail=6
  read demo/g start                     -> 0..11 "helloworld!" up-to-date
  objects                               -> 1: 5 in 1, 2: 5 in 1, 3: 1000 in 1, 4: 1000 in 1, next 5
  publish 5 demo/g:10                   -> published tail=11
  read demo/g 10                        -> 10..11 "!" up-to-date
  objects                               -> 1: 5 in 1, 2: 0 in 0 since 1000, 3: 1000 in 1, 4: 1000 in 1, 5: 1000 in 1, next 6
  delete demo/g
  objects                               -> 1: 0 in 0 since 1000, 2: 0 in 0 since 1000, 3: 1000 in 1, 4: 1000 in 1, 5: 0 in 0 since 1000, next 6
  `,
);

coldTable(
  "hot bytes before a snapshot that a fork needs stay until they are flushed",
  `
  put demo/s body=hello
  post demo/s body=world
  put demo/f from=demo/s at=5
  publish 1 demo/s:10                   -> published tail=10
  hot                                   -> 10
  flush 2 demo/s:0-5 demo/s:5-10        -> stored 0 bytes=5
  hot                                   -> 0
  objects                               -> 1: 1000 in 1, 2: 5 in 1, next 3
  read demo/f start                     -> 0..5 "hello" up-to-date
  `,
);

coldTable(
  "applyStage() takes pieces in order, and one again; a whole object may be published",
  `
  pins on
  put demo/a body=hello
  stage 1 len=6 at=3 body=def           -> condemned
  stage 1 len=6 body=abc                -> done
  stage 1 len=6 body=abc                -> done
  stage 1 len=6 at=2 body=cd            -> condemned
  stage 1 len=6 at=3 body=defg          -> condemned
  stage 1 len=6 term=2 at=3 body=def    -> condemned
  stage 1 len=7 at=3 body=def           -> condemned
  publish 1 len=6 demo/a:5              -> condemned
  now 5
  stage 1 len=6 at=3 body=def           -> done
  objects                               -> 1: 0 in 0 since 1005, next 2
  pinned                                -> 1 bytes=6
  publish 1 len=7 demo/a:5              -> condemned
  publish 1 len=6 demo/a:5              -> published tail=5
  objects                               -> 1: 6 in 1, next 2
  stage 1 len=6 at=3 body=def           -> condemned
  unpin 1
  stage 2 len=2 body=x                  -> done
  condemn 2
  stage 2 len=2 at=1 body=y             -> condemned
  discard 2                             -> done
  pinned                                -> none bytes=0
  objects                               -> 1: 6 in 1, next 3
  `,
);

coldTable(
  "applyCondemn() lets staged bytes go that can't be published any more",
  `
  pins on
  put demo/a body=hello
  stage 1 len=2 body=a                  -> done
  stage 2 len=2 body=bb                 -> done
  stage 3 len=2 body=cc                 -> done
  stage 4 len=2 body=d                  -> done
  publish 3 len=2 demo/a:5              -> published tail=5
  pinned                                -> 1 2 3 4 bytes=6
  condemn below=4
  pinned                                -> 2 3 4 bytes=5
  condemn 3 4
  pinned                                -> 2 3 bytes=4
  condemn 2
  pinned                                -> 3 bytes=2
  delete demo/a
  pinned                                -> 3 bytes=2
  condemn 3
  pinned                                -> none bytes=0
  `,
);

Deno.test("a plan names the snapshot that the stream begins with, also after an import", async () => {
  const state = new GroupState({ group: 3, formation: "f" });
  state.apply(openBucketOf("demo"), 1, 1_000);
  state.apply(createOf("demo/a", { body: bodyOf("hello") }), 2, 1_000);
  const read = (of: GroupState) => of.read("demo/a", "now", 0) as ReadPlan;
  assert.equal(read(state).snapshot, undefined);
  const object = { number: 1, term: 7, length: 9 };
  const what = { offset: 5, contentType: "text/plain", digest: "d" };
  state.apply({ type: "publish", key: "demo/a", object, ...what }, 3, 1_000);
  assert.deepEqual(read(state).snapshot, { ...what, ...object });
  const imported = await GroupState.import([...state.export()], {
    group: 3,
    formation: "f",
    allocate: newSlab,
  });
  assert.deepEqual(read(imported).snapshot, { ...what, ...object });
});

Deno.test("applyPublish() pushes a deadline back", () => {
  const state = new GroupState({ group: 3, formation: "f" });
  state.apply(openBucketOf("demo"), 1, 1_000);
  state.apply(createOf("demo/a", { ttlSeconds: 10 }), 2, 1_000);
  const object = { number: 1, term: 1, length: 1 };
  const what = { key: "demo/a", offset: 0, contentType: "text/plain", digest: "d" };
  state.apply({ type: "publish", object, ...what }, 3, 9_000);
  assert.deepEqual(state.due(12_000, 1), []);
  assert.deepEqual(state.due(20_000, 1), ["demo/a"]);
});
