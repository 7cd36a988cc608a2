import assert from "node:assert/strict";
import fc from "fast-check";
import { authFileOf } from "../../tests/given/tokens.ts";
import { parseAuthFile } from "./auth_file.ts";
import { AuthFileError } from "./fields.ts";
import { Gate } from "./gate.ts";
import { parseKeySet } from "./key_set.ts";
import { StaticTokens } from "./tokens.ts";

const TOKEN = { name: "a", sha256: "00".repeat(32), scopes: ["read"], buckets: ["*"] };
const ISSUER = {
  name: "i",
  issuer: "https://i.example",
  audience: "ursula",
  jwks_url: "https://i.example/jwks",
  scopes: ["read"],
  buckets: ["*"],
};

function token(changes: object): string {
  return JSON.stringify({ tokens: [{ ...TOKEN, ...changes }] });
}

function issuer(changes: object): string {
  return JSON.stringify({ issuers: [{ ...ISSUER, ...changes }] });
}

Deno.test("parseAuthFile() reads tokens and issuers, with comments and trailing commas", () => {
  const { tokens, issuers } = parseAuthFile(`{
    // who may read
    "tokens": [${JSON.stringify({ ...TOKEN, expires_at: "2030-01-31T12:00:00Z" })},],
    "issuers": [${JSON.stringify({ ...ISSUER, clock_tolerance: "5s", audience: ["a", "b"] })}],
  }`);
  assert.deepEqual(tokens[0]?.scopes, new Set(["read"]));
  assert.equal(tokens[0]?.expiresAtMs, Date.parse("2030-01-31T12:00:00Z"));
  assert.equal(issuers[0]?.toleranceMs, 5_000);
  assert.deepEqual(issuers[0]?.audience, ["a", "b"]);
  assert.deepEqual(issuers[0]?.algorithms, ["ES256", "EdDSA", "RS256"]);
  assert.deepEqual(parseAuthFile("{}"), { tokens: [], issuers: [] });
});

Deno.test("parseAuthFile() names the line or the field, and says what would be right", () => {
  const rows: [string, RegExp][] = [
    ['{\n"tokens": [\n', /^not valid JSON/],
    ["[]", /^the file: expected one JSON object/],
    ['{"token": []}', /^token: unknown; did you mean tokens\?/],
    ['{"tokens": {}}', /^tokens: expected a list of at most 1024 objects/],
    ['{"tokens": ["a"]}', /^tokens\[0\]: expected one JSON object/],
    [token({ sha256: "secret" }), /^tokens\[0\]\.sha256: expected 64 hex/],
    [token({ sha256: undefined }), /^tokens\[0\]\.sha256: expected 64 hex/],
    [
      token({ scopes: ["reed"] }),
      /^tokens\[0\]\.scopes: expected a list out of read, write, admin/,
    ],
    [token({ scopes: [] }), /^tokens\[0\]\.scopes: expected/],
    [token({ buckets: "*" }), /^tokens\[0\]\.buckets: expected a list of buckets/],
    [token({ buckets: undefined }), /^tokens\[0\]\.buckets: expected/],
    [token({ name: "" }), /^tokens\[0\]\.name: expected/],
    [token({ expires_at: "tomorrow" }), /^tokens\[0\]\.expires_at: expected an RFC 3339/],
    [token({ bucket: [] }), /^tokens\[0\]\.bucket: unknown; did you mean buckets\?/],
    [
      JSON.stringify({ tokens: [TOKEN, TOKEN] }),
      /^tokens\[1\]\.sha256: the same token as tokens\[0\]/,
    ],
    [issuer({ algorithms: ["HS256"] }), /^issuers\[0\]\.algorithms: expected a list out of ES256/],
    [issuer({ algorithms: ["none"] }), /^issuers\[0\]\.algorithms: expected/],
    [issuer({ audience: undefined }), /^issuers\[0\]\.audience: expected/],
    [issuer({ audience: [] }), /^issuers\[0\]\.audience: expected/],
    [
      issuer({ jwks_file: "a" }),
      /^issuers\[0\]\.jwks_file: expected this or jwks_url, and not both/,
    ],
    [issuer({ jwks_url: undefined }), /^issuers\[0\]\.jwks_file: expected this or jwks_url/],
    [issuer({ jwks_url: "http://i.example/jwks" }), /^issuers\[0\]\.jwks_url: expected an https/],
    [issuer({ jwks_url: "file:///etc/passwd" }), /^issuers\[0\]\.jwks_url: expected an https/],
    [issuer({ clock_tolerance: "1h" }), /^issuers\[0\]\.clock_tolerance: expected a duration/],
    [JSON.stringify({ issuers: [ISSUER, ISSUER] }), /^issuers\[1\]\.issuer: the same as that of/],
  ];
  for (const [text, message] of rows) {
    assert.throws(() => parseAuthFile(text), (error: unknown) => {
      assert.ok(error instanceof AuthFileError, `${text}: ${error}`);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /\n|secret|reed|tomorrow|passwd/);
      return true;
    });
  }
});

Deno.test("parseAuthFile() reads a file or throws one kind of error, whatever it holds", () => {
  const names = ["tokens", "issuers", ...Object.keys(TOKEN), ...Object.keys(ISSUER), "__proto__"];
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom("*", "read", "https://x.example", 0, -1, null, true, "", TOKEN.sha256, TOKEN),
      fc.string(),
      fc.array(tie("any"), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom(...names), tie("any"), { maxKeys: 8 }),
    ),
  })).any;
  const text = fc.oneof(fc.string(), value.map((content) => JSON.stringify(content)));
  for (const parse of [parseAuthFile, parseKeySet]) {
    fc.assert(fc.property(text, (content) => {
      try {
        parse(content);
      } catch (error) {
        assert.ok(error instanceof AuthFileError, String(error));
        assert.doesNotMatch(error.message, /\n/);
      }
    }));
  }
});

Deno.test("StaticTokens.find() finds each token by its whole hash alone", () => {
  const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const text = (bytes: Uint8Array) => String.fromCharCode(...bytes);
  const rights = { name: "", scopes: new Set<never>(), buckets: [], expiresAtMs: undefined };
  fc.assert(fc.property(
    fc.uniqueArray(hash, { selector: String, maxLength: 20 }),
    hash,
    fc.nat(255),
    (hashes, other, bit) => {
      const tokens = new StaticTokens(
        hashes.map((sha256, at) => ({ ...rights, sha256, name: String(at) })),
      );
      hashes.forEach((sha256, at) => {
        assert.equal(tokens.find(text(sha256))?.name, String(at));
        const near = sha256.slice();
        near[bit >> 3] = (near[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const expected = hashes.findIndex((one) => String(one) === String(near));
        assert.equal(tokens.find(text(near))?.name, expected < 0 ? undefined : String(expected));
      });
      const known = hashes.findIndex((one) => String(one) === String(other));
      assert.equal(tokens.find(text(other))?.name, known < 0 ? undefined : String(known));
    },
  ));
});

Deno.test("Gate.identify() knows nobody, and throws nothing, whatever the header", async () => {
  const clock = {
    monotonicMs: () => 0,
    wallMs: () => 0,
    setTimer: () => assert.fail(),
    defer: () => assert.fail(),
    deferLast: () => assert.fail(),
  };
  const keyFiles = new Map([["k", '{"keys":[{"kty":"EC"}]}']]);
  const text = authFileOf({ a: { scopes: ["read"], buckets: [] } }, [
    { ...ISSUER, jwks_url: undefined, jwks_file: "k" },
  ]);
  const gate = new Gate({ text, keyFiles }, clock, assert.fail);
  const part = fc.oneof(
    fc.base64String(),
    fc.dictionary(fc.constantFrom("alg", "kid", "iss", "exp"), fc.jsonValue())
      .map((header) => btoa(unescape(encodeURIComponent(JSON.stringify(header))))),
    fc.constantFrom(
      btoa('{"alg":"ES256","kid":"a"}').replaceAll("=", ""),
      btoa('{"iss":"https://i.example","aud":"ursula","exp":1}').replaceAll("=", ""),
    ),
  );
  const header = fc.oneof(
    fc.stringMatching(/^[\x20-\x7e]{0,60}$/),
    fc.tuple(fc.constantFrom("Bearer", "bearer", "Basic"), fc.array(part, { maxLength: 4 }))
      .map(([scheme, parts]) => `${scheme} ${parts.join(".")}`),
    fc.nat(20_000).map((length) => `Bearer ${"a".repeat(length)}`),
  );
  await fc.assert(fc.asyncProperty(header, async (authorization) => {
    const visitor = await gate.identify(new Headers({ authorization }));
    assert.equal(visitor, "bad token");
  }));
});
