/**
 * One request each: sent to the product, its answer shown to the checkers.
 *
 * @module
 */

import type { Answer, ReadAnswer, ReadRequest, Unavailable } from "../../group/mod.ts";
import { joinSlices } from "../../group/mod.ts";
import type { MissingBucket } from "../../node/streams.ts";
import type { AppendStream, CreateStream, DeleteStream, ReadPlan } from "../../stream/mod.ts";
import { readCall } from "./check/namespace.ts";
import { show } from "./check/path_model.ts";
import { bodyOf, type Write } from "./check/writes.ts";
import type { Lost, SimNode } from "./sim_node.ts";
import { Violation } from "./violation.ts";
import { note, type World } from "./world.ts";

type Plain<C> = Omit<C, "body">;

/** Sends a create; `write` is its first body. */
export async function create(
  world: World,
  node: SimNode,
  who: string,
  asked: Plain<CreateStream>,
  missingBucket: MissingBucket,
  write?: Write,
): Promise<Answer | Lost> {
  const { namespace, ledger, trace } = world;
  const command: CreateStream = { ...asked, body: write && bodyOf(write) };
  const request = namespace.begin(command, asked.key, missingBucket);
  if (write !== undefined) write.maybe = true;
  if (asked.fork !== undefined) {
    ledger.maybeForked(asked.key, asked.fork.source, cutOf(world, asked));
  }
  const beganMs = world.clock.monotonicMs();
  const answer = await node.call(
    (runtime) => runtime.streams.create(command, missingBucket),
    world.plan.patienceMs,
  );
  trace.line(`${who} ${show(asked)} ${missingBucket} w${write?.id} -> ${show(answer)}`);
  checkDamage(world, node, answer, beganMs);
  if (isUnknown(answer)) {
    namespace.lost(request, overOf(answer));
    ledger.maybeMade(asked.key);
    return answer;
  }
  const created = "ok" in answer && answer.ok === "created" ? answer.facts : undefined;
  if (created !== undefined) {
    ledger.created(asked.key, created.incarnation);
    const own = write?.bytes.length ?? 0;
    if (asked.fork !== undefined) {
      const { source } = asked.fork;
      ledger.inherited(asked.key, created.incarnation, source, created.tail - own);
    }
    if (write !== undefined) ledger.acknowledged(write, created.incarnation, created.tail);
  } else if (write !== undefined) {
    write.maybe = false;
  }
  if ("facts" in answer) note(world, asked.key, answer.facts);
  namespace.end(request, answer);
  return answer;
}

/** Sends an append, a close, or both. */
export async function append(
  world: World,
  node: SimNode,
  who: string,
  asked: Plain<AppendStream>,
  write?: Write,
): Promise<Answer | Lost> {
  const { namespace, ledger, trace } = world;
  const command: AppendStream = { ...asked, body: write && bodyOf(write) };
  const request = namespace.begin(command, asked.key);
  const mayBeThere = write?.maybe === true;
  if (write !== undefined) write.maybe = true;
  const beganMs = world.clock.monotonicMs();
  const answer = await node.call(
    (runtime) => runtime.streams.append(command),
    world.plan.patienceMs,
  );
  trace.line(`${who} ${show(asked)} w${write?.id} -> ${show(answer)}`);
  checkDamage(world, node, answer, beganMs);
  if (isUnknown(answer)) {
    namespace.lost(request, overOf(answer));
    return answer;
  }
  if (write !== undefined) {
    if ("ok" in answer && answer.ok === "appended") {
      ledger.acknowledged(write, answer.facts.incarnation, answer.facts.tail);
    } else {
      write.maybe = mayBeThere;
    }
  }
  if ("facts" in answer) note(world, asked.key, answer.facts);
  namespace.end(request, answer);
  return answer;
}

/** Sends a delete. */
export async function remove(
  world: World,
  node: SimNode,
  who: string,
  command: DeleteStream,
): Promise<Answer | Lost> {
  const { namespace, trace } = world;
  const request = namespace.begin(command, command.key);
  const answer = await node.call(
    (runtime) => runtime.streams.delete(command),
    world.plan.patienceMs,
  );
  trace.line(`${who} ${show(command)} -> ${show(answer)}`);
  if (isUnknown(answer)) namespace.lost(request, overOf(answer));
  else namespace.end(request, answer);
  return answer;
}

/** Reads a stream, and checks what of the answer speaks for itself. */
export async function read(
  world: World,
  node: SimNode,
  who: string,
  asked: ReadRequest,
): Promise<ReadAnswer | Lost> {
  const { namespace, trace } = world;
  const request = namespace.begin(readCall(asked), asked.key);
  const beganMs = world.clock.monotonicMs();
  const answer = await node.call((runtime) => runtime.streams.read(asked), world.plan.patienceMs);
  trace.line(`${who} read ${show(asked)} -> ${show(answer)}`);
  checkDamage(world, node, answer, beganMs);
  if (isUnknown(answer)) {
    namespace.lost(request);
    return answer;
  }
  if ("plan" in answer) {
    takePlan(world, who, asked, answer.plan);
    note(world, asked.key, answer.plan.facts);
  }
  namespace.end(request, answer);
  return answer;
}

/** Checks what a read brought against what is known of the stream's bytes. */
export function takePlan(world: World, who: string, asked: ReadRequest, plan: ReadPlan): void {
  const { facts, from, next, upToDate } = plan;
  const wrong = (detail: string) =>
    new Violation("reads", `${show(asked)}: ${detail}: ${show(plan)}`);
  const expected = asked.from === "start" ? 0 : asked.from === "now" ? facts.tail : asked.from;
  if (from !== expected) throw wrong("begins elsewhere");
  const bytes = joinSlices(plan.slices);
  if (bytes.length !== next - from) throw wrong(`brought ${bytes.length} bytes`);
  if (from >= facts.tail ? next !== from : next <= from && asked.maxBytes > 0) {
    throw wrong("does not move on");
  }
  if (upToDate !== (next >= facts.tail)) throw wrong("is wrong about the tail");
  if (bytes.length > Math.max(asked.maxBytes, 1) && !facts.json) throw wrong("brought too much");
  world.ledger.read(asked.key, facts.incarnation, from, bytes, who);
  if (from === 0 && next === facts.tail) {
    world.ledger.whole(asked.key, facts.incarnation, facts.tail);
  }
}

/** Creates or deletes a bucket. */
export async function bucket(
  world: World,
  node: SimNode,
  who: string,
  id: string,
  action: "create" | "delete",
): Promise<void> {
  const { namespace, trace } = world;
  const request = namespace.beginBucket(id, action);
  const answer = await node.call(({ buckets }) =>
    action === "create" ? buckets.create(id) : buckets.delete(id)
  );
  trace.line(`${who} ${action} bucket ${id} -> ${show(answer)}`);
  if ("lost" in answer) return namespace.lostBucket(request);
  const text = "ok" in answer
    ? answer.ok
    : "refused" in answer
    ? answer.refused
    : answer.unavailable;
  namespace.endBucket(request, text);
}

/** Lists a page of a bucket's streams. */
export async function list(
  world: World,
  node: SimNode,
  who: string,
  id: string,
  page: { prefix: string; after: string; limit: number },
): Promise<void> {
  const { namespace, trace } = world;
  const requests = namespace.beginListing(id);
  const answer = await node.call((runtime) => runtime.listings.streams(id, page));
  trace.line(`${who} list ${id} ${show(page)} -> ${show(answer)}`);
  if ("lost" in answer || "unavailable" in answer) {
    return requests.forEach((request) => namespace.lost(request));
  }
  const listed = new Map(answer.items.map(({ streamId, facts }) => [`${id}/${streamId}`, facts]));
  const ids = answer.items.map(({ streamId }) => streamId);
  if (ids.some((found, at) => found <= (ids[at - 1] ?? page.after))) {
    throw new Violation("listings", `${id}: not in order: ${ids.join()}`);
  }
  if (ids.length > page.limit || (answer.hasMore && ids.length < page.limit)) {
    throw new Violation("listings", `${id}: ${ids.length} streams, more: ${answer.hasMore}`);
  }
  const last = answer.hasMore ? ids.at(-1) ?? "" : undefined;
  namespace.endListing(requests, listed, (key) => {
    const stream = key.slice(id.length + 1);
    if (!stream.startsWith(page.prefix) || stream <= page.after) return false;
    return last === undefined || stream <= last;
  });
}

/** Asks for a bucket. */
export async function exists(world: World, node: SimNode, who: string, id: string): Promise<void> {
  const bucket = world.namespace.bucket(id);
  const window = bucket.watch();
  const answer = await node.call(async ({ listings }) => ({
    found: await listings.describe(id),
  }));
  world.trace.line(`${who} describe ${id} -> ${show(answer)}`);
  if ("lost" in answer || (answer.found && "unavailable" in answer.found)) bucket.unwatch(window);
  else bucket.seen(answer.found !== undefined, window);
}

/** Nothing is damaged unless something rots. */
function checkDamage(
  { clock, plan }: World,
  node: SimNode,
  answer: Answer | ReadAnswer | Lost,
  beganMs: number,
): void {
  if (!isDamaged(answer) || node.isRotten) return;
  // What took so long may have been swept meanwhile.
  if (clock.monotonicMs() - beganMs >= (plan.cold?.keepsMs ?? 0)) return;
  throw new Violation("objects", `node ${node.id} speaks of damage: ${show(answer)}`);
}

/** Does the answer say that an object is not what was put? */
export function isDamaged(answer: Answer | ReadAnswer | Lost): answer is Unavailable {
  return "unavailable" in answer && answer.unavailable === "cold_damaged";
}

/** Will nobody ever tell what came of the request? */
export function isUnknown(
  answer: Answer | ReadAnswer | Lost,
): answer is Lost | { unavailable: "outcome_unknown" } {
  return "lost" in answer || ("unavailable" in answer && answer.unavailable === "outcome_unknown");
}

/** Resolves once nobody works on a request any more that was not answered. */
function overOf(answer: Lost | { unavailable: string }): Promise<unknown> | undefined {
  return "lost" in answer ? answer.over : undefined;
}

/** Where a fork would leave its source, if the request alone says so. */
function cutOf({ book }: World, { fork }: Plain<CreateStream>): number | undefined {
  if (fork?.offset === undefined) return undefined;
  const isJson = book.get(fork.source)?.json === true;
  return isJson && fork.subOffset > 0 ? undefined : fork.offset + fork.subOffset;
}
