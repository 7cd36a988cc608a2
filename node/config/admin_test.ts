import assert from "node:assert/strict";
import { configFromInput } from "./mod.ts";
import { adminObstacle } from "./admin.ts";
import { hostNames } from "./host_names.ts";
import type { ConfigInput } from "./types.ts";

function listens(input: ConfigInput): string {
  const { hostname, port } = configFromInput(input, { cores: 1 }).adminListen;
  return `${hostname} ${port}`;
}

Deno.test("the admin plane listens on loopback, one port above clients, unless told otherwise", () => {
  const rows: [input: ConfigInput, listens: string][] = [
    [{}, "127.0.0.1 4438"],
    [{ listen: "0.0.0.0:5000" }, "127.0.0.1 5001"],
    [{ listen: "10.0.0.1:4437" }, "127.0.0.1 4438"],
    [{ listen: "127.0.0.2:4437" }, "127.0.0.2 4438"],
    [{ listen: "[::1]:4437" }, "::1 4438"],
    [{ listen: "localhost:0" }, "localhost 0"],
    [{ listen: "10.0.0.1:65535", adminListen: "127.0.0.1:9" }, "127.0.0.1 9"],
    [{ adminListen: { hostname: "::1", port: 0 } }, "::1 0"],
  ];
  for (const [input, expected] of rows) assert.equal(listens(input), expected);
});

Deno.test("the admin plane is refused a port that is none, and an address that is not loopback", () => {
  assert.throws(
    () => listens({ listen: "127.0.0.1:65535" }),
    /--listen with port 65535 needs --admin-listen: 65536 is no port/,
  );
  for (const address of ["0.0.0.0:4438", "[::]:4438", "10.0.0.1:0", "ursula.example:4438"]) {
    assert.throws(
      () => listens({ adminListen: address }),
      /admin plane can't listen on .*loopback/,
    );
  }
  assert.equal(adminObstacle({ hostname: "0.0.0.0", port: 1 }, true), undefined, "with tokens");
});

Deno.test("hostNames reads names parted by commas, in lower case", () => {
  assert.deepEqual(hostNames.read("Ursula-1, b.Example"), ["ursula-1", "b.example"]);
  assert.deepEqual(hostNames.read(["A"]), ["a"]);
  assert.deepEqual(hostNames.read(""), []);
  for (const wrong of ["a,,b", "a b", "http://a", "a:1", "*", [1], 1, { a: 1 }]) {
    assert.equal(hostNames.read(wrong), undefined, JSON.stringify(wrong));
  }
});
