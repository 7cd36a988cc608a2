/**
 * A real browser, a page of another origin: what CORS, exposed headers and the SSE framing are for.
 */

import assert from "node:assert/strict";
import { type Browser, chromium } from "playwright-core";
import { serve } from "./client.ts";

const CHROMIUM = Deno.env.get("URSULA_TEST_CHROMIUM") ?? "/usr/bin/chromium";
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const installed = exists(CHROMIUM);
if (!installed) {
  console.log(`no browser at ${CHROMIUM}: the browser tests are skipped (URSULA_TEST_CHROMIUM)`);
}

const api = serve();

// The browser's process and its pipe outlive what a test can see of them by a moment.
const options = { ignore: !installed, sanitizeOps: false, sanitizeResources: false };

Deno.test("a page of another origin tails a stream through EventSource", options, async () => {
  const path = await api.create("application/json", `[{"n":0}]`);
  await using page = await open();
  await page.evaluate(
    `
    window.got = [];
    window.controls = [];
    window.source = new EventSource(url + "?offset=-1&live=sse");
    source.addEventListener("data", (event) => got.push(...JSON.parse(event.data)));
    source.addEventListener("control", (event) => {
      const control = JSON.parse(event.data);
      controls.push(control);
      if (control.streamClosed) source.close();
    });`,
    api.url + path,
  );
  await page.until("got.length === 1 && controls.length === 1");
  for (let n = 1; n <= 20; n++) await api.append(path, "application/json", JSON.stringify({ n }));
  await page.until("got.length === 21");
  await api.post(path, undefined, undefined, { "stream-closed": "true" });
  await page.until("source.readyState === EventSource.CLOSED");
  const got = await page.value("got") as { n: number }[];
  assert.deepEqual(got.map(({ n }) => n), Array.from({ length: 21 }, (_, n) => n));
  const controls = await page.value("controls") as { streamClosed?: boolean; upToDate?: boolean }[];
  assert.equal(controls[0]?.upToDate, true);
  assert.equal(controls.at(-1)?.streamClosed, true);
});

Deno.test(
  "a page of another origin creates, appends and reads with fetch, headers included",
  options,
  async () => {
    await using page = await open();
    const result = await page.evaluate(
      `
    const stream = url + "/v1/stream/browser/made";
    const type = { "content-type": "text/plain" };
    const headers = (response) => Object.fromEntries(response.headers);
    const made = await fetch(stream, { method: "PUT", headers: { ...type, "stream-ttl": "600" } });
    const posted = await fetch(stream, {
      method: "POST",
      headers: { ...type, "producer-id": "page", "producer-epoch": "0", "producer-seq": "0" },
      body: "from a page",
    });
    const read = await fetch(stream + "?offset=-1");
    const text = await read.text();
    const head = await fetch(stream, { method: "HEAD" });
    const gap = await fetch(stream, {
      method: "POST",
      headers: { ...type, "producer-id": "page", "producer-epoch": "0", "producer-seq": "9" },
      body: "x",
    });
    const error = await gap.json();
    const etag = read.headers.get("etag");
    const again = await fetch(stream + "?offset=-1", {
      headers: { "if-none-match": etag }, cache: "no-store",
    });
    const removed = await fetch(stream, { method: "DELETE" });
    return {
      statuses: [made, posted, read, head, gap, again, removed].map((response) => response.status),
      text, error, made: headers(made), posted: headers(posted), read: headers(read),
      head: headers(head), gap: headers(gap),
    };`,
      api.url,
    ) as Record<string, Record<string, string>> & { statuses: number[]; text: string };
    assert.deepEqual(result.statuses, [201, 200, 200, 200, 409, 304, 204]);
    assert.equal(result.text, "from a page");
    assert.match(result.made?.location ?? "", /^http:\/\//);
    assert.equal(result.posted?.["producer-seq"], "0");
    assert.equal(result.read?.["stream-next-offset"], "00000000000000000011");
    assert.equal(result.read?.["stream-up-to-date"], "true");
    assert.ok(result.read?.["stream-incarnation"]);
    assert.ok(result.read?.etag);
    assert.equal(result.head?.["stream-ttl"], "600");
    assert.equal(result.gap?.["producer-expected-seq"], "1");
    assert.equal((result.error?.error as unknown as { code: string }).code, "producer_gap");
  },
);

Deno.test(
  "a page of another origin follows a stream through a fetch that streams, base64 and all",
  options,
  async () => {
    const path = await api.create("application/octet-stream");
    await using page = await open();
    await page.evaluate(
      `
    window.text = "";
    const response = await fetch(url + "?offset=now&live=sse");
    window.encoding = response.headers.get("stream-sse-data-encoding");
    (async () => {
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        text += value;
      }
      window.ended = true;
    })();`,
      api.url + path,
    );
    await page.until("text.includes('event: control') || text.includes('event:control')");
    await api.append(path, "application/octet-stream", new Uint8Array([0, 255, 1, 254]));
    await page.until("text.includes('AP8B/g==')");
    await api.post(path, undefined, undefined, { "stream-closed": "true" });
    await page.until("window.ended === true");
    assert.equal(await page.value("encoding"), "base64");
  },
);

/** A page in a browser of its own, on an origin of its own. */
interface OpenPage extends AsyncDisposable {
  /** Runs the body of an async function in which `url` is what is given here. */
  evaluate(body: string, url: string): Promise<unknown>;
  /** Resolves once the expression is true in the page. */
  until(expression: string): Promise<void>;
  /** The value of an expression in the page. */
  value(expression: string): Promise<unknown>;
}

async function open(): Promise<OpenPage> {
  const origin = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () =>
      new Response("<!doctype html><title>reader</title>", {
        headers: { "content-type": "text/html" },
      }),
  );
  let browser: Browser | undefined;
  const close = async () => {
    await browser?.close();
    await origin.shutdown();
  };
  try {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS, timeout: 30_000 });
    const page = await browser.newPage();
    page.setDefaultTimeout(15_000);
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(`http://127.0.0.1:${origin.addr.port}/`);
    return {
      evaluate: (body, url) =>
        page.evaluate(`(async (url) => {${body}\n})(${JSON.stringify(url)})`),
      until: async (expression) => {
        try {
          await page.waitForFunction(expression);
        } catch (error) {
          throw new Error(`${expression}: ${error} ${complaints.join("; ")}`);
        }
      },
      value: (expression) => page.evaluate(expression),
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
