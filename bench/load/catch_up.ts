/**
 * Many clients that read a whole stream at the same time: see {@linkcode CatchUpPlan}.
 *
 * @module
 */

import { headerOf, ResponseReader } from "./http_response.ts";
import { connect, Poller, receive, sendText } from "./libc.ts";
import { answer, type CatchUpPlan, type CatchUpResult, planOf } from "./plan.ts";
import { appendRequest, createRequest, readRequest } from "./requests.ts";
import { sendAll } from "./seed.ts";
import { Latencies, nowMicros } from "./stamp.ts";
import { Window } from "./window.ts";

/** Bursts that only warm the server up. */
const WARM_BURSTS = 20;

const plan = planOf<CatchUpPlan>();
const path = `${plan.prefix}s0`;
const bytesExpected = plan.messages * plan.messageBytes;
const latencies = new Latencies(plan.clients * plan.bursts);
let burstBegan = 0;
let reading = 0;

/** Reads from the beginning to the tail, in as many responses as the server makes of it. */
class Client {
  readonly #fd: number;
  #offset = "-1";
  #upToDate = false;
  #bytes = 0;
  readonly responses = new ResponseReader({
    onHead: (status, head) => {
      if (status !== 200) throw new Error(`catch-up was answered ${head.slice(0, 200)}`);
      this.#offset = headerOf(head, "stream-next-offset") ?? this.#offset;
      this.#upToDate = headerOf(head, "stream-up-to-date") === "true";
    },
    onBody: (_bytes, from, to) => {
      this.#bytes += to - from;
    },
    onEnd: () => this.#end(),
  });

  constructor(fd: number) {
    this.#fd = fd;
  }

  begin(): void {
    this.#offset = "-1";
    this.#bytes = 0;
    this.#ask();
  }

  #ask(): void {
    sendText(this.#fd, readRequest(path, `offset=${this.#offset}`));
  }

  #end(): void {
    if (!this.#upToDate) return this.#ask();
    if (this.#bytes !== bytesExpected) {
      throw new Error(`a client read ${this.#bytes} bytes of ${bytesExpected}`);
    }
    latencies.add(nowMicros() - burstBegan);
    reading--;
  }
}

sendAll(plan.port, 1, () => createRequest(path));
sendAll(plan.port, plan.messages, () => appendRequest(path, "x".repeat(plan.messageBytes)));

const poller = new Poller();
const clients = new Map<number, Client>();
for (let i = 0; i < plan.clients; i++) {
  const fd = connect(plan.port);
  clients.set(fd, new Client(fd));
  poller.add(fd);
}

const buffer = new Uint8Array(1 << 18);

function burst(): void {
  burstBegan = nowMicros();
  reading = plan.clients;
  for (const client of clients.values()) client.begin();
  while (reading > 0) {
    const ready = poller.wait(10_000);
    if (ready === 0) throw new Error(`no answer for 10 s, ${reading} clients still read`);
    for (let i = 0; i < ready; i++) {
      const fd = poller.ready(i);
      const length = receive(fd, buffer);
      if (length === 0) throw new Error("the server closed a connection");
      if (length > 0) clients.get(fd)?.responses.feed(buffer, length);
    }
  }
}

for (let n = 0; n < WARM_BURSTS; n++) burst();
latencies.clear();
const window = new Window(plan.pid);
for (let n = 0; n < plan.bursts; n++) burst();
const span = window.end();
const result: CatchUpResult = {
  p50Ms: latencies.percentileMs(0.5),
  p99Ms: latencies.percentileMs(0.99),
  loadShare: span.loadShare,
  othersShare: span.othersShare,
};
answer(result);
Deno.exit(0);
