import assert from "node:assert/strict";
import { SLAB_BYTES } from "./format.ts";
import { MemoryLog } from "./memory_log.ts";

Deno.test("MemoryLog.reserve() gives room that nobody else has, and flush() nothing to wait for", () => {
  const log = new MemoryLog();
  const spaces = [10, 0, SLAB_BYTES - 5, 20, 3 * SLAB_BYTES, 7, 600_000, 8].map((length, at) => {
    const space = log.reserve(length);
    assert.equal(space.end - space.start, length);
    space.slab.bytes.fill(at + 1, space.start, space.end);
    log.sealEntry(space, 0, at + 1, 1, "command");
    return space;
  });
  for (const [at, { slab, start, end }] of spaces.entries()) {
    assert.ok(slab.bytes.subarray(start, end).every((byte) => byte === at + 1), `space ${at}`);
  }
  assert.equal(spaces[0]?.slab, spaces[3]?.slab, "a large payload leaves the slab in use");
  assert.equal(log.flush(), undefined);
});
