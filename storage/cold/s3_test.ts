/** What is S3's alone: its failures, and how they are told; see `contract_test.ts` for the rest. */

import assert from "node:assert/strict";
import { DenoClock } from "../../io/deno.ts";
import { hasRealS3, realS3, type S3Server, startS3 } from "../../tests/cold/s3_servers.ts";
import type { ColdErrorKind } from "./error.ts";
import { openS3ColdStore, type S3ColdStoreOptions } from "./s3.ts";
import { PART_BYTES } from "./s3_store.ts";
import type { ColdStore } from "./store.ts";
import { failsWith, patterned } from "../../tests/cold/expectations.ts";

const KEY = "f/3/a.object";
/** What a server is asked, and what it answers; undefined where it never does. */
type Answer = (request: Request, body: Uint8Array) => Response | Promise<Response> | undefined;

async function withStore(
  options: Omit<S3ColdStoreOptions, "clock">,
  work: (store: ColdStore) => Promise<void>,
): Promise<void> {
  const clock = new DenoClock();
  const store = await openS3ColdStore({ ...options, clock });
  try {
    await work(store);
  } finally {
    store.close();
    clock.close();
  }
}

/** A store whose server answers as the test says. */
async function withAnswers(
  answer: Answer,
  work: (store: ColdStore) => Promise<void>,
  options: Partial<S3ColdStoreOptions> = {},
): Promise<void> {
  const ending = new AbortController();
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", signal: ending.signal, onListen: () => {} },
    async (request) => {
      const body = await request.bytes();
      return await (answer(request, body) ?? new Promise<Response>((resolve) => {
        ending.signal.addEventListener("abort", () => resolve(new Response()));
      }));
    },
  );
  const endpoint = `http://127.0.0.1:${server.addr.port}`;
  const keys = { accessKeyId: "a", secretAccessKey: "b" };
  try {
    await withStore({ bucket: "objects", endpoint, ...keys, ...options }, work);
  } finally {
    ending.abort();
    await server.finished;
  }
}

function refusal(status: number, code: string, message = "as it is"): Response {
  const xml =
    `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  return new Response(xml, { status, headers: { "content-type": "application/xml" } });
}

/** Runs with these variables set, or with none of that name. */
async function withEnvironment(
  variables: Readonly<Record<string, string | undefined>>,
  work: () => Promise<void>,
): Promise<void> {
  const before = Object.keys(variables).map((name) => [name, Deno.env.get(name)] as const);
  const set = (name: string, value: string | undefined) =>
    value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
  try {
    for (const [name, value] of Object.entries(variables)) set(name, value);
    await work();
  } finally {
    for (const [name, value] of before) set(name, value);
  }
}

/** One of each kind of request whose answer has a body. */
const EVERYTHING: ((store: ColdStore) => Promise<unknown>)[] = [
  (store) => store.put(KEY, 3, [patterned(3)]),
  (store) => store.put(KEY, 20 << 20, [new Uint8Array(20 << 20)]),
  (store) => store.get(KEY, 0, 3),
  (store) => store.delete(KEY),
  (store) => store.list("f/")[Symbol.asyncIterator]().next(),
];

Deno.test("S3 store says what an answer means", async () => {
  const rows: [status: number, code: string, kind: ColdErrorKind, words: RegExp][] = [
    [403, "InvalidAccessKeyId", "denied", /access key is not known there/],
    [403, "SignatureDoesNotMatch", "denied", /secret access key does not belong/],
    [403, "AccessDenied", "denied", /do not permit this/],
    [400, "ExpiredToken", "denied", /token has expired/],
    [400, "AuthorizationHeaderMalformed", "denied", /region/],
    [301, "PermanentRedirect", "denied", /another region/],
    [403, "RequestTimeTooSkewed", "unavailable", /clocks/],
    [404, "NoSuchBucket", "no_bucket", /make the bucket/],
    [503, "SlowDown", "unavailable", /SlowDown/],
    [500, "InternalError", "unavailable", /InternalError/],
    [429, "TooManyRequests", "unavailable", /429/],
    [507, "XMinioStorageFull", "full", /StorageFull/],
    [400, "SomethingNew", "denied", /SomethingNew: as it is: 400/],
  ];
  for (const [status, code, kind, words] of rows) {
    await withAnswers(() => refusal(status, code), async (store) => {
      for (const ask of EVERYTHING) {
        const error = await failsWith(kind, ask(store));
        assert.match(error.message, words);
        assert.match(error.message, /^s3:\/\/objects: f\/\S*: /);
        assert.ok(!error.message.includes("\n"));
      }
    });
  }
});

Deno.test("S3 store tries nothing again by itself", async () => {
  let asked = 0;
  const answer = () => {
    asked++;
    return refusal(503, "SlowDown");
  };
  await withAnswers(answer, async (store) => {
    await failsWith("unavailable", store.get(KEY, 0, 3), KEY);
  });
  assert.equal(asked, 1);
});

Deno.test("S3 store takes the store's time when its clock is another", async () => {
  const hourMs = 3_600_000;
  const stamps: number[] = [];
  const answer: Answer = (request) => {
    const stamp = request.headers.get("x-amz-date") ?? "";
    const [, y, m, d, h, min, s] = /^(....)(..)(..)T(..)(..)(..)Z$/.exec(stamp) ?? [];
    stamps.push(Date.parse(`${y}-${m}-${d}T${h}:${min}:${s}Z`));
    if (stamps.length > 1) return new Response(null, { status: 204 });
    const refused = refusal(403, "RequestTimeTooSkewed");
    refused.headers.set("date", new Date(Date.now() + hourMs).toUTCString());
    return refused;
  };
  await withAnswers(answer, async (store) => {
    await failsWith("unavailable", store.delete(KEY), KEY);
    await store.delete(KEY);
  });
  const [first = 0, second = 0] = stamps;
  assert.ok(Math.abs(second - first - hourMs) < 60_000, `${second - first}`);
});

Deno.test("S3 store finds credentials by itself, and says so when there are none", async () => {
  const variables = { AWS_ACCESS_KEY_ID: "from-the-environment", AWS_SECRET_ACCESS_KEY: "b" };
  let asked = "";
  const answer: Answer = (request) => {
    asked = request.headers.get("authorization") ?? "";
    return new Response(null, { status: 204 });
  };
  const nobody = { accessKeyId: undefined, secretAccessKey: undefined };
  await withEnvironment(variables, () =>
    withAnswers(answer, async (store) => {
      await store.delete(KEY);
      assert.match(asked, /Credential=from-the-environment\//);
    }, nobody));
  const place = await Deno.makeTempDir();
  const none = {
    AWS_ACCESS_KEY_ID: undefined,
    AWS_SECRET_ACCESS_KEY: undefined,
    AWS_PROFILE: undefined,
    AWS_REGION: undefined,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_SHARED_CREDENTIALS_FILE: `${place}/credentials`,
    AWS_CONFIG_FILE: `${place}/config`,
  };
  await withEnvironment(none, async () => {
    await withAnswers(answer, async (store) => {
      const error = await failsWith("denied", store.delete(KEY), KEY);
      assert.match(error.message, /no credentials were found/);
    }, nobody);
    await withStore({ bucket: "objects" }, async (store) => {
      assert.match((await failsWith("denied", store.delete(KEY), KEY)).message, /region/);
    });
  });
  await Deno.remove(place, { recursive: true });
});

Deno.test("S3 store says unavailable when nobody listens, and when no answer comes", async () => {
  const endpoint = "http://127.0.0.1:1";
  await withStore(
    { bucket: "objects", endpoint, accessKeyId: "a", secretAccessKey: "b" },
    async (store) => {
      for (const ask of EVERYTHING) {
        assert.match((await failsWith("unavailable", ask(store))).message, /ECONNREFUSED/);
      }
      await failsWith("unavailable", store.size(KEY), KEY);
    },
  );
  await withAnswers(() => undefined, async (store) => {
    const error = await failsWith("unavailable", store.get(KEY, 0, 3), KEY);
    assert.match(error.message, /no answer within 200 ms/);
  }, { requestMsMax: 200 });
});

Deno.test("S3 store ends a request at once when it is aborted", async () => {
  await withAnswers(() => undefined, async (store) => {
    for (
      const work of [
        (signal: AbortSignal) => store.get(KEY, 0, 3, signal),
        (signal: AbortSignal) => store.put(KEY, 3, [patterned(3)], signal),
        (signal: AbortSignal) => store.size(KEY, signal),
      ]
    ) {
      const aborting = new AbortController();
      const reason = new Error("not wanted any more");
      const working = work(aborting.signal);
      setTimeout(() => aborting.abort(reason), 50);
      await assert.rejects(working, (error) => error === reason);
    }
  });
});

Deno.test("S3 store gives no answer that broke off, is of another range or ends too soon", async () => {
  const ranged = (range: string, body: Uint8Array<ArrayBuffer>) => () =>
    new Response(body, { status: 206, headers: { "content-range": `bytes ${range}` } });
  const rows: [Answer, ColdErrorKind, RegExp][] = [
    [ranged("0-99/500", new Uint8Array(100)), "unavailable", /another range/],
    [ranged("10-19/20", new Uint8Array(10)), "corrupt", /byte 20: it ends here, 110 bytes/],
    [ranged("10-109/500", new Uint8Array(60)), "unavailable", /broke off after 60 of 100/],
    [() => new Response(new Uint8Array(500)), "unavailable", /another range/],
    [() => refusal(416, "InvalidRange"), "corrupt", /InvalidRange/],
  ];
  for (const [answer, kind, words] of rows) {
    await withAnswers(answer, async (store) => {
      assert.match((await failsWith(kind, store.get(KEY, 10, 100), KEY)).message, words);
    });
  }
});

Deno.test("S3 store aborts an upload in parts when one of them fails", async () => {
  const asked: string[] = [];
  const answer: Answer = (request, body) => {
    const { searchParams } = new URL(request.url);
    asked.push(`${request.method} ${[...searchParams.keys()].filter((key) => key !== "x-id")}`);
    if (searchParams.has("uploads")) {
      const xml = "<InitiateMultipartUploadResult><UploadId>u1</UploadId>" +
        "</InitiateMultipartUploadResult>";
      return new Response(xml, { headers: { "content-type": "application/xml" } });
    }
    if (request.method === "DELETE") return new Response(null, { status: 204 });
    if (searchParams.get("partNumber") === "2") return refusal(503, "SlowDown");
    assert.equal(body.length, PART_BYTES);
    return new Response(null, { headers: { etag: '"e"' } });
  };
  await withAnswers(answer, async (store) => {
    await failsWith("unavailable", store.put(KEY, 20 << 20, [new Uint8Array(20 << 20)]), KEY);
  });
  assert.deepEqual(asked, [
    "POST uploads",
    "PUT partNumber,uploadId",
    "PUT partNumber,uploadId",
    "DELETE uploadId",
  ]);
});

Deno.test("openS3ColdStore() refuses half a key and roots that lead elsewhere", async () => {
  const clock = new DenoClock();
  const bucket = "objects";
  await assert.rejects(openS3ColdStore({ bucket, clock, accessKeyId: "a" }), RangeError);
  for (const root of ["a/../b", ".", "é".repeat(251)]) {
    await assert.rejects(openS3ColdStore({ bucket, clock, root }), RangeError);
  }
  const store = await openS3ColdStore({ bucket, clock, root: "/a//b/", region: "x" });
  assert.equal(store.name, "s3://objects/a/b");
  store.close();
  clock.close();
});

const SERVERS: [string, () => Promise<S3Server>][] = [["s3", startS3]];
if (hasRealS3()) SERVERS.push(["s3, real", realS3]);

for (const [name, start] of SERVERS) {
  Deno.test(`${name}: a missing bucket is named as such, whatever is asked`, async () => {
    const server = await start();
    await withStore({ ...server, bucket: "never-made-one" }, async (store) => {
      for (const ask of EVERYTHING) {
        const error = await failsWith("no_bucket", ask(store));
        assert.match(error.message, /^s3:\/\/never-made-one: /);
      }
      await failsWith("no_bucket", store.size(KEY));
    });
    await server.stop();
  });

  Deno.test(`${name}: two roots in one bucket see nothing of each other`, async () => {
    const server = await start();
    await withStore({ ...server, root: "one" }, async (one) => {
      await withStore({ ...server, root: "one/two" }, async (two) => {
        await two.put(KEY, 3, [patterned(3)]);
        assert.equal(await one.size(KEY), undefined);
        const listing = await one.list("f/")[Symbol.asyncIterator]().next();
        assert.equal(listing.done, true);
      });
    });
    await server.stop();
  });
}

Deno.test({
  name: "s3, real: wrong credentials are denied, whatever is asked",
  ignore: !hasRealS3(),
  async fn() {
    const server = await realS3();
    const wrong = [
      { accessKeyId: "nobody-there", secretAccessKey: "anything" },
      { secretAccessKey: "not-the-secret" },
    ];
    for (const keys of wrong) {
      await withStore({ ...server, ...keys }, async (store) => {
        for (const ask of EVERYTHING) await failsWith("denied", ask(store));
        await failsWith("denied", store.size(KEY), KEY);
      });
    }
    await server.stop();
  },
});
