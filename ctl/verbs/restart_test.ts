import assert from "node:assert/strict";
import { fillIn } from "./restart.ts";

const address = (host: string, httpUrl = "http://10.0.0.2:4437") => ({
  id: 2,
  host,
  httpUrl,
  adminUrl: "",
});

Deno.test("fillIn() fills placeholders in, and leaves other braces alone", () => {
  assert.equal(
    fillIn(
      "ssh {host} 'systemctl restart ursula@{node_id}' # {http_url} ${A} {b}",
      2,
      address("b"),
    ),
    "ssh b 'systemctl restart ursula@2' # http://10.0.0.2:4437 ${A} {b}",
  );
});

Deno.test("fillIn() quotes what a shell would not take as it is", () => {
  assert.equal(fillIn("a {host}", 2, address("[::1]")), "a '[::1]'");
  assert.equal(fillIn("a {host}", 2, address("x'; rm y")), `a 'x'\\''; rm y'`);
});
