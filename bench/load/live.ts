/**
 * Live readers, and the writers that feed them: see {@linkcode LivePlan}.
 *
 * One thread, one `epoll`, one clock: a message is stamped when it is sent, and read when its
 * stamp's last digit has arrived.
 *
 * @module
 */

import { headerOf, ResponseReader } from "./http_response.ts";
import { connect, Poller, receive, sendText } from "./libc.ts";
import { answer, type LivePlan, type LiveResult, planOf } from "./plan.ts";
import { appendRequest, createRequest, readRequest } from "./requests.ts";
import { sendAll } from "./seed.ts";
import { Latencies, nowMicros, stamped, StampScanner } from "./stamp.ts";
import { Window } from "./window.ts";

/** A connection that takes what arrives on it. */
interface Connection {
  take(bytes: Uint8Array, length: number): void;
}

const plan = planOf<LivePlan>();
const pathOf = (stream: number) => `${plan.prefix}s${stream}`;
const expected = plan.readers * plan.hz * plan.seconds;
const latencies = new Latencies(expected * 2);
const poller = new Poller();
const connections = new Map<number, Connection>();
let begun = 0;

/** SSE is one response without an end: the stamps are all there is to find in it. */
class SseReader implements Connection {
  readonly #scanner = new StampScanner();
  #begun = false;

  take(bytes: Uint8Array, length: number): void {
    if (!this.#begun) {
      const status = new TextDecoder().decode(bytes.subarray(9, 12));
      if (status !== "200") throw new Error(`SSE was answered with ${status}`);
      this.#begun = true;
      begun++;
    }
    this.#scanner.scan(bytes, 0, length, latencies);
  }
}

/** Asks again as soon as it was answered, from where the answer ended. */
class LongPollReader implements Connection {
  readonly #scanner = new StampScanner();
  readonly #fd: number;
  readonly #path: string;
  #offset = "-1";
  #cursor: string | undefined;
  readonly #responses = new ResponseReader({
    onHead: (status, head) => {
      if (status !== 200 && status !== 204) throw new Error(`long-poll: ${head.slice(0, 200)}`);
      this.#offset = headerOf(head, "stream-next-offset") ?? this.#offset;
      this.#cursor = headerOf(head, "stream-cursor");
    },
    onBody: (bytes, from, to) => this.#scanner.scan(bytes, from, to, latencies),
    onEnd: () => this.ask(),
  });

  constructor(fd: number, path: string) {
    this.#fd = fd;
    this.#path = path;
    begun++;
  }

  ask(): void {
    const cursor = this.#cursor === undefined ? "" : `&cursor=${this.#cursor}`;
    sendText(
      this.#fd,
      readRequest(this.#path, `offset=${this.#offset}&live=long-poll${cursor}`),
    );
  }

  take(bytes: Uint8Array, length: number): void {
    this.#responses.feed(bytes, length);
  }
}

/** Writes whether or not the last write was answered: its rate does not follow the server's. */
class Writer implements Connection {
  readonly #fd: number;
  readonly #path: string;
  readonly #responses = new ResponseReader({
    onHead(status, head) {
      if (status >= 300) throw new Error(`an append was answered ${head.slice(0, 200)}`);
    },
    onBody() {},
    onEnd() {},
  });

  constructor(fd: number, path: string) {
    this.#fd = fd;
    this.#path = path;
  }

  write(): void {
    sendText(this.#fd, appendRequest(this.#path, stamped(nowMicros(), plan.messageBytes)));
  }

  take(bytes: Uint8Array, length: number): void {
    this.#responses.feed(bytes, length);
  }
}

const buffer = new Uint8Array(1 << 16);

function poll(timeoutMs: number): void {
  const ready = poller.wait(timeoutMs);
  for (let i = 0; i < ready; i++) {
    const fd = poller.ready(i);
    const length = receive(fd, buffer);
    if (length === 0) throw new Error("the server closed a live connection");
    if (length > 0) connections.get(fd)?.take(buffer, length);
  }
}

function open(make: (fd: number) => Connection): Connection {
  const fd = connect(plan.port);
  const connection = make(fd);
  connections.set(fd, connection);
  poller.add(fd);
  return connection;
}

function openReaders(): void {
  for (let i = 0; i < plan.readers; i++) {
    const path = pathOf(i % plan.streams);
    if (plan.mode === "sse") {
      open((fd) => {
        sendText(fd, readRequest(path, "offset=-1&live=sse"));
        return new SseReader();
      });
    } else {
      open((fd) => {
        const reader = new LongPollReader(fd, path);
        reader.ask();
        return reader;
      });
    }
    poll(0);
  }
  const deadline = performance.now() + 10_000;
  while (begun < plan.readers && performance.now() < deadline) poll(50);
}

/** Writes to the streams in turn, evenly over time, while `seconds` pass. */
function writeFor(seconds: number, writers: Writer[]): void {
  const interval = 1e6 / (plan.hz * plan.streams);
  const begin = nowMicros();
  const end = begin + seconds * 1e6;
  let due = begin;
  for (let n = 0;;) {
    const now = nowMicros();
    if (now >= end) return;
    if (now >= due) {
      writers[n++ % writers.length]?.write();
      due += interval;
      poll(0);
    } else {
      // Rounded up: a write may be late by a millisecond, which its stamp knows, and the wait
      // costs no CPU that would be taken for the load's.
      poll(Math.ceil((due - now) / 1000));
    }
  }
}

sendAll(plan.port, plan.streams, (n) => createRequest(pathOf(n)));
const writers: Writer[] = [];
for (let n = 0; n < plan.streams; n++) {
  open((fd) => {
    const writer = new Writer(fd, pathOf(n));
    writers.push(writer);
    return writer;
  });
}
openReaders();
writeFor(plan.warmSeconds, writers);
latencies.clear();
const window = new Window(plan.pid);
writeFor(plan.seconds, writers);
const span = window.end();
const deliveries = latencies.count;
const result: LiveResult = {
  deliveries,
  deliveredShare: deliveries / expected,
  p50Ms: latencies.percentileMs(0.5),
  p99Ms: latencies.percentileMs(0.99),
  cpuMicros: span.serverCpuMs * 1000 / deliveries,
  loadShare: span.loadShare,
  othersShare: span.othersShare,
};
answer(result);
Deno.exit(0);
