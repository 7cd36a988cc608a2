/** HTTPS for real, and certificates that are read again under load. */

import assert from "node:assert/strict";
import { certify, makeAuthority, writeCertified } from "../given/certificates.ts";
import { runProgram, type ServerProcess, startServer } from "../server.ts";
import { eventually, pause } from "./expect.ts";

const TYPE = { "content-type": "text/plain" };
const ANSWER_MS_MAX = 10_000;

/** A client that believes one authority; each has connections of its own. */
class TlsClient implements Disposable {
  readonly #client: Deno.HttpClient;

  constructor(authority: string, readonly server: ServerProcess, options: object = {}) {
    this.#client = Deno.createHttpClient({ caCerts: [authority], ...options });
  }

  async ask(method: string, path: string, body?: string): Promise<Response> {
    return await fetch(this.server.url + path, {
      client: this.#client,
      method,
      body,
      headers: TYPE,
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
  }

  /** Status of an answer whose body does not matter. */
  async status(method: string, path: string, body?: string): Promise<number> {
    const answer = await this.ask(method, path, body);
    await answer.body?.cancel();
    return answer.status;
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

/** Whether a connection that is made now shows a certificate of that authority. */
async function shows(authority: string, server: ServerProcess): Promise<boolean> {
  using client = new TlsClient(authority, server);
  try {
    return await client.status("GET", "/healthz") === 200;
  } catch (error) {
    assert.match(
      String(error instanceof Error ? error.cause ?? error : error),
      /certificate|client/,
    );
    return false;
  }
}

for (const cores of [1, 2]) {
  Deno.test(`--tls-cert is read again on SIGHUP under load, with ${cores} shards`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "ursula-tls-" });
    const [before, after] = [await makeAuthority("before"), await makeAuthority("after")];
    const files = await writeCertified(`${folder}/node`, await certify(before));
    const args = ["--tls-cert", files.certificate, "--tls-key", files.key];
    const server = await startServer({
      memory: true,
      args: [...args, "--core-count", String(cores)],
    });
    try {
      assert.match(await server.stdout(), /listening on https:\/\/127/);
      await checkRenewal(server, folder, before, after);
      await checkBroken(server, files, after.pem);
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
    } finally {
      await server[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    }
  });
}

type Authority = Awaited<ReturnType<typeof makeAuthority>>;

async function checkRenewal(
  server: ServerProcess,
  folder: string,
  before: Authority,
  after: Authority,
): Promise<void> {
  using client = new TlsClient(before.pem, server);
  const made = await client.ask("PUT", "/v1/stream/a");
  assert.equal(made.headers.get("location"), `${server.url}/v1/stream/a`);
  await made.body?.cancel();
  const waiting = client.ask("GET", "/v1/stream/a?offset=now&live=long-poll&timeout_ms=30000");
  const events = (await client.ask("GET", "/v1/stream/a?offset=now&live=sse")).body?.getReader();
  assert.ok(events);
  await events.read();

  let stop = false;
  const outcomes = new Map<string, number>();
  // Each request on a connection of its own, by a client that believes both.
  const load = Array.from({ length: 4 }, async () => {
    while (!stop) {
      using one = new TlsClient(`${before.pem}\n${after.pem}`, server, { poolMaxIdlePerHost: 0 });
      const outcome = await one.status("PUT", "/v1/stream/a").then(
        String,
        (error) => `${error.message}: ${error.cause}`,
      );
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  });
  await writeCertified(`${folder}/node`, await certify(after));
  for (let round = 0; round < 5; round++) {
    await pause(200);
    Deno.kill(server.pid, "SIGHUP");
  }
  await eventually(() => shows(after.pem, server), "the new certificate is shown");
  stop = true;
  await Promise.all(load);
  const text = [...outcomes].map(([outcome, count]) => `${outcome} × ${count}`).join(", ");
  const { "200": answered = 0, ...failed } = Object.fromEntries(outcomes);
  assert.ok(answered > 20, text);
  // What connects in the very instant in which a listener closes is reset before it has said a word.
  assert.ok(Object.keys(failed).every((outcome) => /\(Connect\).*reset/.test(outcome)), text);
  assert.ok(Object.values(failed).reduce((sum, count) => sum + count, 0) <= 3, text);
  for (let round = 0; round < 8; round++) assert.equal(await shows(before.pem, server), false);

  // What was under way goes on: on the connections that it came on.
  using other = new TlsClient(after.pem, server);
  assert.equal(await other.status("POST", "/v1/stream/a", "news"), 204);
  assert.equal(await (await waiting).text(), "news");
  assert.match(new TextDecoder().decode((await events.read()).value), /news/);
  await events.cancel();
}

async function checkBroken(
  server: ServerProcess,
  files: { certificate: string; key: string },
  authority: string,
): Promise<void> {
  const [certificate, key] = [
    await Deno.readTextFile(files.certificate),
    await Deno.readTextFile(files.key),
  ];
  const other = await certify(await makeAuthority());
  const broken: [string, string, RegExp][] = [
    [other.certificate, key, /the key in \S+node\.key is not that of \S+node\.crt/],
    [certificate, "no key", /node\.key holds no private key/],
    ["no certificate", key, /node\.crt holds no certificate/],
  ];
  for (const [certificateText, keyText, line] of broken) {
    await Deno.writeTextFile(files.certificate, certificateText);
    await Deno.writeTextFile(files.key, keyText);
    Deno.kill(server.pid, "SIGHUP");
    await eventually(async () => line.test(await server.stderr()), String(line));
    assert.ok(await shows(authority, server));
  }
  assert.match(await server.stderr(), /; the certificates before stay in force/);
}

Deno.test("a node does not start with files that are broken, and names what is wrong", async () => {
  const folder = await Deno.makeTempDir({ prefix: "ursula-tls-" });
  const files = await writeCertified(`${folder}/node`, await certify(await makeAuthority()));
  const other = await writeCertified(`${folder}/other`, await certify(await makeAuthority()));
  const auth = `${folder}/auth.json`;
  await Deno.writeTextFile(auth, '{\n  "tokens": [{ "name": "a", "sha256": "1234" }]\n}');
  const rows: [string[], RegExp][] = [
    [["--tls-cert", files.certificate], /--tls-cert needs --tls-key/],
    [["--tls-cert", files.certificate, "--tls-key", other.key], /is not that of/],
    [["--auth-file", `${folder}/none.json`], /auth file \S+none\.json can't be read/],
    [["--auth-file", auth], /auth file \S+auth\.json: tokens\[0\]\.sha256: expected 64 hex/],
  ];
  for (const [args, line] of rows) {
    const { code, stderr } = await runProgram([
      "--raft-memory",
      "--listen",
      "127.0.0.1:0",
      ...args,
    ]);
    assert.ok(code === 1 || code === 64, `${code}`);
    assert.match(stderr, line);
  }
  await Deno.remove(folder, { recursive: true });
});
