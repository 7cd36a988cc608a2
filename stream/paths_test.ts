import { table } from "./testing/table_test.ts";

table(
  "applyReserve() keeps a path free, and its link moves every request",
  `
  reserve demo/p 7 deadline=2000  -> reserved 2
  reserve demo/p 7                -> refused path_reserved
  put demo/p                      -> refused path_reserved
  post demo/p body=x              -> refused stream_not_found
  delete demo/p                   -> refused stream_not_found
  find demo/p                     -> moved 7 2 reserved
  read demo/p start               -> moved 7 2 reserved
  reservations                    ->
  link demo/p 1                   -> done
  find demo/p                     -> moved 7 2 reserved
  now 1001
  reservations                    -> demo/p 7 2
  link demo/p 2                   -> done
  link demo/p 2                   -> done
  reservations                    ->
  find demo/p                     -> moved 7 2 linked
  read demo/p start               -> moved 7 2 linked
  put demo/p                      -> moved 7 2 linked
  post demo/p body=x              -> moved 7 2 linked
  delete demo/p                   -> moved 7 2 linked
  reserve demo/p 8                -> moved 7 2 linked
  touch demo/p                    -> done
  expire demo/p                   -> done
  unlink demo/p 1                 -> done
  find demo/p                     -> moved 7 2 linked
  unlink demo/p 2                 -> done
  unlink demo/p 2                 -> done
  find demo/p                     -> refused stream_not_found
  reserve demo/p 8                -> reserved 19
  unlink demo/p 19                -> done
  put demo/p                      -> created tail=0
  reserve demo/p 8                -> refused stream_exists tail=0
  reserve none/p 8                -> refused bucket_not_found
  `,
);

table(
  "applyCreate() makes a fork with a reservation until its deadline, and remembers to unlink it",
  `
  put demo/s body=abc
  put demo/f from=demo/s reservation=9/50/1000 -> created tail=3
  put demo/f from=demo/s reservation=9/50/1000 -> existed tail=3
  put demo/f from=demo/s reservation=9/50/0    -> existed tail=3
  put demo/f from=demo/s                       -> existed tail=3
  put demo/f from=demo/s reservation=9/51/1000 -> refused stream_exists tail=3
  put demo/f reservation=9/50/0                -> refused stream_exists tail=3
  now 1
  put demo/g from=demo/s reservation=9/60/1000 -> refused fork_too_late
  put demo/g reservation=9/60/0                -> refused fork_too_late
  put demo/h from=demo/f reservation=9/70/2000 -> created tail=3
  errands                                      ->
  # Hidden is not ended.
  delete demo/f                                -> deleted
  errands                                      ->
  delete demo/h                                -> deleted
  errands                                      -> demo/h 9 70, demo/f 9 50
  put demo/h from=demo/s reservation=9/70/9999 -> refused fork_too_late
  forget demo/h 69                             -> done
  errands                                      -> demo/h 9 70, demo/f 9 50
  forget demo/h 70                             -> done
  forget demo/h 70                             -> done
  errands                                      -> demo/f 9 50
  put demo/f from=demo/s ttl=1 reservation=9/80/9999 -> created tail=3
  now 2000
  expire demo/f                                -> done
  errands                                      -> demo/f 9 50, demo/f 9 80
  `,
);
