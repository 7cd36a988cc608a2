/**
 * A node whose file handles are used up by its clients: it may turn some away, and lives.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type ServerProcess, startServer } from "../server.ts";
import { send } from "./client.ts";
import { eventually, pause } from "./expect.ts";
import { RawConnection } from "./raw.ts";
import { EventReader } from "./sse.ts";

const HANDLES_MAX = 160;
/** How long a client goes on that is turned away. */
const PATIENCE_MS = 15_000;
/** One append after the other makes the journal's next files. */
const APPEND_BYTES = 4 * 2 ** 20;

const ignore = Deno.build.os === "windows";

for (const cores of ["1", "2"]) {
  Deno.test(
    `connections that ask for nothing don't take all handles, ${cores} shards`,
    { ignore },
    async () => {
      await using server = await startServer({
        handlesMax: HANDLES_MAX,
        args: ["--core-count", cores],
      });
      const url = `${server.url}/v1/stream/a`;
      await send(url, "PUT", { headers: { "content-type": "text/plain" } });
      await using reader = await EventReader.open(`${url}?offset=-1&live=sse`);
      await using _idle = new IdleConnections(server, 2 * HANDLES_MAX);
      await eventually(
        async () => /handles|open files/.test(await server.stderr()),
        "handles are scarce",
        PATIENCE_MS,
      );
      for (let seq = 0; seq < 40; seq++) {
        await append(url, seq, String(seq % 10).repeat(seq < 20 ? 1 : APPEND_BYTES));
        while (seq < 20) {
          const event = await reader.next();
          if (event?.event === "data") {
            assert.equal(event.data, String(seq % 10));
            break;
          }
        }
      }
      assert.equal(server.alive, true, await server.stderr());
    },
  );
}

Deno.test(
  "live readers don't take all handles: those who don't fit are answered 503",
  { ignore },
  async () => {
    await using server = await startServer({ handlesMax: HANDLES_MAX, memory: true });
    const url = `${server.url}/v1/stream/a`;
    await send(url, "PUT", { headers: { "content-type": "text/plain" } });
    const readers: RawConnection[] = [];
    let refused = 0;
    const deadlineMs = performance.now() + PATIENCE_MS;
    while (refused < 20 && performance.now() < deadlineMs) {
      const connection = await RawConnection.open(server.address).catch(() => undefined);
      await connection?.write("GET /v1/stream/a?offset=-1&live=sse HTTP/1.1\r\nhost: a\r\n\r\n")
        .catch(() => {});
      const answer = await connection?.answer(undefined, { skipEvents: true });
      if (answer?.status === 200 && connection !== undefined) {
        readers.push(connection);
        continue;
      }
      connection?.[Symbol.dispose]();
      if (answer === undefined) await pause(20);
      else {
        assert.equal(answer.status, 503);
        assert.ok(answer.headers.has("retry-after"));
        refused++;
      }
    }
    assert.ok(refused >= 20, `${readers.length} readers, ${refused} refused`);
    assert.ok(readers.length > HANDLES_MAX / 4, `${readers.length} readers`);
    await append(url, 0, "x");
    assert.equal(server.alive, true, await server.stderr());
    for (const reader of readers) reader[Symbol.dispose]();
    const isLetIn = async () => {
      const answer = await fetch(`${url}?offset=-1&live=sse`).catch(() => undefined);
      await answer?.body?.cancel();
      return answer?.status === 200;
    };
    await eventually(isLetIn, "a live reader is let in again", PATIENCE_MS);
  },
);

/** Connections that are opened again a little after they were closed. */
class IdleConnections implements AsyncDisposable {
  readonly #address: { hostname: string; port: number };
  readonly #open = new Set<Deno.TcpConn>();
  readonly #loops: Promise<void>[];
  #over = false;

  constructor({ address }: ServerProcess, count: number) {
    this.#address = address;
    this.#loops = Array.from({ length: count }, () => this.#loop());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    for (const connection of this.#open) connection.close();
    await Promise.all(this.#loops);
  }

  async #loop(): Promise<void> {
    while (!this.#over) {
      const connection = await Deno.connect(this.#address).catch(() => undefined);
      if (connection !== undefined) {
        if (this.#over) return connection.close();
        this.#open.add(connection);
        await connection.read(new Uint8Array(1)).catch(() => {});
        this.#open.delete(connection);
        if (!this.#over) connection.close();
      }
      await pause(200);
    }
  }
}

/** Appends exactly once, however often it takes. */
async function append(url: string, seq: number, body: string): Promise<void> {
  const headers = {
    "content-type": "text/plain",
    "producer-id": "p",
    "producer-epoch": "0",
    "producer-seq": String(seq),
  };
  const isTaken = async () => {
    const answer = await fetch(url, { method: "POST", headers, body }).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.ok === true;
  };
  await eventually(isTaken, `append ${seq}`, PATIENCE_MS);
}
