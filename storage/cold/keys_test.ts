import assert from "node:assert/strict";
import fc from "fast-check";
import {
  checkedKey,
  formationPrefix,
  groupPrefix,
  isKey,
  isPrefix,
  objectKey,
  objectNameOf,
} from "./keys.ts";

const NAME = { formation: "0123abcd", group: 7, number: 42, term: 3 };

Deno.test("objectKey() stays as it is", () => {
  assert.equal(objectKey(NAME), "0123abcd/7/000000000042-3.object");
  assert.equal(groupPrefix(NAME), "0123abcd/7/");
  assert.equal(formationPrefix("0123abcd"), "0123abcd/");
  const most = { formation: "f", group: 1023, number: 2 ** 53 - 1, term: 2 ** 53 - 1 };
  assert.equal(objectKey(most), "f/1023/9007199254740991-9007199254740991.object");
});

Deno.test("objectNameOf() reads what objectKey() made", () => {
  const names = fc.record({
    formation: fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,40}$/),
    group: fc.nat(65_535),
    number: fc.maxSafeNat(),
    term: fc.maxSafeNat(),
  });
  fc.assert(fc.property(names, (name) => {
    const key = objectKey(name);
    assert.ok(isKey(key));
    assert.deepEqual(objectNameOf(key), { ...name });
  }));
});

Deno.test("objectNameOf() is undefined when a key is of another form", () => {
  const others = [
    "0123abcd/7/42-3.object",
    "0123abcd/07/000000000042-3.object",
    "0123abcd/7/000000000042-03.object",
    "0123abcd/7/0000000000042-3.object",
    "0123abcd/7/000000000042-3.object.new",
    "0123abcd/7/x/000000000042-3.object",
    "7/000000000042-3.object",
    "ABC/7/000000000042-3.object",
    "",
  ];
  for (const key of others) assert.equal(objectNameOf(key), undefined, key);
});

Deno.test("groupPrefix() is a prefix of its own group's keys alone", () => {
  const pairs = fc.tuple(fc.nat(2_000), fc.nat(2_000), fc.maxSafeNat());
  fc.assert(fc.property(pairs, ([group, other, number]) => {
    const prefix = groupPrefix({ formation: "f1", group });
    assert.ok(isPrefix(prefix));
    const key = objectKey({ formation: "f1", group: other, number, term: 1 });
    assert.equal(key.startsWith(prefix), group === other);
    assert.ok(!objectKey({ formation: "f11", group, number, term: 1 }).startsWith(prefix));
  }));
});

Deno.test("keys and prefixes never lead out of their folder", () => {
  const wrong = ["", "..", "../x.object", "a/../x.object", "/x.object", "a//x.object", "a/.x"];
  for (const key of [...wrong, "a/.incoming/x.object", "A/x.object", "a/x", "a/x.", "a/x.y/z"]) {
    assert.ok(!isKey(key), key);
    assert.throws(() => checkedKey(key), RangeError);
  }
  for (const prefix of ["a", "/", "a//", "../", "a/../", ".incoming/", "a.b/"]) {
    assert.ok(!isPrefix(prefix), prefix);
  }
  assert.ok(isPrefix("") && isPrefix("a/") && isPrefix("a/b-c_d/"));
  for (const formation of ["", "..", "a/b", "a.b", "x".repeat(65)]) {
    assert.throws(() => groupPrefix({ formation, group: 1 }), RangeError, formation);
  }
  for (const group of [-1, 1.5, NaN]) {
    assert.throws(() => groupPrefix({ formation: "f", group }), RangeError);
  }
});
