/** ursulactl's data plane against a real node. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { serverFixture } from "../server.ts";
import { ctl, ctlJson, type CtlOptions, type CtlResult } from "./ctl.ts";
import { brokenOff, deadUrl, Front } from "./front.ts";

const server = serverFixture({ memory: true });
const MAIN = fileURLToPath(new URL("../../ctl/mod.ts", import.meta.url));
const JSON_TYPE = "application/json";

/** A verb on the node itself. */
function run(verb: string, name: string, args: string[] = [], options: CtlOptions = {}) {
  return ctl([verb, name, "--url", server().url, ...args], options);
}

/** Standard output of a run that must end with 0. */
async function printed(running: Promise<CtlResult>): Promise<string> {
  const { code, stdout, stderr } = await running;
  assert.equal(code, 0, stderr);
  return stdout;
}

async function appended(name: string, stdin: string, ...args: string[]): Promise<string> {
  return await printed(run("append", name, ["--create", ...args], { stdin }));
}

Deno.test("append and cat keep every byte, of messages larger than an answer too", async () => {
  const text = Array.from({ length: 700_000 }, (_, at) => at).join(" ");
  const next = await appended("/demo/large", text, "--content-type", "text/plain");
  assert.equal(Number(next), text.length);
  assert.equal(await printed(run("cat", "/demo/large")), text);
  assert.equal(await printed(run("cat", "demo/large", ["--from", "699990"])), text.slice(699_990));
});

Deno.test("append --lines makes a message of each line", async () => {
  await appended("/demo/lines", "a\n\nb\nc", "--lines", "--content-type", "text/plain");
  assert.equal(await printed(run("cat", "/demo/lines")), "a\n\nb\nc");
  const { headers, body } = await fetch(`${server().url}/demo/lines/bootstrap`);
  const boundary = /boundary="?([^";]+)/.exec(headers.get("content-type") ?? "")?.[1] ?? "";
  const parts = (await new Response(body).text()).split(`--${boundary}`);
  // One for the snapshot that there is not, and what stands around them.
  assert.equal(parts.length - 3, 4);
});

Deno.test("append --lines keeps every digit of JSON, and makes one message of an array", async () => {
  const lines = '{"a":12345678901234567890}\n\n[1,[2]]\n1.0\n';
  for (const args of [["--lines"], ["--lines", "--batch"]]) {
    const name = `/demo/json${args.length}`;
    await appended(name, lines, ...args, "--content-type", JSON_TYPE);
    assert.equal(await printed(run("cat", name)), '{"a":12345678901234567890}\n[1,[2]]\n1.0\n');
  }
  const { code, stderr } = await run("append", "/demo/json1", ["--lines"], { stdin: "1\n2,3\n" });
  assert.equal(code, 1);
  assert.equal(stderr, "ursulactl: append: failed: after 0 lines: line 2 is no JSON value\n");
});

Deno.test("append says what is wrong", async () => {
  const rows: [args: string[], stdin: string, message: RegExp][] = [
    [["/demo/absent"], "a", /^ursulactl: append: failed: there is no such stream$/m],
    [["/demo/lines"], "", /failed: standard input is empty/],
    [["/demo/lines", "--content-type", "a/b"], "a", /failed: Content-Type differs/],
    [["/demo/lines", "--batch"], "a", /usage: --batch goes with --lines/],
    [["/demo"], "a", /usage: expected a stream such as/],
  ];
  for (const [[name = "", ...args], stdin, message] of rows) {
    const { code, stderr } = await run("append", name, args, { stdin });
    assert.equal(code, 1);
    assert.match(stderr, message);
    assert.equal(stderr.trimEnd().split("\n").length, 1);
  }
  const { stderr } = await ctl(["append", "/demo/a", "--config", "-"]);
  assert.match(stderr, /give --config a file/);
});

Deno.test("append appends once when its answer is lost", async () => {
  await appended("/demo/once", "first", "--content-type", "text/plain");
  let lost = 0;
  await using front = new Front(server().url, async (request, pass) => {
    const response = await pass();
    if (request.method !== "POST" || lost++ % 3 === 2) return response;
    await response.body?.cancel();
    return Response.json({ error: { code: "outcome_unknown", message: "" } }, { status: 503 });
  });
  const urls = ["--url", deadUrl(), "--url", front.url];
  const { code } = await ctl(["append", "/demo/once", "--lines", ...urls], { stdin: "a\nb\nc\n" });
  assert.equal(code, 0);
  assert.equal(await printed(run("cat", "/demo/once")), "firsta\nb\nc\n");
  assert.equal(lost, 9);
});

Deno.test("append --batch does not repeat what may be there, and says so", async () => {
  await appended("/demo/unsure", "0", "--content-type", "text/plain");
  await using front = new Front(server().url, async (request, pass) => {
    const response = await pass();
    return request.method === "POST" ? await brokenOff(response, 0) : response;
  });
  const args = ["append", "/demo/unsure", "--lines", "--batch", "--url", front.url];
  const { code, stderr } = await ctl(args, { stdin: "1\n2\n" });
  assert.equal(code, 1);
  assert.match(stderr, /append: failed: after 0 lines: lines 1 to 2 may be there or not/);
  assert.equal(await printed(run("cat", "/demo/unsure")), "01\n2\n");
});

Deno.test("append goes on when others have taken the producers' names", async () => {
  await appended("/demo/names", "0", "--content-type", "text/plain");
  await Promise.all(Array.from({ length: 64 }, async (_, at) => {
    const headers = {
      "content-type": "text/plain",
      "producer-id": `ursulactl-${at}`,
      "producer-epoch": String((Date.now() + 1e6) * 1_024),
      "producer-seq": "0",
    };
    const url = `${server().url}/demo/names`;
    const { status, body } = await fetch(url, { method: "POST", headers, body: "x" });
    assert.equal(status, 200);
    await body?.cancel();
  }));
  await appended("/demo/names", "end");
  assert.match(await printed(run("cat", "/demo/names")), /^0x{64}end$/);
});

Deno.test("cat goes on where an answer broke off", async () => {
  const lines = Array.from({ length: 500 }, (_, at) => `{"n":${at}}\n`).join("");
  await appended("/demo/broken-json", lines, "--lines", "--content-type", JSON_TYPE);
  await appended("/demo/broken-text", lines, "--content-type", "text/plain");
  for (const name of ["/demo/broken-json", "/demo/broken-text"]) {
    let breaks = 0;
    await using front = new Front(server().url, async (_, pass) => {
      const response = await pass();
      return ++breaks % 2 === 1 ? await brokenOff(response, 777) : response;
    });
    assert.equal(await printed(ctl(["cat", name, "--url", front.url])), lines);
    assert.equal(breaks, 2);
  }
});

Deno.test("cat ends quietly when nobody reads on", async () => {
  const { code, stderr } = await run("cat", "/demo/large", [], { breaksAfterBytes: 100_000 });
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
});

Deno.test("cat says where a trimmed stream begins", async () => {
  await appended("/demo/trimmed", "abcdef", "--content-type", "text/plain");
  await appended("/demo/trimmed", "ghi");
  const url = `${server().url}/demo/trimmed/snapshot/6`;
  const { status, body } = await fetch(url, { method: "PUT", body: "folded" });
  await body?.cancel();
  assert.equal(status, 204);
  const { code, stderr } = await run("cat", "/demo/trimmed");
  assert.equal(code, 1);
  assert.match(stderr, /Stream-Earliest-Offset is the first: 00000000000000000006$/m);
  assert.equal(await printed(run("cat", "/demo/trimmed", ["--from", "6"])), "ghi");
});

Deno.test("cat and tail print objects with --json", async () => {
  await appended("/demo/values", "[1.0]\n2\n", "--lines", "--content-type", JSON_TYPE);
  assert.equal(
    await printed(run("cat", "/demo/values", ["--json"])),
    '{"offset":0,"next_offset":6,"value":[1.0]}\n{"offset":6,"next_offset":8,"value":2}\n',
  );
  await appended("/demo/text", "a\n", "--content-type", "text/plain");
  assert.equal(
    await printed(run("cat", "/demo/text", ["--json"])),
    '{"offset":0,"next_offset":2,"text":"a\\n"}\n',
  );
});

Deno.test("tail prints what comes, and ends with 0 when it is interrupted", async () => {
  const follow = async (args: string[], enough: string) => {
    let interrupt = () => {};
    let seen = "";
    const running = run("tail", "/demo/tail", args, {
      onStart: (stop) => interrupt = stop,
      onOutput: (text) => {
        seen += text;
        if (seen.endsWith(enough)) interrupt();
      },
    });
    return await running;
  };
  await appended("/demo/tail", "old ", "--content-type", "text/plain");
  const following = [follow(["--from", "beginning"], "new"), follow(["--from", "2"], "new")];
  const late = follow([], "new");
  // Whoever begins now must know where before more comes.
  await new Promise((resolve) => setTimeout(resolve, 500));
  await appended("/demo/tail", "and ");
  await appended("/demo/tail", "new");
  const results = await Promise.all([...following, late]);
  assert.deepEqual(results.map(({ stdout }) => stdout), ["old and new", "d and new", "and new"]);
  for (const { code, stderr } of results) {
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  }
});

Deno.test("tail ends with the stream, and not with the node", async () => {
  await appended("/demo/closing", "1\n2\n", "--lines", "--content-type", JSON_TYPE);
  let asked = 0;
  await using front = new Front(server().url, async (_, pass) => {
    if (asked++ === 1) {
      return Response.json({ error: { code: "no_leader", message: "" } }, { status: 503 });
    }
    const response = await pass();
    return asked === 1 ? await brokenOff(response, 4) : response;
  });
  const args = ["tail", "/demo/closing", "--from", "beginning"];
  const running = ctl([...args, "--url", deadUrl(), "--url", front.url]);
  await appended("/demo/closing", "3\n", "--lines");
  const url = `${server().url}/demo/closing`;
  const { body } = await fetch(url, { method: "POST", headers: { "stream-closed": "true" } });
  await body?.cancel();
  assert.equal(await printed(running), "1\n2\n3\n");
});

Deno.test("tail fails when the stream is made anew", async () => {
  await appended("/demo/anew", "old", "--content-type", "text/plain");
  let seen = () => {};
  const printedOld = new Promise<void>((resolve) => seen = resolve);
  const running = run("tail", "/demo/anew", ["--from", "beginning"], { onOutput: () => seen() });
  await printedOld;
  const { body } = await fetch(`${server().url}/demo/anew`, { method: "DELETE" });
  await body?.cancel();
  await appended("/demo/anew", "new", "--content-type", "text/plain");
  const { code, stdout, stderr } = await running;
  assert.deepEqual({ code, stdout }, { code: 1, stdout: "old" });
  assert.match(stderr, /^ursulactl: tail: failed: (?:the stream was deleted|there is no such)/);
});

Deno.test("ls lists buckets and streams, page by page", async () => {
  for (const name of ["a", "b/c", "d e", "b/f"]) {
    await appended(`/listed/${name}`, "x", "--content-type", "text/plain");
  }
  let pages = 0;
  await using front = new Front(server().url, async (request, pass) => {
    pages++;
    const url = new URL(request.url);
    if (url.searchParams.has("limit")) return await pass();
    return await fetch(`${server().url}${url.pathname}${url.search}&limit=2`);
  });
  const at = ["--url", front.url];
  assert.match(await printed(ctl(["ls", ...at])), /^\/demo\n\/listed\n$/);
  pages = 0;
  const all = "/listed/a\n/listed/b/c\n/listed/b/f\n/listed/d e\n";
  assert.equal(await printed(ctl(["ls", "/listed", ...at])), all);
  assert.equal(pages, 2);
  assert.equal(await printed(ctl(["ls", "listed/b", ...at])), "/listed/b/c\n/listed/b/f\n");
  assert.match(
    await printed(ctl(["ls", "-l", "/listed/a", ...at])),
    /^open +1 {2}\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}text\/plain +\/listed\/a\n$/,
  );
  const stream = await ctlJson<{ stream_id: string }>(["ls", "/listed/d", ...at]);
  assert.equal(stream.stream_id, "d e");
  assert.equal(await printed(run("cat", "/listed/d e")), "x");
  assert.equal((await ctl(["ls", "/nowhere", ...at])).code, 1);
});

Deno.test("the program works in a pipe, and ends with 0 at Ctrl-C", async () => {
  const command = `${Deno.execPath()} run -A ${MAIN}`;
  const script = `
    seq 5 | ${command} append /demo/piped --create --lines --url "$URL"
    ${command} cat /demo/large --url "$URL" | head -c 7
    echo " \${PIPESTATUS[0]}"
    ${command} tail /demo/piped --from beginning --url "$URL" > "$OUT" & pid=$!
    until [ "$(wc -l < "$OUT")" = 5 ]; do sleep 0.05; done
    kill -INT $pid; wait $pid; echo "tail $?"
    ${command} cat /demo/absent --url "$URL"; echo "cat $?"`;
  const out = await Deno.makeTempFile();
  const { stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", script],
    env: { URL: server().url, OUT: out, NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder();
  assert.equal(text.decode(stdout), "00000000000000000010\n0 1 2 3 0\ntail 0\ncat 1\n");
  assert.equal(
    text.decode(stderr),
    "ursulactl: cat: failed: there is no such stream; create it with PUT\n",
  );
  assert.equal(await Deno.readTextFile(out), "1\n2\n3\n4\n5\n");
  await Deno.remove(out);
});
