import assert from "node:assert/strict";
import fc from "fast-check";
import { JSON_DEPTH_MAX, normalizedBytesMax, normalizeJson } from "./json.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function run(input: Uint8Array | string, flatten = true, messagesMax = Infinity) {
  const bytes = typeof input === "string" ? encoder.encode(input) : input;
  const output = new Uint8Array(3 + normalizedBytesMax(bytes.length));
  const result = normalizeJson(bytes, output, 3, { flatten, messagesMax });
  if ("fault" in result) return result;
  const text = decoder.decode(output.subarray(3, 3 + result.written));
  const messages: string[] = [];
  let at = 0;
  const stored = encoder.encode(text);
  for (const length of result.lengths) {
    assert.equal(stored[at + length - 1], 0x2c);
    messages.push(decoder.decode(stored.subarray(at, at + length - 1)));
    at += length;
  }
  assert.equal(at, stored.length);
  return messages;
}

Deno.test("normalizeJson() stops at one message more than there may be", () => {
  assert.deepEqual(run("[1,2,3]", true, 3), ["1", "2", "3"]);
  const tooMany = { fault: "expected no more elements", tooMany: true };
  assert.deepEqual(run("[1,2,3]", true, 2), { ...tooMany, position: 6 });
  assert.deepEqual(run("[1,2,3,nonsense", true, 2), { ...tooMany, position: 7 });
  assert.deepEqual(run("[1,[2,3,4,5]]", true, 2), ["1", "[2,3,4,5]"]);
  assert.deepEqual(run("[1]", true, 0), { ...tooMany, position: 2 });
  assert.deepEqual(run("[]", true, 0), []);
});

Deno.test("normalizeJson() flattens one level and keeps the client's bytes when valid", () => {
  const rows: [string, string[]][] = [
    ["1", ["1"]],
    [' {"a" : [1, 2] }\n', ['{"a":[1,2]}']],
    ["[]", []],
    [" [ ] ", []],
    ["[[]]", ["[]"]],
    ["[{},[],0]", ["{}", "[]", "0"]],
    ["[[1,2],[3,4]]", ["[1,2]", "[3,4]"]],
    ["[[[1,2,3]]]", ["[[1,2,3]]"]],
    ["[12345678901234567890, 1.0, -0, 1E+2, 0.5e-3]", [
      "12345678901234567890",
      "1.0",
      "-0",
      "1E+2",
      "0.5e-3",
    ]],
    ['{"b":1,"a":2,"b":3}', ['{"b":1,"a":2,"b":3}']],
    ['"a b\\u00e9\\ud800 é€😀\\n"', ['"a b\\u00e9\\ud800 é€😀\\n"']],
    ["[true,false,null]", ["true", "false", "null"]],
    ['{"k"\t: "v" , "l":{ } }', ['{"k":"v","l":{}}']],
  ];
  for (const [input, messages] of rows) assert.deepEqual(run(input), messages, input);
  assert.deepEqual(run("[1, 2]", false), ["[1,2]"]);
  assert.deepEqual(run("[]", false), ["[]"]);
});

Deno.test("normalizeJson() says where it stopped when the input is no JSON", () => {
  const rows: [string, number][] = [
    ["", 0],
    [" ", 1],
    ["[1,]", 3],
    ["[1", 2],
    ["[,1]", 1],
    ["{,}", 1],
    ['{"a"}', 4],
    ['{"a":}', 5],
    ['{"a":1,}', 7],
    ["{1:2}", 1],
    ["1 2", 2],
    ["[1] 2", 4],
    ["[1],", 3],
    ["01", 1],
    ["-", 1],
    ["1.", 2],
    ["1e", 2],
    ["+1", 0],
    [".5", 0],
    ["tru", 3],
    ["trux", 3],
    ["nul]", 3],
    ["NaN", 0],
    ["'a'", 0],
    ['"a', 2],
    ['"\\x"', 2],
    ['"\\u12g4"', 5],
    ['"a\u0001"', 2],
    ["[1}", 2],
    ['{"a":1]', 6],
    ["\ufeff1", 0],
    ["]", 0],
    ["1\u00a0", 1],
    ["\u000b1", 0],
  ];
  for (const [input, position] of rows) {
    const result = run(input);
    assert.ok("fault" in result, `${JSON.stringify(input)} was taken`);
    assert.equal(result.position, position, `${JSON.stringify(input)}: ${result.fault}`);
  }
});

Deno.test("normalizeJson() refuses bytes that are no UTF-8", () => {
  const rows = [
    [0x80],
    [0xc0, 0x80],
    [0xc3],
    [0xe0, 0x80, 0x80],
    [0xed, 0xa0, 0x80],
    [
      0xf0,
      0x80,
      0x80,
      0x80,
    ],
    [0xf4, 0x90, 0x80, 0x80],
    [0xf8, 0x88, 0x80, 0x80, 0x80],
    [0xff],
    [0xe2, 0x82],
  ];
  for (const bad of rows) {
    const result = run(Uint8Array.from([0x22, 0x61, ...bad, 0x22]));
    assert.ok("fault" in result);
    assert.equal(result.position, 2);
  }
});

Deno.test("normalizeJson() bounds nesting", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  assert.deepEqual(run(nested(JSON_DEPTH_MAX)), [nested(JSON_DEPTH_MAX - 1)]);
  assert.ok("fault" in run(nested(JSON_DEPTH_MAX + 1)));
  assert.ok("fault" in run('{"a":'.repeat(JSON_DEPTH_MAX + 1)));
});

Deno.test("normalizeJson() takes a body of a million messages", () => {
  const messages = run(`[${"1,".repeat(999_999)}1]`);
  assert.equal((messages as string[]).length, 1_000_000);
});

/** What `JSON.parse` makes of it, as the messages would be; undefined where it refuses. */
function reference(bytes: Uint8Array): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    return Array.isArray(value) ? value : [value];
  } catch {
    return undefined;
  }
}

function agree(bytes: Uint8Array): void {
  const expected = reference(bytes);
  const result = run(bytes);
  if ("fault" in result) {
    assert.equal(expected, undefined, result.fault);
  } else {
    assert.notEqual(expected, undefined, "taken, but no JSON");
    assert.deepEqual(result.map((message) => JSON.parse(message)), expected);
  }
}

Deno.test("normalizeJson() agrees with JSON.parse on valid JSON", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(0, 1, 2, "\t"), (value, indent) => {
      agree(encoder.encode(JSON.stringify(value, null, indent)));
    }),
    { numRuns: 500 },
  );
});

Deno.test("normalizeJson() agrees with JSON.parse on damaged JSON", () => {
  const pieces = [...'[]{},:"\\ \n0123.eE+-tfnu'].map((char) => char.charCodeAt(0));
  const edit = fc.record({
    at: fc.nat(),
    byte: fc.oneof(fc.constantFrom(...pieces), fc.nat(255)),
    how: fc.constantFrom("set", "insert", "cut"),
  });
  fc.assert(
    fc.property(fc.jsonValue(), fc.array(edit, { minLength: 1, maxLength: 3 }), (value, edits) => {
      const bytes = [...encoder.encode(JSON.stringify(value, null, 1))];
      for (const { at, byte, how } of edits) {
        const i = at % (bytes.length + 1);
        bytes.splice(i, how === "insert" ? 0 : 1, ...(how === "cut" ? [] : [byte]));
      }
      agree(Uint8Array.from(bytes));
    }),
    { numRuns: 3000 },
  );
});

Deno.test("normalizeJson() agrees with JSON.parse on token soup", () => {
  const token = fc.constantFrom(
    ...'[ ] { } , : 1 -0 0.5 1e9 01 "a" "\\n" "\\u00" true null \n x'.split(" "),
  );
  fc.assert(
    fc.property(fc.array(token, { maxLength: 8 }), (tokens) => {
      agree(encoder.encode(tokens.join("")));
    }),
    { numRuns: 3000 },
  );
});
