import assert from "node:assert/strict";
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";
import type { Clock } from "../../io/mod.ts";
import { authFileOf, bearer, tokenOf } from "../../tests/given/tokens.ts";
import { adminRefusal, Gate, type Visitor } from "./gate.ts";

const NOW_MS = Date.parse("2030-01-01T00:00:00Z");
const ISSUER = "https://login.example";

/** A clock that stands until it is moved. */
class HandClock implements Clock {
  atMs = 0;
  monotonicMs = () => this.atMs;
  wallMs = () => NOW_MS + this.atMs;
  setTimer(): never {
    throw new Error("a gate sets no timer");
  }
  defer(): never {
    throw new Error("a gate defers nothing");
  }
  deferLast = this.defer;
}

interface Signer {
  readonly jwk: JWK;
  sign(claims?: JWTPayload, header?: object): Promise<string>;
}

async function signer(kid: string, alg = "ES256"): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...await exportJWK(publicKey), kid, alg };
  return {
    jwk,
    sign: (claims = {}, header = {}) =>
      new SignJWT({ iss: ISSUER, aud: "ursula", exp: NOW_MS / 1000 + 3600, ...claims })
        .setProtectedHeader({ alg, kid, ...header })
        .sign(privateKey),
  };
}

function gateOf(
  keys: object,
  options: { clock?: Clock; issuer?: object; lines?: string[]; keyText?: string } = {},
): Gate {
  const issuer = {
    name: "login",
    issuer: ISSUER,
    audience: "ursula",
    scopes: ["read", "write"],
    buckets: ["team-*"],
    ...keys,
    ...options.issuer,
  };
  const texts = {
    text: authFileOf({ reader: { scopes: ["read"], buckets: ["*"] } }, [issuer]),
    keyFiles: new Map([["keys.json", options.keyText ?? ""]]),
  };
  return new Gate(texts, options.clock ?? new HandClock(), (line) => options.lines?.push(line));
}

function withKeys(signers: readonly Signer[], issuer: object = {}, clock?: Clock): Gate {
  const keyText = JSON.stringify({ keys: signers.map(({ jwk }) => jwk) });
  return gateOf({ jwks_file: "keys.json" }, { keyText, issuer, clock });
}

async function identify(gate: Gate, token: string): Promise<Visitor> {
  return await gate.identify(new Headers({ authorization: `Bearer ${token}` }));
}

/** Name, scopes and end of who is let in, or why nobody is. */
async function shown(gate: Gate, token: string): Promise<string> {
  const visitor = await identify(gate, token);
  return typeof visitor === "string"
    ? visitor
    : `${visitor.name}: ${[...visitor.scopes].join(" ")}`;
}

Deno.test("Gate.identify() takes a signed token when all of it is right, and no other", async () => {
  const [ours, theirs] = [await signer("a"), await signer("a")];
  const gate = withKeys([ours]);
  const inSeconds = (seconds: number) => NOW_MS / 1000 + seconds;
  const good = await ours.sign();
  const rows: [string, string, string][] = [
    ["good", good, "login: read write"],
    ["several audiences", await ours.sign({ aud: ["x", "ursula"] }), "login: read write"],
    ["expired within the tolerance", await ours.sign({ exp: inSeconds(-20) }), "login: read write"],
    ["expired", await ours.sign({ exp: inSeconds(-31) }), "bad token"],
    ["without an end", await ours.sign({ exp: undefined }), "bad token"],
    ["not valid yet", await ours.sign({ nbf: inSeconds(60) }), "bad token"],
    ["of another issuer", await ours.sign({ iss: "https://other.example" }), "bad token"],
    ["of no issuer", await ours.sign({ iss: undefined }), "bad token"],
    ["for another audience", await ours.sign({ aud: "other" }), "bad token"],
    ["of another key", await theirs.sign(), "bad token"],
    ["of an unknown key", await ours.sign({}, { kid: "b" }), "bad token"],
    ["changed", `${good.slice(0, -8)}AAAAAAAA`, "bad token"],
    ["without a signature", unsigned(good), "bad token"],
    ["signed with the public key as a secret", await confused(ours), "bad token"],
  ];
  for (const [label, token, outcome] of rows) {
    assert.equal(await shown(gate, token), outcome, label);
    assert.equal(await shown(gate, token), outcome, `${label}, again`);
  }
});

/** `alg: none`, with what a good token says. */
function unsigned(token: string): string {
  const header = btoa('{"alg":"none"}').replace(/=+$/, "");
  return `${header}.${token.split(".")[1]}.`;
}

/** The old confusion: HS256 under what everybody knows. */
async function confused({ jwk }: Signer): Promise<string> {
  return await new SignJWT({ iss: ISSUER, aud: "ursula", exp: NOW_MS / 1000 + 3600 })
    .setProtectedHeader({ alg: "HS256", kid: jwk.kid })
    .sign(new TextEncoder().encode(JSON.stringify(jwk)));
}

Deno.test("Gate.identify() takes only the algorithms that the file names", async () => {
  const [ec, rsa] = [await signer("a"), await signer("b", "RS256")];
  const gate = withKeys([ec, rsa], { algorithms: ["RS256"] });
  assert.equal(await shown(gate, await ec.sign()), "bad token");
  assert.equal(await shown(gate, await rsa.sign()), "login: read write");
});

Deno.test("claims narrow what the file gives an issuer's tokens, and never widen it", async () => {
  const ours = await signer("a");
  const gate = withKeys([ours], { scopes_claim: "scope", buckets_claim: "buckets" });
  const rows: [JWTPayload, string, string[], string[]][] = [
    [{ scope: "read admin openid", buckets: ["*"] }, "login: read", ["team-a"], ["other"]],
    [{ scope: ["write"], buckets: "team-b other" }, "login: write", ["team-b"], [
      "team-a",
      "other",
    ]],
    [{ scope: 7, buckets: { a: 1 } }, "login: ", [], ["team-a", "*", ""]],
    [{}, "login: ", [], ["team-a"]],
  ];
  for (const [claims, outcome, covered, others] of rows) {
    const token = await ours.sign(claims);
    assert.equal(await shown(gate, token), outcome);
    const visitor = await identify(gate, token);
    assert.ok(typeof visitor !== "string");
    const covers = (bucket: string) => visitor.buckets.every((one) => one.match(bucket));
    assert.deepEqual([...covered, ...others].filter(covers), covered);
  }
});

Deno.test("a token that was good is no longer when it has expired, or the file is another", async () => {
  const ours = await signer("a");
  const clock = new HandClock();
  const gate = withKeys([ours], {}, clock);
  const token = await ours.sign({ exp: NOW_MS / 1000 + 10 });
  const visitor = await identify(gate, token);
  assert.ok(typeof visitor !== "string");
  assert.equal(visitor.expiresAtMs, NOW_MS + 40_000);
  clock.atMs = 39_999;
  assert.equal(await shown(gate, token), "login: read write");
  clock.atMs = 40_000;
  assert.equal(await shown(gate, token), "bad token");
  clock.atMs = 0;
  gate.renew({ text: authFileOf({}), keyFiles: new Map() });
  assert.equal(await shown(gate, token), "bad token");
  assert.equal(await shown(gate, tokenOf("reader")), "bad token");
});

Deno.test("Gate.renew() keeps to the old version when the new one is broken", () => {
  const gate = gateOf({ jwks_file: "keys.json" });
  assert.throws(() => gate.renew({ text: '{"tokens": 1}', keyFiles: new Map() }));
  const visitor = gate.identify(new Headers(bearer("reader")));
  assert.ok(!(visitor instanceof Promise) && typeof visitor !== "string");
});

/** A server of keys on loopback, while `work` goes on. */
async function serving(
  work: (
    served: { url: string; keys: JWK[]; state: { asked: number; broken: boolean } },
  ) => Promise<
    void
  >,
): Promise<void> {
  const keys: JWK[] = [];
  const state = { asked: 0, broken: false };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    state.asked++;
    return state.broken ? new Response("no", { status: 500 }) : Response.json({ keys });
  });
  try {
    await work({ url: `http://127.0.0.1:${server.addr.port}/jwks`, keys, state });
  } finally {
    await server.shutdown();
  }
}

Deno.test("keys of a URL are fetched once, and again for an unknown one, but not too often", async () => {
  const [first, second, never] = [await signer("1"), await signer("2"), await signer("3")];
  const clock = new HandClock();
  const lines: string[] = [];
  await serving(async ({ url, keys, state }) => {
    keys.push(first.jwk);
    const gate = gateOf({ jwks_url: url }, { clock, lines });
    const tokens = await Promise.all(
      Array.from({ length: 5 }, (_, at) => first.sign({ jti: String(at) })),
    );
    for (const outcome of await Promise.all(tokens.map((token) => shown(gate, token)))) {
      assert.equal(outcome, "login: read write");
    }
    assert.equal(state.asked, 1);
    // A rotation: the new key is asked for as soon as that is not too often.
    keys.push(second.jwk);
    assert.equal(await shown(gate, await second.sign()), "bad token");
    clock.atMs += 30_000;
    assert.equal(await shown(gate, await second.sign()), "login: read write");
    assert.equal(state.asked, 2);
    for (let at = 0; at < 20; at++) {
      assert.equal(await shown(gate, await never.sign({ jti: String(at) })), "bad token");
    }
    assert.equal(state.asked, 2, "strangers can't make it ask");
    // What is known serves on while the keys can't be had, and is asked for again, seldom.
    state.broken = true;
    clock.atMs += 600_000;
    for (let at = 0; at < 20; at++) {
      assert.equal(await shown(gate, await first.sign({ jti: `x${at}` })), "login: read write");
    }
    await untilAsked(state, 3);
    clock.atMs += 5_000;
    state.broken = false;
    await shown(gate, await never.sign());
    assert.equal(state.asked, 4);
    assert.deepEqual(lines.map((line) => line.replace(url, "URL")), [
      "the keys at URL can't be had: the answer is 500",
      "the keys at URL are there again",
    ]);
  });
});

async function untilAsked(state: { asked: number }, count: number): Promise<void> {
  while (state.asked < count) await new Promise((resolve) => setTimeout(resolve, 5));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(state.asked, count);
}

Deno.test("adminRefusal() lets in the scope admin alone, and everybody where no gate is", async () => {
  const rights = { buckets: ["*"] };
  const text = authFileOf({
    operator: { scopes: ["admin"], buckets: [] },
    client: { scopes: ["read", "write"], ...rights },
  });
  const gate = new Gate({ text, keyFiles: new Map() }, new HandClock(), assert.fail);
  const status = async (headers: Record<string, string>, of: Gate | undefined = gate) =>
    (await adminRefusal(of, new Headers(headers)))?.status;
  assert.equal(await status({}), 401);
  assert.equal(await status(bearer("stranger")), 401);
  assert.equal(await status(bearer("client")), 403);
  assert.equal(await status(bearer("operator")), undefined);
  assert.equal(await adminRefusal(undefined, new Headers()), undefined);
});
