import { coldTable } from "./testing/table_test.ts";

coldTable(
  "applyFlush() refuses a number that was used or condemned, whatever else it names",
  `
  put demo/a body=hello
  objects                       -> next 1
  flush 3 demo/a:0-5            -> stored 0 bytes=5
  flush 3 demo/a:0-5            -> condemned
  flush 3 term=2                -> condemned
  condemn below=3 5             -> done
  flush 1 demo/a:0-5            -> condemned
  flush 5 demo/none:0-5         -> condemned
  flush 0                       -> condemned
  objects                       -> 3: 5 in 1, next 6
  flush 4                       -> stored none bytes=0
  objects                       -> 3: 5 in 1, 4: 0 in 0 since 1000, next 6
  `,
);

coldTable(
  "applyFlush() leaves out ranges that are gone, flushed, beyond the tail, off a boundary or too long",
  `
  put demo/a body=hello
  post demo/a body=world
  put demo/j json=[1,22,333]
  flush 1 demo/none:0-5         -> stored none bytes=0
  flush 2 demo/a~f.3.9:0-5      -> stored none bytes=0
  flush 3 demo/a:5-10           -> stored none bytes=0
  flush 4 demo/a:0-4            -> stored none bytes=0
  flush 5 demo/a:0-11           -> stored none bytes=0
  flush 6 demo/a:0-0            -> stored none bytes=0
  flush 7 len=4 demo/a:0-5      -> stored none bytes=0
  flush 8 demo/a:0-5@996        -> stored none bytes=0
  flush 9 demo/j:0-3            -> stored none bytes=0
  hot                           -> 19
  flush 10 demo/a:0-5 demo/a:0-5 demo/j:0-2 demo/j:2-5 demo/a:5-10 -> stored 0,2,3,4 bytes=15
  hot                           -> 4
  flush 11 demo/a:0-5           -> stored none bytes=0
  read demo/a start             -> 0..10 "helloworld" up-to-date
  read demo/j start             -> 0..9 "1,22,333," up-to-date
  pieces demo/j 0               -> 0..9 10@200+0 0..2, 10@300+0 2..5, hot 4
  delete demo/a
  put demo/a body=again
  flush 12 demo/a~f.3.2:0-5     -> stored none bytes=0
  `,
);

coldTable(
  "applyFlush() takes exactly what a row of lengths leaves room for",
  `
  put demo/j json=[1,22,333]
  flush 1 len=11 demo/j:0-9     -> stored none bytes=0
  flush 2 len=12 demo/j:0-9     -> stored 0 bytes=9
  objects                       -> 1: 0 in 0 since 1000, 2: 12 in 1, next 3
  pieces demo/j 0               -> 0..9 2@0+3 0..9
  pieces demo/j 2               -> 2..9 2@0+3 2..9 starts?
  pieces demo/j 0 max=8         -> 0..9 2@0+3 0..9 ends?
  read demo/j 2                 -> 2..9 "22,333," up-to-date
  read demo/j 3                 -> refused offset_not_boundary tail=9
  read demo/j 0 max=8           -> 0..5 "1,22,"
  read demo/j 2 max=1           -> 2..5 "22,"
  post demo/j json=[4444]       -> appended tail=14
  read demo/j 5                 -> 5..14 "333,4444," up-to-date
  read demo/j 5 max=8           -> 5..9 "333,"
  read demo/j 9                 -> 9..14 "4444," up-to-date
  read demo/j 14                -> 14..14 "" up-to-date
  `,
);

coldTable(
  "settleRead() cuts text between code points, and bytes anywhere",
  `
  put demo/t body=a\u00e9\u20ac\u{1f600}z
  put demo/b type=bytes body=abcdef
  drain                         -> stored 0,1 bytes=17
  read demo/t start max=1       -> 0..1 "a"
  read demo/t start max=2       -> 0..1 "a"
  read demo/t start max=3       -> 0..3 "a\u00e9"
  read demo/t start max=5       -> 0..3 "a\u00e9"
  read demo/t 3 max=1           -> 3..6 "\u20ac"
  read demo/t 6 max=0           -> 6..10 "\u{1f600}"
  read demo/t 6 max=5           -> 6..11 "\u{1f600}z" up-to-date
  read demo/b 0 max=4           -> 0..4 "abcd"
  read demo/b 2 max=0           -> 2..3 "c"
  `,
);

coldTable(
  "a fork reads its source's objects, and what its source flushes later",
  `
  put demo/s body=hello
  post demo/s body=world
  put demo/f from=demo/s at=5 sub=2 body=!!
  flush 1 demo/s:0-10           -> stored 0 bytes=10
  flush 2 demo/f:0-7            -> stored none bytes=0
  read demo/f start             -> 0..9 "hellowo!!" up-to-date
  read demo/f start max=6       -> 0..5 "hello"
  read demo/f start max=7       -> 0..7 "hellowo"
  read demo/f start max=8       -> 0..7 "hellowo"
  pieces demo/f 6               -> 6..9 1@0+2 6..7, hot 2
  put demo/g from=demo/f at=3 sub=2 body=?
  put demo/h from=demo/f at=3 sub=3 -> refused fork_sub_offset_invalid
  put demo/k from=demo/g at=1 sub=1
  read demo/g start             -> 0..6 "hello?" up-to-date
  read demo/k start             -> 0..2 "he" up-to-date
  objects                       -> 1: 12 in 1, 2: 0 in 0 since 1000, next 3
  delete demo/s
  flush 3 demo/f:7-9            -> stored 0 bytes=2
  objects                       -> 1: 12 in 1, 2: 0 in 0 since 1000, 3: 2 in 1, next 4
  delete demo/f
  delete demo/g
  now 50
  read demo/k start             -> 0..2 "he" up-to-date
  delete demo/k
  objects                       -> 1: 0 in 0 since 1050, 2: 0 in 0 since 1000, 3: 0 in 0 since 1050, next 4
  `,
);

coldTable(
  "a JSON fork's offsets are proven in objects and found across them",
  `
  put demo/s json=[1,22,333]
  post demo/s json=[4444,5]
  flush 1 demo/s:0-9            -> stored 0 bytes=9
  put demo/x type=json from=demo/s at=3   -> refused offset_not_boundary
  put demo/a type=json from=demo/s at=2   -> created tail=2
  put demo/b type=json from=demo/s at=2 sub=2 -> created tail=9
  put demo/c from=demo/s at=2 sub=3 json=[6] -> created tail=16
  put demo/d type=json from=demo/s at=2 sub=5 -> refused fork_sub_offset_invalid
  put demo/e type=json from=demo/s at=9 sub=1 -> created tail=14
  put demo/f type=json from=demo/c at=5 sub=3 -> created tail=16
  put demo/g type=json from=demo/c at=5 sub=4 -> refused fork_sub_offset_invalid
  read demo/f 5                 -> 5..16 "333,4444,6," up-to-date
  put demo/h type=json from=demo/s at=14 json=[77,8] -> created tail=19
  post demo/s json=[9]
  put demo/i type=json from=demo/h at=5 sub=3 -> created tail=17
  put demo/k type=json from=demo/h at=5 sub=5 -> refused fork_sub_offset_invalid
  `,
);

coldTable(
  "applyRepack() replaces references that still lie in its sources, and joins them",
  `
  put demo/a body=ab
  post demo/a body=cd
  post demo/a body=ef
  put demo/j json=[1,22]
  post demo/j json=[3]
  flush 1 demo/a:0-2 demo/j:0-5 -> stored 0,1 bytes=7
  flush 2 demo/a:2-4 demo/j:5-7 -> stored 0,1 bytes=4
  flush 3 demo/a:4-6            -> stored 0 bytes=2
  repack 2 from=1 demo/a:0-2    -> condemned
  repack 4 from=1 demo/a:0-4    -> stored none bytes=0
  repack 5 from=1,2 demo/a:0-3  -> stored none bytes=0
  repack 6 from=1,2 demo/a:1-4  -> stored none bytes=0
  repack 7 from=1,2 demo/none:0-4 demo/a~f.3.99:0-4 -> stored none bytes=0
  repack 8 from=1,2 len=100 demo/a:0-4@96 -> stored none bytes=0
  now 7
  repack 9 from=1,2 demo/a:0-4 demo/j:0-7 -> stored 0,1 bytes=11
  pieces demo/a 0               -> 0..6 9@0+2 0..4, 3@0+0 4..6
  pieces demo/j 0               -> 0..7 9@100+3 0..7
  read demo/a start             -> 0..6 "abcdef" up-to-date
  read demo/a start max=3       -> 0..2 "ab"
  read demo/j 2                 -> 2..7 "22,3," up-to-date
  repack 10 from=1,2 demo/a:0-4 -> stored none bytes=0
  condemn below=9               -> done
  discard 1 2 3 4 5 6 7 8       -> done
  objects                       -> 3: 2 in 1, 9: 16 in 2, 10: 0 in 0 since 1007, next 11
  `,
);

coldTable(
  "applyForget() drops notes of condemned objects without references alone",
  `
  put demo/a body=a
  flush 1 demo/a:0-1            -> stored 0 bytes=1
  flush 2
  discard 1 2 9                 -> done
  objects                       -> 1: 1 in 1, 2: 0 in 0 since 1000, next 3
  condemn 1 2                   -> done
  discard 1 2                   -> done
  objects                       -> 1: 1 in 1, next 3
  flush 2                       -> condemned
  delete demo/a
  discard 1                     -> done
  objects                       -> next 3
  flush 1                       -> condemned
  condemn below=8 12            -> done
  objects                       -> next 13
  flush 12                      -> condemned
  flush 7                       -> condemned
  flush 8                       -> stored none bytes=0
  `,
);

coldTable(
  "pinned bytes are read from memory until this replica has its own copy",
  `
  pins on
  put demo/a body=hello
  post demo/a body=world
  put demo/f from=demo/a at=5 sub=1
  flush 1 demo/a:0-10           -> stored 0 bytes=10
  pinned                        -> 1 bytes=10
  hot                           -> 0
  pieces demo/a 3               -> 3..10 hot
  read demo/a 3 max=3           -> 3..5 "lo"
  read demo/f start             -> 0..6 "hellow" up-to-date
  unpin 1
  pinned                        -> none bytes=0
  pieces demo/a 3               -> 3..10 1@0+2 3..10
  put demo/b body=x
  flush 2 demo/b:0-1            -> stored 0 bytes=1
  delete demo/b
  pinned                        -> 2 bytes=1
  condemn 2
  discard 2
  pinned                        -> none bytes=0
  `,
);

coldTable(
  "of a stream that is trimmed, and held by a fork, a flush keeps what either needs",
  `
  put demo/s body=aaaa
  put demo/f from=demo/s
  post demo/s body=bbbb
  post demo/s body=cccc
  publish 1 len=7 demo/s:8      -> published tail=12
  drain range=4                 -> stored 0,2 bytes=8
  read demo/f start             -> 0..4 "aaaa" up-to-date
  read demo/s 8                 -> 8..12 "cccc" up-to-date
  objects                       -> 1: 7 in 1, 2: 8 in 2, next 3
  `,
);

coldTable(
  "planFlush() takes the streams first that have waited longest, and begins anew with what is left",
  `
  put demo/a body=aaaa
  put demo/b body=bb
  put demo/c
  put demo/d json=[1,2,3]
  post demo/a body=AA
  drain max=6 range=4           -> stored 0,1 bytes=6
  pieces demo/a 0               -> 0..6 1@0+0 0..4, 1@4+0 4..6
  drain max=6 range=4           -> stored 0 bytes=2
  post demo/a body=x
  drain max=4 range=4           -> stored 0 bytes=4
  pieces demo/d 0               -> 0..6 3@0+2 0..4, hot 2
  drain                         -> stored 0,1 bytes=3
  drain                         -> done
  `,
);
