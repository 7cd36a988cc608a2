/**
 * Fuzzing over raw TCP for at least a minute: whatever comes, the server answers in time, from its
 * table of errors, keeps its memory bounded and loses nothing.
 *
 * `URSULA_FUZZ_SEED=…` repeats a run's requests; `URSULA_FUZZ_MS=…` sets how long it goes on.
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { send, serve } from "./client.ts";
import { assertErrorShape, pause } from "./expect.ts";
import { anyRequest, type FuzzRequest } from "./fuzz_requests.ts";
import { type RawAnswer, RawConnection } from "./raw.ts";

/** How long requests are thrown at the server. */
const FUZZ_MS = Number(Deno.env.get("URSULA_FUZZ_MS") ?? 60_000);
const SEED = Number(Deno.env.get("URSULA_FUZZ_SEED") ?? Date.now() % 2 ** 31);

/** An answer that takes longer is a hang. Waiting is cut to 200 ms by the server's flag. */
const ANSWER_MS_MAX = 10_000;

/** Requests thrown at once, each on a connection of its own: races are part of it. */
const AT_ONCE_MAX = 8;

/** An endless body must be refused before that: the limit of 32 MiB, and what buffers hold. */
const ENDLESS_BYTES_MAX = 96 * 1024 * 1024;

/** What the process may grow by: streams in memory, and the collector's slack. */
const GROWTH_BYTES_MAX = 768 * 1024 * 1024;

const api = serve({ memory: true, args: ["--long-poll-timeout", "200ms"] });

Deno.test("whatever is sent, the server answers in time and by its table, and loses nothing", async () => {
  console.log(`seed ${SEED}, ${FUZZ_MS} ms`);
  await api.send("PUT", "/fuzz-bucket");
  const control = await api.create("text/plain");
  const before = await api.server.residentBytes();
  const statuses = new Map<number | string, number>();
  let written = "";
  let rounds = 0;

  const round = async (requests: readonly FuzzRequest[]): Promise<void> => {
    const outcomes = await Promise.all(requests.map(attempt));
    for (const outcome of outcomes) statuses.set(outcome, (statuses.get(outcome) ?? 0) + 1);
    if (++rounds % 50 !== 0) return;
    const line = `${rounds}\n`;
    await api.append(control, "text/plain", line);
    written += line;
    const read = await send(`${api.url}${control}?offset=${written.length - line.length}`, "GET");
    assert.equal(read.text, line);
  };
  let last = Promise.resolve();
  const property = fc.asyncProperty(
    fc.array(anyRequest, { minLength: 1, maxLength: AT_ONCE_MAX }),
    (requests) => last = round(requests),
  );
  await fc.assert(property, {
    seed: SEED,
    numRuns: Number.MAX_SAFE_INTEGER,
    interruptAfterTimeLimit: FUZZ_MS,
    markInterruptAsFailure: false,
    endOnFailure: true,
  });
  // When time is up the property is left in the middle of a round.
  await last;

  assert.ok(api.server.alive, `the server ended:\n${await api.server.stderr()}`);
  assert.equal((await api.get(control)).text, written);
  assert.equal((await api.get("/healthz")).status, 200);
  const grown = await api.server.residentBytes() - before;
  const counts = [...statuses].map(([status, count]) => `${status}×${count}`).sort().join(" ");
  console.log(`${rounds} rounds: ${counts}; memory grew by ${Math.round(grown / 2 ** 20)} MiB`);
  assert.ok(grown < GROWTH_BYTES_MAX);
});

Deno.test("bodies that never end are refused at the limit, and memory stays bounded", async () => {
  const before = await api.server.residentBytes();
  const path = await api.create("application/octet-stream");
  let peak = 0;
  let watching = true;
  const watch = (async () => {
    for (; watching && api.server.alive; await pause(50)) {
      peak = Math.max(peak, await api.server.residentBytes());
    }
  })();
  const refusals = await Promise.all(Array.from({ length: 24 }, () => endless(path)));
  watching = false;
  await watch;
  for (const { answer, sentBytes } of refusals) {
    if (answer !== undefined) {
      assert.ok([413, 503].includes(answer.status), `${answer.status} ${answer.text}`);
      assertErrorShape(answer);
    }
    assert.ok(sentBytes < ENDLESS_BYTES_MAX, `refused after ${sentBytes / 2 ** 20} MiB`);
  }
  assert.equal((await api.head(path)).headers.get("stream-next-offset"), "0".repeat(20));
  const grown = Math.round((peak - before) / 2 ** 20);
  console.log(`24 endless bodies: memory grew by ${grown} MiB`);
  assert.ok(peak - before < GROWTH_BYTES_MAX);
});

Deno.test("connections that say nothing, or not enough, harm nobody", async () => {
  const beginnings = [
    "",
    "G",
    "GET /",
    "GET / HTTP/1.1\r\n",
    "GET / HTTP/1.1\r\nhost: x\r\nx: ",
    "\0",
    "\x16\x03\x01",
  ];
  const idle: RawConnection[] = [];
  for (let at = 0; at < 210; at++) {
    const connection = await RawConnection.open(api.server.address);
    await connection.write(beginnings[at % beginnings.length] ?? "");
    idle.push(connection);
  }
  const path = await api.create("text/plain", "a");
  for (let at = 0; at < 20; at++) await api.append(path, "text/plain", "b");
  assert.equal((await api.get(path)).text.length, 21);
  for (const connection of idle) connection[Symbol.dispose]();
});

/** Sends chunks until the server answers or hangs up; how much had been sent by then. */
async function endless(
  path: string,
): Promise<{ answer: RawAnswer | undefined; sentBytes: number }> {
  const size = 256 * 1024;
  const piece = new TextEncoder().encode(`${size.toString(16)}\r\n${"x".repeat(size)}\r\n`);
  using connection = await RawConnection.open(api.server.address);
  let sentBytes = 0;
  let answered = false;
  const sending = (async () => {
    try {
      await connection.write(
        `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/octet-stream\r\n` +
          "transfer-encoding: chunked\r\n\r\n",
      );
      for (; !answered && sentBytes < ENDLESS_BYTES_MAX; sentBytes += size) {
        await connection.write(piece);
      }
    } catch {
      // Cut off: that is one way to refuse.
    }
  })();
  const answer = await connection.answer(30_000);
  answered = true;
  connection[Symbol.dispose]();
  await sending;
  return { answer, sentBytes };
}

/** Sends one request and judges its answer; answers the status, or how the connection ended. */
async function attempt(request: FuzzRequest): Promise<number | string> {
  using connection = await RawConnection.open(api.server.address);
  let answer: RawAnswer | undefined;
  try {
    const writing = (async () => {
      try {
        for (const piece of request.pieces) await connection.write(piece);
        if (request.truncated) await connection.closeWrite();
      } catch {
        // The server may answer and close before it has read everything.
      }
    })();
    answer = await connection.answer(ANSWER_MS_MAX, { head: request.head, skipEvents: true });
    await writing;
  } catch (error) {
    assert.fail(`${error}: ${request.label}`);
  }
  if (answer === undefined) return "closed";
  judge(answer, request);
  return answer.status;
}

function judge(answer: RawAnswer, request: FuzzRequest): void {
  const { status } = answer;
  assert.ok(status >= 200 && (status < 500 || status === 503), `${status} for ${request.label}`);
  if (status < 400 || request.head) return;
  // What Deno's HTTP parser refuses is its own bare answer.
  const bare = answer.bytes.length === 0 && !answer.headers.has("content-type");
  if (bare && [400, 405, 414, 417, 431, 501, 505].includes(status)) return;
  assertErrorShape(answer, request.label);
}
