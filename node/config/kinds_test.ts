import assert from "node:assert/strict";
import fc from "fast-check";
import {
  choice,
  corsOrigin,
  duration,
  hostPort,
  integer,
  onOff,
  path,
  size,
  webUrl,
} from "./kinds.ts";

const anyDuration = duration(0, Number.MAX_SAFE_INTEGER);
const anySize = size(0, Number.MAX_SAFE_INTEGER);

Deno.test("duration() reads units and bare milliseconds", () => {
  const rows: [unknown, number | undefined][] = [
    ["500ms", 500],
    ["20s", 20_000],
    ["5m", 300_000],
    ["1h", 3_600_000],
    ["250", 250],
    [250, 250],
    ["1.5s", undefined],
    ["-1s", undefined],
    ["5 m", undefined],
    ["5M", undefined],
    ["5d", undefined],
    ["", undefined],
    [1.5, undefined],
    [true, undefined],
    ["constructor", undefined],
    ["1constructor", undefined],
  ];
  for (const [raw, ms] of rows) assert.equal(anyDuration.read(raw), ms, String(raw));
});

Deno.test("size() reads units and bare bytes", () => {
  const rows: [unknown, number | undefined][] = [
    ["64KiB", 65_536],
    ["8MiB", 8_388_608],
    ["1GiB", 1_073_741_824],
    ["12B", 12],
    ["12", 12],
    ["1KB", undefined],
    ["1kib", undefined],
  ];
  for (const [raw, bytes] of rows) assert.equal(anySize.read(raw), bytes, String(raw));
});

Deno.test("duration() and size() take back what they write", () => {
  fc.assert(fc.property(fc.maxSafeNat(), (value) => {
    assert.equal(anyDuration.read(anyDuration.write(value)), value);
    assert.equal(anySize.read(anySize.write(value)), value);
  }));
  assert.equal(anyDuration.write(90_000), "90s");
  assert.equal(anySize.write(32 * 2 ** 20), "32MiB");
});

Deno.test("duration(), size() and integer() keep to their bounds", () => {
  assert.equal(duration(1000, 2000).read("999ms"), undefined);
  assert.equal(duration(1000, 2000).read("1s"), 1000);
  assert.equal(size(1, 10).read("11B"), undefined);
  assert.deepEqual(["1", "4", "5", "0", "x", "2KiB"].map((raw) => integer(1, 4).read(raw)), [
    1,
    4,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("hostPort reads names, IPv4 and bracketed IPv6", () => {
  assert.deepEqual(hostPort.read("127.0.0.1:4437"), { hostname: "127.0.0.1", port: 4437 });
  assert.deepEqual(hostPort.read("[::1]:0"), { hostname: "::1", port: 0 });
  assert.deepEqual(hostPort.read({ hostname: "::1", port: 1 }), { hostname: "::1", port: 1 });
  assert.equal(hostPort.write({ hostname: "::1", port: 80 }), "[::1]:80");
  const refused = [
    "4437",
    ":4437",
    "host",
    "host:",
    "host:x",
    "host:65536",
    "::1:80",
    "http://a:1",
  ];
  for (const raw of [...refused, { hostname: "a b", port: 1 }, { hostname: "a", port: -1 }, null]) {
    assert.equal(hostPort.read(raw), undefined, JSON.stringify(raw));
  }
});

Deno.test("corsOrigin reads everybody, nobody and lists", () => {
  assert.equal(corsOrigin.read("*"), "*");
  assert.equal(corsOrigin.read("off"), "off");
  assert.deepEqual(corsOrigin.read("https://a.example, http://localhost:3000"), [
    "https://a.example",
    "http://localhost:3000",
  ]);
  assert.deepEqual(corsOrigin.read(["https://a.example"]), ["https://a.example"]);
  for (const raw of ["", "a.example", "https://a.example/", "ftp://a", "https://a,*", [], [1], 1]) {
    assert.equal(corsOrigin.read(raw), undefined, JSON.stringify(raw));
  }
});

Deno.test("onOff, choice() and path take what they name alone", () => {
  assert.deepEqual(["on", "off", true, false].map(onOff.read), [true, false, true, false]);
  assert.deepEqual(["yes", 1, ""].map(onOff.read), [undefined, undefined, undefined]);
  assert.equal(choice(["a", "b"]).read("b"), "b");
  assert.equal(choice(["a", "b"]).read("c"), undefined);
  assert.equal(path.read("./x y"), "./x y");
  assert.deepEqual(["", "a\0b", 1].map(path.read), [undefined, undefined, undefined]);
});

Deno.test("webUrl takes where a server is, and nothing that it would not be asked with", () => {
  for (const good of ["http://10.0.0.9:9000", "https://s3.example", "https://s3.example/base"]) {
    assert.equal(webUrl.read(good), good);
  }
  const bad = ["s3.example", "s3://b", "http://u:p@a", "http://a/?x=1", "http://a/#b", "", 5];
  for (const raw of bad) assert.equal(webUrl.read(raw), undefined, String(raw));
});
