import { table } from "./testing/table_test.ts";

table(
  "applyDelete() answers 404, 410 and 412 before it deletes",
  `
  delete demo/a           -> refused stream_not_found
  put demo/a body=x
  delete demo/a inc=f.3.9 -> refused incarnation_mismatch tail=1
  delete demo/a inc=f.3.3 -> deleted
  delete demo/a           -> refused stream_not_found
  find demo/a             -> refused stream_not_found
  put demo/a              -> created tail=0
  find demo/a             -> f.3.7 text/plain tail=0 created=1000 written=1000
  `,
);

table(
  "applyDelete() hides a source with forks and ends it with the last of them",
  `
  put demo/l0 body=A
  put demo/l1 from=demo/l0
  post demo/l1 body=B
  put demo/l2 from=demo/l1
  post demo/l2 body=C
  changed                 -> demo/l1@f.3.3:1..2, demo/l2@f.3.5:2..3
  delete demo/l1          -> deleted
  delete demo/l0          -> deleted
  changed                 -> demo/l1@f.3.3: ended, demo/l0@f.3.2: ended
  delete demo/l0          -> refused stream_gone
  find demo/l1            -> refused stream_gone
  read demo/l1 start      -> refused stream_gone
  put demo/l1             -> refused stream_exists
  read demo/l2 start      -> 0..3 "ABC" up-to-date
  list demo               -> l2
  bucket demo             -> open version=2 streams=3 listed=1
  delete demo/l2          -> deleted
  changed                 -> demo/l2@f.3.5: ended
  find demo/l1            -> refused stream_not_found
  find demo/l0            -> refused stream_not_found
  bucket demo             -> open version=2 streams=0 listed=0
  put demo/l0             -> created tail=0
  `,
);

table(
  "applyDelete() leaves a source alone when its forks go",
  `
  put demo/s body=A
  put demo/f from=demo/s
  put demo/g from=demo/s
  put demo/h from=demo/s type=json -> refused content_type_mismatch
  delete demo/f           -> deleted
  delete demo/g           -> deleted
  read demo/s start       -> 0..1 "A" up-to-date
  delete demo/s           -> deleted
  find demo/s             -> refused stream_not_found
  `,
);

table(
  "applyExpire() ends streams at the last touch, their TTL and the coarse interval",
  `
  # TTL 10 s: interval 1 s; created at 1000, so the deadline is 12000.
  put demo/a ttl=10
  put demo/b expires=11500
  put demo/c
  due 0                   ->
  now 10499
  due 0                   ->
  expire demo/a demo/b demo/c demo/none -> done
  now 1
  due 0                   -> demo/b
  now 499
  due 0                   -> demo/b
  due 1                   -> demo/b demo/a
  due 1                   -> demo/b demo/a
  expire demo/a demo/b    -> done
  find demo/b             -> refused stream_not_found
  now 1
  expire demo/a           -> done
  find demo/a             -> refused stream_not_found
  due 99999999            ->
  `,
);

table(
  "applyTouch() and writes push a TTL back, and nothing else",
  `
  put demo/a ttl=10
  put demo/e expires=12000
  touch? demo/a           -> false
  now 999
  touch? demo/a           -> false
  now 1
  touch? demo/a           -> true
  touch? demo/e           -> false
  touch? demo/none        -> false
  touch demo/a demo/e demo/none -> done
  touch? demo/a           -> false
  due 9999                ->
  due 10000               -> demo/e
  due 11000               -> demo/e demo/a
  now 1000
  post demo/a body=x
  due 10999               -> demo/e
  due 11000               -> demo/e demo/a
  now 1000
  post demo/a close
  due 10999               -> demo/e
  due 11000               -> demo/e demo/a
  `,
);

table(
  "applyExpire() bounds the coarse interval to 100 ms and 60 s",
  `
  put demo/zero ttl=0
  put demo/one ttl=1
  put demo/year ttl=31536000
  due 99                  ->
  due 100                 -> demo/zero
  due 1099                -> demo/zero
  due 1100                -> demo/zero demo/one
  due 31536059999         -> demo/zero demo/one
  due 31536060000         -> demo/zero demo/one demo/year
  `,
);

table(
  "applyExpire() hides an expired source and ends it with its fork",
  `
  put demo/s ttl=1 body=x
  put demo/f from=demo/s ttl=5
  now 1100
  due 0                   -> demo/s
  expire demo/s           -> done
  find demo/s             -> refused stream_gone
  due 0                   ->
  read demo/f start       -> 0..1 "x" up-to-date
  now 5000
  due 0                   -> demo/f
  expire demo/f           -> done
  find demo/s             -> refused stream_not_found
  `,
);
