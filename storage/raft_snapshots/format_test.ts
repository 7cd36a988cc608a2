/** Pins what lies on disk: when one of these fails, old RaftSnapshots can't be read any more. */

import assert from "node:assert/strict";
import {
  decodeHeader,
  encodeFooter,
  encodeGapHead,
  encodeHeader,
  FOOTER_BYTES,
  FORMAT_VERSION,
  FORMAT_VERSION_MIN,
  FRAME_BYTES_MAX,
  FRAME_HEAD_BYTES,
  frameHead,
  HEADER_BYTES,
  META_BYTES_MAX,
  putFrameHead,
} from "./format.ts";

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

Deno.test("versions and sizes on disk stay as they are", () => {
  assert.deepEqual([FORMAT_VERSION_MIN, FORMAT_VERSION], [1, 2]);
  assert.deepEqual([HEADER_BYTES, FRAME_HEAD_BYTES, FOOTER_BYTES], [36, 8, 16]);
  assert.deepEqual([FRAME_BYTES_MAX, META_BYTES_MAX], [262_144, 65_536]);
});

Deno.test("encodeHeader() lays a header down like this", () => {
  const header = { group: 7, index: 2 ** 40 + 5, term: 9 };
  const bytes = encodeHeader(header, new Uint8Array([1, 2, 3]));
  assert.equal(
    hex(bytes),
    "55727353cf92093f02000000070000000500000000010000090000000000000003000000010203",
  );
  assert.deepEqual(decodeHeader(bytes), { version: 2, ...header });
  for (let at = 4; at < bytes.length; at++) {
    const rotten = bytes.slice();
    rotten[at] = (rotten[at] ?? 0) ^ 4;
    assert.equal(decodeHeader(rotten), undefined, `byte ${at}`);
  }
});

Deno.test("frames, gaps and the footer begin like this", () => {
  const frame = new Uint8Array([...new Uint8Array(8), 1, 2, 3]);
  putFrameHead(frame, 0, 3);
  assert.equal(hex(frame), "030000001d80bc55010203");
  assert.equal(hex(encodeGapHead(300)), "feffffff2c010000");
  assert.equal(hex(encodeFooter(300)), "ffffffffc4a38c6d2c01000000000000");
  const kinds = [frame, encodeGapHead(300), encodeFooter(300)].map((bytes) => {
    const { length, isFooter, gap } = frameHead(bytes);
    return isFooter ? "footer" : gap === undefined ? `frame of ${length}` : `gap of ${gap}`;
  });
  assert.deepEqual(kinds, ["frame of 3", "gap of 300", "footer"]);
});
