import assert from "node:assert/strict";
import { SimClock } from "../tests/sim/clock.ts";
import { BodyReader } from "./body.ts";

const LIMIT = 100_000;
const IN_FLIGHT_MAX = 150_000;

/** A body that the test sends piece by piece. */
class Upload {
  controller!: ReadableStreamDefaultController<Uint8Array>;
  cancelled = false;
  readonly request: Request;

  /** @param announced `Content-Length`, left out for a chunked body */
  constructor(announced?: number | string) {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.controller = controller;
      },
      cancel: () => {
        this.cancelled = true;
      },
    });
    const headers = new Headers();
    if (announced !== undefined) headers.set("content-length", String(announced));
    this.request = new Request("http://node/", { method: "POST", body, headers });
  }

  send(length: number): this {
    this.controller.enqueue(new Uint8Array(length).fill(7));
    return this;
  }

  end(): this {
    this.controller.close();
    return this;
  }
}

function given() {
  const clock = new SimClock();
  const reader = new BodyReader(clock, IN_FLIGHT_MAX);
  const read = async (upload: Upload, limit = LIMIT) => {
    const result = await reader.read(upload.request, limit);
    return typeof result === "string" ? result : result.length;
  };
  return { clock, reader, read };
}

/** Announced and short: in one go. Announced and long: in pieces. Not announced: in pieces. */
const KINDS: [name: string, announced: (length: number) => number | undefined, length: number][] = [
  ["short", (length) => length, 1_000],
  ["long", (length) => length, 70_000],
  ["chunked", () => undefined, 80_000],
];

for (const [name, announced, length] of KINDS) {
  Deno.test(`read() gives a ${name} body whole, and holds nothing afterwards`, async () => {
    const { reader, read } = given();
    const upload = new Upload(announced(length)).send(length / 2);
    const reading = read(upload);
    await new Promise((resolve) => setTimeout(resolve, 0));
    assert.equal(reader.bytesInFlight, announced(length) ?? length / 2);
    upload.send(length / 2).end();
    assert.equal(await reading, length);
    assert.equal(reader.bytesInFlight, 0);
  });

  Deno.test(`read() gives a ${name} body up when it makes no progress`, async () => {
    const { clock, reader, read } = given();
    const upload = new Upload(announced(length)).send(1);
    const reading = read(upload);
    await clock.run(29_000);
    let over = false;
    reading.then(() => over = true);
    await clock.run(0);
    assert.equal(over, false);
    await clock.run(8_000);
    assert.equal(over, true);
    assert.equal(await reading, "request_timeout");
    assert.equal(reader.bytesInFlight, 0);
    await clock.run(60_000);
    assert.equal(await clock.step(), false, "nobody looks after bodies that are over");
  });

  Deno.test(`read() says that a ${name} body broke off`, async () => {
    const { reader, read } = given();
    const upload = new Upload(announced(length)).send(1);
    const reading = read(upload);
    await new Promise((resolve) => setTimeout(resolve, 0));
    upload.controller.error(new Error("connection reset"));
    assert.equal(await reading, "body_broken_off");
    assert.equal(reader.bytesInFlight, 0);
  });

  Deno.test(`settle() waits for a ${name} body that is on its way, and for no other one`, async () => {
    const { clock, reader, read } = given();
    const upload = new Upload(announced(length)).send(1);
    const reading = read(upload);
    let settled = false;
    reader.settle().then(() => settled = true);
    const later = new Upload(announced(length)).send(1);
    const readingLater = read(later);
    await clock.run(2_000);
    assert.equal(settled, false);
    upload.send(length - 1).end();
    assert.equal(await reading, length);
    await clock.run(100);
    assert.equal(settled, true);
    later.controller.error(new Error("closed"));
    assert.equal(await readingLater, "shutting_down");
  });

  Deno.test(`settle() waits for a ${name} body three seconds, and blames no client then`, async () => {
    const { clock, reader, read } = given();
    const upload = new Upload(announced(length)).send(1);
    const reading = read(upload);
    const settling = reader.settle();
    await clock.run(3_100);
    await settling;
    upload.controller.error(new Error("closed"));
    assert.equal(await reading, "shutting_down");
    await clock.run(5_000);
    const next = new Upload(announced(length)).send(1);
    const readingNext = read(next);
    await clock.run(0);
    next.controller.error(new Error("connection reset"));
    assert.equal(await readingNext, "body_broken_off");
    reader.close();
  });

  Deno.test(`close() gives a ${name} body up`, async () => {
    const { clock, reader, read } = given();
    const reading = read(new Upload(announced(length)).send(1));
    await clock.run(0);
    reader.close();
    assert.equal(await reading, "request_timeout");
    assert.equal(reader.bytesInFlight, 0);
    assert.equal(await clock.step(), false);
  });
}

Deno.test("read() knows a body without bytes", async () => {
  const { reader, read } = given();
  assert.equal(await read(new Upload(0)), 0);
  assert.equal(await read(new Upload().end()), 0);
  const none = await reader.read(new Request("http://node/", { method: "POST" }), LIMIT);
  assert.equal(none.length, 0);
});

Deno.test("read() refuses a body that is too large, before reading it where that is announced", async () => {
  const { reader, read } = given();
  const announced = new Upload(LIMIT + 1);
  assert.equal(await read(announced), "payload_too_large");
  const chunked = new Upload().send(LIMIT).send(1);
  assert.equal(await read(chunked), "payload_too_large");
  assert.equal(chunked.cancelled, true);
  assert.equal(await read(new Upload(LIMIT).send(LIMIT).end()), LIMIT);
  assert.equal(await read(new Upload().send(LIMIT).end()), LIMIT);
  assert.equal(reader.bytesInFlight, 0);
});

Deno.test("read() takes nobody's word for a length", async () => {
  const { reader, read } = given();
  assert.equal(await read(new Upload(5).send(LIMIT).send(LIMIT).end()), "payload_too_large");
  for (const text of ["five", "-5", "5, 5", "1e9", "0x10", " "]) {
    assert.equal(await read(new Upload(text).send(8).end()), 8, text);
    assert.equal(await read(new Upload(text).send(LIMIT).send(1).end()), "payload_too_large", text);
    assert.equal(reader.bytesInFlight, 0, text);
  }
});

Deno.test("read() is overloaded when bodies under way hold too much, until they are over", async () => {
  const { reader, read } = given();
  const first = new Upload(90_000);
  const reading = read(first);
  assert.equal(await read(new Upload(60_001)), "overloaded");
  const chunked = new Upload().send(30_000);
  const piecewise = read(chunked);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(reader.bytesInFlight, 120_000);
  chunked.send(30_001);
  assert.equal(await piecewise, "overloaded");
  assert.equal(chunked.cancelled, true);
  assert.equal(reader.bytesInFlight, 90_000);
  first.send(90_000).end();
  assert.equal(await reading, 90_000);
  assert.equal(await read(new Upload(60_001).send(60_001).end()), 60_001);
});

Deno.test("read() waits for as long as something comes", async () => {
  const { clock, read } = given();
  const upload = new Upload();
  const reading = read(upload);
  for (let minute = 0; minute < 10; minute++) {
    await clock.run(25_000);
    upload.send(1);
  }
  await clock.run(1);
  upload.end();
  assert.equal(await reading, 10);
});
