import { table } from "./testing/table_test.ts";

table(
  "applyCreate() matches configurations when the stream exists",
  `
  put demo/a ttl=60 body=x                       -> created tail=1
  put demo/a ttl=60 body=other                   -> existed tail=1
  put demo/a ttl=60 type=TEXT/plain;charset=x    -> existed tail=1
  put demo/a                                     -> refused stream_exists tail=1
  put demo/a ttl=61                              -> refused stream_exists tail=1
  put demo/a expires=60                          -> refused stream_exists tail=1
  put demo/a ttl=60 type=bytes                   -> refused stream_exists tail=1
  put demo/a ttl=60 closed                       -> refused stream_exists tail=1
  post demo/a close                              -> appended tail=1 closed
  put demo/a ttl=60                              -> refused stream_exists tail=1 closed
  put demo/a ttl=60 closed                       -> existed tail=1 closed
  put demo/b type=-                              -> created tail=0
  put demo/b type=bytes                          -> existed tail=0
  put demo/b type=- from=demo/a                  -> refused stream_exists tail=0
  put demo/c closed body=all                     -> created tail=3 closed
  read demo/c start                              -> 0..3 "all" up-to-date closed
  find demo/b -> f.3.d application/octet-stream tail=0 created=1000 written=1000
  put demo/d expires=7                           -> created tail=0
  put demo/d expires=7                           -> existed tail=0
  put demo/d expires=8                           -> refused stream_exists tail=0
  `,
);

table(
  "applyCreate() decides in order when several things are wrong",
  `
  set gone open 2
  put demo/src body=hello
  put demo/json json=[1]
  reserve gone/r 5                                                          -> reserved 5
  reserve gone/l 5                                                          -> reserved 6
  link gone/l 6                                                             -> done
  set gone closed 4                                                         -> closed version=4 existed streams=0
  put gone/l from=demo/none type=json reservation=1/1/0                     -> moved 5 6 linked
  put gone/r from=demo/none type=json reservation=1/1/0                     -> refused path_reserved
  put gone/x from=demo/none type=json reservation=1/1/0                     -> refused fork_too_late
  put gone/x from=demo/none type=json                                       -> refused bucket_not_found
  put none/x from=demo/none type=json                                       -> refused bucket_not_found
  put demo/x from=demo/none type=json at=9 sub=9                            -> refused fork_source_not_found
  put demo/x from=demo/src type=json at=9 sub=9                             -> refused content_type_mismatch
  put demo/x from=demo/src at=9 sub=9                                       -> refused fork_offset_beyond_tail
  put demo/x from=demo/src at=1 sub=9                                       -> refused fork_sub_offset_invalid
  put demo/x from=demo/json type=json at=1                                  -> refused offset_not_boundary
  put demo/x from=demo/src at=1 sub=4                                       -> created tail=5
  delete demo/src                                                           -> deleted
  put demo/y from=demo/src type=json at=9 sub=9                             -> refused fork_source_gone
  put demo/src                                                              -> refused stream_exists
  reserve demo/src 5                                                        -> refused stream_exists
  `,
);

table(
  "applyCreate() forks bytes at an offset and a sub-offset within the next message",
  `
  put demo/s body=first
  post demo/s body=second
  put demo/f1 from=demo/s                 -> created tail=11
  put demo/f2 from=demo/s at=0            -> created tail=0
  put demo/f3 from=demo/s at=5 sub=3      -> created tail=8
  read demo/f3 start                      -> 0..8 "firstsec" up-to-date
  put demo/f4 from=demo/s at=0 sub=5      -> created tail=5
  put demo/f5 from=demo/s at=0 sub=6      -> refused fork_sub_offset_invalid
  put demo/f5 from=demo/s at=2 sub=3      -> created tail=5
  put demo/f6 from=demo/s at=2 sub=4      -> refused fork_sub_offset_invalid
  put demo/f6 from=demo/s sub=1           -> refused fork_sub_offset_invalid
  put demo/e
  put demo/f7 from=demo/e at=0 sub=1      -> refused fork_sub_offset_invalid
  put demo/f8 from=demo/s at=0 sub=3 body=XY -> created tail=5
  read demo/f8 start                      -> 0..5 "firXY" up-to-date
  post demo/s body=later
  read demo/f1 start                      -> 0..11 "firstsecond" up-to-date
  post demo/f3 body=LO                    -> appended tail=10
  put demo/g from=demo/f3 at=8 sub=1      -> created tail=9
  read demo/g start                       -> 0..9 "firstsecL" up-to-date
  put demo/h from=demo/g at=0 sub=2       -> created tail=2
  post demo/h body=Z
  read demo/h start                       -> 0..3 "fiZ" up-to-date
  `,
);

table(
  "applyCreate() counts JSON sub-offsets in messages",
  `
  put demo/s json=[{"a":1},{"b":2}]
  post demo/s json={"c":3}
  post demo/s json=[4,5]
  put demo/f1 type=- from=demo/s at=0 sub=1   -> created tail=8
  put demo/f3 type=- from=demo/s at=0 sub=3   -> created tail=24
  put demo/f4 type=- from=demo/s at=8 sub=3   -> created tail=26
  put demo/f5 type=- from=demo/s at=0 sub=5   -> created tail=28
  put demo/f6 type=- from=demo/s at=0 sub=6   -> refused fork_sub_offset_invalid
  put demo/f7 type=- from=demo/s at=8         -> created tail=8
  put demo/f8 type=- from=demo/s at=7         -> refused offset_not_boundary
  read demo/f4 start                          -> 0..26 "{"a":1},{"b":2},{"c":3},4," up-to-date
  post demo/f4 json=9                         -> appended tail=28
  read demo/f4 24                             -> 24..28 "4,9," up-to-date
  read demo/f4 25                             -> refused offset_not_boundary tail=28
  find demo/f1 -> f.3.5 application/json tail=8 created=1000 written=1000
  # A body without a content type is bytes, and this source takes none.
  put demo/g type=- from=demo/s body=raw      -> refused content_type_mismatch
  put demo/g from=demo/s json=[6,7]           -> created tail=32
  put demo/h type=- from=demo/g at=28 sub=1   -> created tail=30
  read demo/h 26                              -> 26..30 "5,6," up-to-date
  `,
);

table(
  "applyCreate() forks into an open stream without writers' state when the source is closed",
  `
  put demo/s
  post demo/s producer=p/0/0 seq=b body=x close -> appended tail=1 closed producer=0/0
  put demo/f from=demo/s                        -> created tail=1
  post demo/f producer=p/0/0 seq=a body=y       -> appended tail=2 producer=0/0
  put demo/g from=demo/s closed                 -> created tail=1 closed
  `,
);

table(
  "applyCreate() matches a fork by source, asked offset, sub-offset and asked lifetime",
  `
  put demo/s ttl=60 body=hello
  put demo/t ttl=60 body=hello
  put demo/f from=demo/s                         -> created tail=5
  post demo/s body=more
  put demo/f from=demo/s                         -> existed tail=5
  put demo/f from=demo/s type=-                  -> existed tail=5
  put demo/f from=demo/s at=5                    -> existed tail=5
  put demo/f from=demo/s ttl=60                  -> existed tail=5
  put demo/f from=demo/s ttl=61                  -> refused stream_exists tail=5
  put demo/f from=demo/s at=4                    -> refused stream_exists tail=5
  put demo/f from=demo/t                         -> refused stream_exists tail=5
  put demo/f ttl=60                              -> refused stream_exists tail=5
  put demo/g from=demo/s at=0 sub=2 ttl=9        -> created tail=2
  put demo/g from=demo/s at=0 sub=2 ttl=9        -> existed tail=2
  put demo/g from=demo/s at=0 sub=2              -> refused stream_exists tail=2
  put demo/g from=demo/s at=0 sub=3 ttl=9        -> refused stream_exists tail=2
  put demo/g from=demo/s at=2 ttl=9              -> refused stream_exists tail=2
  put demo/g from=demo/s ttl=9                   -> refused stream_exists tail=2
  delete demo/s                                  -> deleted
  put demo/f from=demo/s                         -> existed tail=5
  `,
);

table(
  "applyCreate() gives a fork the lifetime of P§4.2's table",
  `
  put demo/n
  put demo/t ttl=60
  put demo/e expires=9000
  put demo/nn from=demo/n
  put demo/nt from=demo/n ttl=5
  put demo/ne from=demo/n expires=5
  put demo/tn from=demo/t
  put demo/tt from=demo/t ttl=90
  put demo/te from=demo/t expires=5
  put demo/en from=demo/e
  put demo/et from=demo/e ttl=5
  put demo/ee from=demo/e expires=99000
  find demo/nn -> f.3.5 text/plain tail=0 created=1000 written=1000
  find demo/nt -> f.3.6 text/plain tail=0 ttl=5 created=1000 written=1000
  find demo/ne -> f.3.7 text/plain tail=0 expires=5 created=1000 written=1000
  find demo/tn -> f.3.8 text/plain tail=0 ttl=60 created=1000 written=1000
  find demo/tt -> f.3.9 text/plain tail=0 ttl=90 created=1000 written=1000
  find demo/te -> f.3.a text/plain tail=0 expires=5 created=1000 written=1000
  find demo/en -> f.3.b text/plain tail=0 expires=9000 created=1000 written=1000
  find demo/et -> f.3.c text/plain tail=0 ttl=5 created=1000 written=1000
  find demo/ee -> f.3.d text/plain tail=0 expires=99000 created=1000 written=1000
  `,
);
