import assert from "node:assert/strict";
import type { ShardSetup } from "../shard/mod.ts";
import { setupOf } from "../tests/given/shard.ts";
import { Crew } from "./crew.ts";

/** A worker whose entry is `onmessage`'s body: `order` is what it is told, `tell()` its answer. */
function spawnOf(body: string): () => Worker {
  const text = `const tell = (message) => self.postMessage(message);
    self.onmessage = async ({ data: order }) => { ${body} };`;
  return () => new Worker(`data:text/javascript,${encodeURIComponent(text)}`, { type: "module" });
}

/** Does what it is told, and says so. */
const OBEDIENT = `
  if (order.type === "start") {
    for (const port of order.ports) if (port) port.onmessage = ({ data, target }) => {
      target.postMessage(order.setup.index + " heard " + data);
    };
    tell({ type: "log", level: "info", message: "shard " + order.setup.index + order.extra });
  }
  tell({ type: { start: "started", listen: "listening", quiet: "quiet", stop: "stopped",
    renew: "renewed" }[
    order.type
  ] });
`;

function crewOf(spawn: () => Worker, size: number) {
  const fatal: string[] = [];
  const lines: string[] = [];
  const crew = new Crew({
    spawn,
    size,
    onFatal: ({ message }) => fatal.push(message),
    log: (level, message) => lines.push(`${level} ${message}`),
  });
  const setup = (index: number): ShardSetup => setupOf({ index, shardCount: size + 1 });
  return { crew, fatal, lines, start: (extra = "") => crew.start(setup, extra) };
}

function until(holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (!holds()) return;
      clearInterval(timer);
      resolve();
    }, 2);
  });
}

Deno.test("a crew starts a worker per further shard, each with a line to every other", async () => {
  const { crew, fatal, lines, start } = crewOf(spawnOf(OBEDIENT), 2);
  const ports = await start("!");
  assert.equal(ports[0], undefined);
  assert.deepEqual(lines.sort(), ["info shard 1!", "info shard 2!"]);
  for (const index of [1, 2]) {
    const port = ports[index];
    assert.ok(port !== undefined);
    const heard = new Promise((resolve) => port.onmessage = ({ data }) => resolve(data));
    port.postMessage("this");
    assert.equal(await heard, `${index} heard this`);
    port.close();
  }
  await crew.listen("127.0.0.1", 1);
  await crew.stop();
  assert.deepEqual(fatal, []);
});

/** Closes the first shard's ends of the lines, which are of no use here. */
function letGo(lines: readonly (MessagePort | undefined)[]): void {
  for (const line of lines) line?.close();
}

Deno.test("a crew of nobody has nothing to wait for", async () => {
  const { crew, start } = crewOf(() => assert.fail(), 0);
  assert.deepEqual(await start(), [undefined]);
  await crew.listen("127.0.0.1", 1);
  await crew.stop();
});

Deno.test("a crew asks its workers one thing at a time, in order", async () => {
  // Answers to what it is asked first come last.
  const slow = `
    if (order.type === "renew") await new Promise((resolve) => setTimeout(resolve, order.extra));
    tell({ type: "log", level: "info", message: order.type + " " + (order.extra ?? "") });
    ${OBEDIENT}`;
  const { crew, fatal, lines, start } = crewOf(spawnOf(slow), 1);
  letGo(await start());
  await Promise.all([crew.renew(30), crew.renew(1), crew.listen("127.0.0.1", 1), crew.quiet()]);
  const told = lines.filter((line) => !/start|shard/.test(line));
  assert.deepEqual(told, ["info renew 30", "info renew 1", "info listen ", "info quiet "]);
  await crew.stop();
  assert.deepEqual(fatal, []);
});

Deno.test("start() rejects when a worker can't start, says why, or dies of it", async () => {
  const ways: [body: string, reason: RegExp][] = [
    [`tell({ type: "failed", reason: "the disk is damaged" })`, /^Error: the disk is damaged$/],
    [`throw new Error("a bug")`, /shard [12] died.*a bug/],
  ];
  for (const [body, reason] of ways) {
    const { crew, start } = crewOf(
      spawnOf(`if (order.setup.index === 2) { ${body} } ${OBEDIENT}`),
      2,
    );
    await assert.rejects(start(), reason);
    crew.terminate();
  }
  const { crew, start } = crewOf(
    () => new Worker("data:text/javascript,this is no program", { type: "module" }),
    1,
  );
  await assert.rejects(start(), /shard 1 died/);
  crew.terminate();
});

Deno.test("who asks a worker that is lost already is told so", async () => {
  const { crew, fatal, start } = crewOf(
    () => new Worker("data:text/javascript,this is no program", { type: "module" }),
    1,
  );
  await until(() => fatal.length > 0);
  await assert.rejects(start(), /shard 1 died/);
  await assert.rejects(crew.quiet(), /shard 1 died/);
  crew.terminate();
});

Deno.test("a worker that dies, or says it can't go on, is fatal once", async () => {
  const ways: [body: string, reason: RegExp][] = [
    [`setTimeout(() => { throw new Error("a bug"); })`, /^shard 1 died: .*a bug/],
    [`Promise.reject(new Error("a bug"))`, /^shard 1 died: .*a bug/],
    [`tell({ type: "failed", reason: "a sync failed" })`, /^a sync failed$/],
  ];
  for (const [body, reason] of ways) {
    const { crew, fatal, start } = crewOf(
      spawnOf(`${OBEDIENT} setTimeout(() => { ${body} }, 20);`),
      1,
    );
    letGo(await start());
    await until(() => fatal.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(fatal.length, 1);
    assert.match(fatal[0] ?? "", reason);
    crew.terminate();
  }
});

Deno.test("stop() rejects when a worker can't end in good order", async () => {
  const body = `
    if (order.type === "stop") tell({ type: "failed", reason: "not durable" });
    else { ${OBEDIENT} }`;
  const { crew, fatal, start } = crewOf(spawnOf(body), 1);
  letGo(await start());
  await assert.rejects(crew.stop(), /^Error: not durable$/);
  assert.deepEqual(fatal, [], "whoever stops is told already");
  crew.terminate();
});

Deno.test("quiet() has all workers answer their requests, before any of them ends", async () => {
  const body = `
    tell({ type: "log", level: "info", message: order.type });
    if (order.type !== "quiet") { ${OBEDIENT} }
    else setTimeout(() => {
      tell({ type: "log", level: "info", message: "has answered" });
      tell({ type: "quiet" });
    }, 50 * Math.random());`;
  const { crew, lines, start } = crewOf(spawnOf(body), 2);
  letGo(await start());
  lines.length = 0;
  await crew.quiet();
  assert.deepEqual(lines.sort(), [
    "info has answered",
    "info has answered",
    "info quiet",
    "info quiet",
  ]);
  await crew.stop();
  assert.deepEqual(lines.slice(4), ["info stop", "info stop"]);
});
