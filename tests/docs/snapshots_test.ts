import assert from "node:assert/strict";
import { SharedDocument } from "../../docs/examples/shared_document.ts";
import { createNode } from "../../http/embed.ts";

const PAGE = new URL("../../docs/snapshots.md", import.meta.url);
const EXAMPLE = new URL("../../docs/examples/shared_document.ts", import.meta.url);

Deno.test("docs/snapshots.md shows the example as it is", async () => {
  const lines = (text: string) => text.split("\n").map((line) => line.trim()).join("\n");
  const code = lines(await Deno.readTextFile(EXAMPLE));
  const page = await Deno.readTextFile(PAGE);
  const blocks = Array.from(page.matchAll(/^```ts\n([\s\S]*?)^```$/gm), (match) => match[1] ?? "");
  assert.ok(blocks.length > 0);
  for (const block of blocks) assert.ok(code.includes(lines(block)), block);
});

async function statusOf(url: string, init?: RequestInit): Promise<number> {
  const { status, body } = await fetch(url, init);
  await body?.cancel();
  return status;
}

Deno.test("the shared document of docs/snapshots.md opens from its snapshot", async () => {
  const node = await createNode({ raftMemory: true, cores: 1, logLevel: "error" });
  try {
    const address = await node.listen({ hostname: "127.0.0.1", port: 0 });
    const bucket = `${address.url}/documents`;
    const url = `${bucket}/minutes`;
    assert.equal(await statusOf(bucket, { method: "PUT" }), 201);
    const headers = { "content-type": "application/json" };
    assert.equal(await statusOf(url, { method: "PUT", headers }), 201);

    const writer = await SharedDocument.open(url);
    const late = await SharedDocument.open(url);
    for (let edit = 0; edit < 2_500; edit += 100) {
      const edits = Array.from({ length: 100 }, (_, at) => ({
        field: `line ${(edit + at) % 50}`,
        value: `as of edit ${edit + at}`,
      }));
      await writer.edit(...edits);
      await writer.catchUp();
    }
    const head = await fetch(url, { method: "HEAD" });
    assert.ok(Number(head.headers.get("stream-snapshot-offset")) > 0);
    assert.equal(await statusOf(url), 410);

    const reader = await SharedDocument.open(url);
    assert.deepEqual([...reader.fields].sort(), [...writer.fields].sort());
    assert.equal(reader.fields.get("line 49"), "as of edit 2499");
    const tail = Number(head.headers.get("stream-next-offset"));
    assert.ok(reader.bytesRead < tail / 3, `${reader.bytesRead} of ${tail}`);
    await late.catchUp();
    assert.deepEqual([...late.fields].sort(), [...writer.fields].sort());
  } finally {
    await node.close();
  }
});
