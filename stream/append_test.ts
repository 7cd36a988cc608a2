import assert from "node:assert/strict";
import { PRODUCER_IDLE_MS, PRODUCERS_PER_STREAM_MAX } from "./producers.ts";
import { Script } from "./testing/script_test.ts";
import { table } from "./testing/table_test.ts";

table(
  "applyAppend() decides in SPEC section 3's order when several things are wrong",
  `
  # Every row but the last would also fail for the reasons of the rows below it.
  post demo/a inc=x producer=p/1/5 type=bytes match=9 seq=a body=x -> refused stream_not_found
  put demo/a
  post demo/a producer=p/2/0 seq=m body=abc                         -> appended tail=3 producer=2/0
  post demo/a inc=x producer=p/1/5 type=bytes match=9 seq=a body=x -> refused incarnation_mismatch tail=3
  post demo/a producer=p/1/5 type=bytes match=9 seq=a body=x        -> refused producer_epoch_stale tail=3 epoch=2
  post demo/a producer=p/3/5 type=bytes match=9 seq=a body=x        -> refused producer_epoch_start tail=3 epoch=2
  post demo/a producer=p/2/5 type=bytes match=9 seq=a body=x        -> refused producer_gap tail=3 epoch=2 expected=1
  post demo/a producer=q/7/1 type=bytes match=9 seq=a body=x        -> refused producer_gap tail=3 expected=0
  post demo/a producer=p/2/0 type=bytes match=9 seq=a body=x        -> repeated tail=3 producer=2/0
  post demo/a producer=p/2/1 type=bytes match=9 seq=a body=x        -> refused content_type_mismatch tail=3
  post demo/a producer=p/2/1 match=9 seq=a body=x                   -> refused offset_mismatch tail=3
  post demo/a producer=p/2/1 match=3 seq=a body=x                   -> refused stream_seq_conflict tail=3 last=m
  post demo/a producer=p/2/1 match=3 seq=m body=x                   -> refused stream_seq_conflict tail=3 last=m
  post demo/a producer=p/2/1 match=3 seq=n inc=f.3.3 body=x         -> appended tail=4 producer=2/1
  post demo/a close inc=f.3.3 body=yz                               -> appended tail=6 closed
  post demo/a inc=x producer=p/1/5 type=bytes match=9 seq=a body=x -> refused incarnation_mismatch tail=6 closed
  post demo/a producer=p/1/5 type=bytes match=9 seq=a body=x        -> refused stream_closed tail=6 closed
  post demo/a producer=p/2/1 body=x                                 -> refused stream_closed tail=6 closed
  put demo/b from=demo/a
  delete demo/a                                                     -> deleted
  post demo/a inc=x body=x                                          -> refused stream_gone
  `,
);

table(
  "applyAppend() compares content types by media type alone",
  `
  put demo/a type=Text/Plain;charset=utf-8   -> created tail=0
  post demo/a type=text/plain body=a         -> appended tail=1
  post demo/a type=TEXT/PLAIN;x=y body=a     -> appended tail=2
  post demo/a type=text/html body=a          -> refused content_type_mismatch tail=2
  post demo/a type=- body=a                  -> refused content_type_mismatch tail=2
  find demo/a -> f.3.2 Text/Plain;charset=utf-8 tail=2 created=1000 written=1000
  `,
);

table(
  "applyAppend() closes once and answers the same close again",
  `
  put demo/a
  post demo/a close type=json                -> appended tail=0 closed
  post demo/a close type=json                -> repeated tail=0 closed
  post demo/a close match=7                  -> repeated tail=0 closed
  post demo/a close body=x                   -> refused stream_closed tail=0 closed
  post demo/a close producer=p/0/0           -> refused stream_closed tail=0 closed

  put demo/b
  post demo/b close producer=p/0/0 body=end  -> appended tail=3 closed producer=0/0
  post demo/b close producer=p/0/0 body=other -> repeated tail=3 closed producer=0/0
  post demo/b producer=p/0/0 body=other      -> repeated tail=3 closed producer=0/0
  post demo/b close producer=p/0/1           -> refused stream_closed tail=3 closed
  post demo/b close producer=q/0/0           -> refused stream_closed tail=3 closed
  post demo/b close                          -> repeated tail=3 closed

  put demo/c
  post demo/c producer=p/0/0 body=x          -> appended tail=1 producer=0/0
  post demo/c close producer=p/0/1           -> appended tail=1 closed producer=0/1
  post demo/c close producer=p/0/1           -> repeated tail=1 closed producer=0/1
  post demo/c producer=p/0/0 body=x          -> refused stream_closed tail=1 closed
  read demo/c start                          -> 0..1 "x" up-to-date closed
  `,
);

table(
  "applyAppend() keeps producers apart and says the highest sequence accepted",
  `
  put demo/a
  post demo/a producer=p/0/0 body=a          -> appended tail=1 producer=0/0
  post demo/a producer=q/5/0 body=b          -> appended tail=2 producer=5/0
  post demo/a producer=p/0/1 body=c          -> appended tail=3 producer=0/1
  post demo/a producer=p/0/0 body=a          -> repeated tail=3 producer=0/1
  post demo/a producer=p/1/0 body=d          -> appended tail=4 producer=1/0
  post demo/a producer=p/0/2 body=e          -> refused producer_epoch_stale tail=4 epoch=1
  read demo/a start                          -> 0..4 "abcd" up-to-date
  # A refused append leaves no trace of its producer.
  post demo/a producer=r/0/0 match=0 body=e  -> refused offset_mismatch tail=4
  post demo/a producer=r/0/0 body=e          -> appended tail=5 producer=0/0
  `,
);

table(
  "applyAppend() reports changes once per stream and batch",
  `
  put demo/a
  put demo/b
  changed                                    ->
  post demo/a body=one
  post demo/b body=x
  post demo/a body=two
  changed                                    -> demo/a@f.3.2:0..6, demo/b@f.3.3:0..1
  changed                                    ->
  post demo/a body=end close
  delete demo/b
  changed                                    -> demo/a@f.3.2:6..9 closed, demo/b@f.3.3: ended
  put demo/b
  post demo/b body=new
  delete demo/b
  put demo/b
  changed                                    -> demo/b@f.3.9:0..3 ended
  `,
);

Deno.test("applyAppend() makes room for a producer only when the longest idle is idle enough", () => {
  const script = new Script();
  script.run("set demo open 2\nput demo/a");
  for (let i = 0; i < PRODUCERS_PER_STREAM_MAX; i++) {
    script.run(`post demo/a producer=p${i}/0/0 body=x`);
    if (i === 0) script.run("now 1");
  }
  script.run(`
    post demo/a producer=new/0/0 body=x -> refused producer_limit tail=4096
    post demo/a producer=new/0/1 body=x -> refused producer_gap tail=4096 expected=0
    now ${PRODUCER_IDLE_MS - 2}
    post demo/a producer=new/0/0 body=x -> refused producer_limit tail=4096
    now 1
    post demo/a producer=new/0/0 body=x -> appended tail=4097 producer=0/0
    # Gone is p0, the one idle longest; the next must wait for p1.
    post demo/a producer=p0/0/0 body=x  -> refused producer_limit tail=4097
    post demo/a producer=p1/0/0 body=x  -> repeated tail=4097 producer=0/0
    now 1
    post demo/a producer=p0/0/0 body=x  -> appended tail=4098 producer=0/0
  `);
  script.finish(["demo/a"]);
});

Deno.test("apply() throws when index or stamp go back", () => {
  const script = new Script();
  script.run("set demo open 2");
  assert.throws(() => script.state.apply({ type: "touch", keys: [] }, 1, 5000), /index must rise/);
  assert.throws(() => script.state.apply({ type: "touch", keys: [] }, 2, 999), /must not go back/);
});
