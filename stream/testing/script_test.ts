/**
 * A table language for the state machine. A script is a row per line, `command -> outcome`:
 *
 * ```
 * put demo/a ttl=10 body=hello     -> created tail=5
 * post demo/a body=x match=4       -> refused offset_mismatch tail=5
 * ```
 *
 * Blank lines and lines that begin with `#` are left out. Each entry goes through the codec into a
 * slab, as in the log; `now +MS` moves the stamps. `type=` is `text` unless said otherwise; `-` is
 * none. The words for the rest are in {@linkcode Script}'s methods.
 *
 * @module
 */

import assert from "node:assert/strict";
import { bodyOf, decode, encodeHeader } from "../codec.ts";
import { normalizeJson } from "../json.ts";
import { copySlices, newSlab, sliceOf } from "../slab.ts";
import { GroupState } from "../state.ts";
import type { ColdRange } from "../cold_ranges.ts";
import type { ForkProof } from "../cold_types.ts";
import type { CutRefusal } from "../create.ts";
import { coldCommandOf, objectsText, piecesText } from "./cold_words_test.ts";
import { ModelStore } from "./model_store_test.ts";
import type { Body, Command, Outcome, ProducerStamp, Slab, StreamFacts } from "../types.ts";

const TYPES: Record<string, string | undefined> = {
  "-": undefined,
  text: "text/plain",
  json: "application/json",
  bytes: "application/octet-stream",
};

/** A row's words behind the verb: positional ones, `name=value` ones, and flags. */
export class Words {
  readonly plain: string[] = [];
  readonly #named = new Map<string, string>();

  constructor(words: string[]) {
    for (const word of words) {
      const equals = word.indexOf("=");
      if (equals < 0) this.plain.push(word);
      else this.#named.set(word.slice(0, equals), word.slice(equals + 1));
    }
  }

  at(i: number): string {
    const word = this.plain[i];
    assert.ok(word !== undefined, `word ${i + 1} is missing`);
    return word;
  }

  has(flag: string): boolean {
    return this.plain.includes(flag);
  }

  text(name: string): string | undefined {
    return this.#named.get(name);
  }

  number(name: string): number | undefined {
    const value = this.text(name);
    return value === undefined ? undefined : Number(value);
  }

  /** `a/b/c` as its parts. */
  parts(name: string): string[] | undefined {
    return this.text(name)?.split("/");
  }
}

/** What a replica applies. */
export interface Entry {
  readonly command: Command;
  readonly index: number;
  readonly stampMs: number;
  readonly outcome: Outcome;
}

/** A state and what a script did to it. */
export class Script {
  state = new GroupState({ group: 3, formation: "f", pinsFlushed: true });
  readonly slabs: Slab[] = [];
  store = new ModelStore();
  /** All that was committed, to be replayed elsewhere. */
  readonly entries: Entry[] = [];
  /** Does this replica have no copies of its own? */
  pins = false;
  /** Called after each command. */
  afterEach: (() => void) | undefined;
  index = 0;
  stampMs = 1000;

  /** Runs every row; fails at the first whose outcome is another, with the line. */
  run(text: string): void {
    for (const line of text.split("\n")) {
      const row = line.trim();
      if (row === "" || row.startsWith("#")) continue;
      const [left, right] = row.split(/\s*->\s*/);
      const actual = this.#row(left ?? "");
      if (right !== undefined) assert.equal(actual, right.replace(/\s+/g, " "), row);
    }
  }

  /** Applies a command, whatever it takes to propose it, and what else is to happen then. */
  apply(command: Command): Outcome {
    const proof = this.#proofOf(command);
    const proven = command.type === "create" && command.fork !== undefined && proof !== undefined &&
        "incarnation" in proof
      ? { ...command, fork: { ...command.fork, proof } }
      : command;
    let outcome = this.commit(proven, ++this.index);
    if (command.type === "create" && "ok" in outcome && outcome.ok === "unproven") {
      assert.ok(proof !== undefined && "refused" in proof, "a proof is missing");
      outcome = proof;
    }
    this.afterEach?.();
    return outcome;
  }

  /** Applies the next flush of so many bytes; between the indices, so that they stay the same. */
  flush(maxBytes: number, rangeBytes = 3): Outcome | undefined {
    const { ranges, length, slices } = this.state.cold.planFlush({ maxBytes, rangeBytes });
    if (ranges.length === 0) return undefined;
    const payload = copySlices(slices);
    const object = { number: this.state.cold.nextNumber, term: 1, length };
    const outcome = this.commit({ type: "flush", object, ranges }, this.between());
    const applied = "ok" in outcome && outcome.ok === "stored" ? outcome.applied : [];
    for (const [i, { at }] of ranges.entries()) {
      // Nobody needs it any more: what lies between a fork and a trim.
      if (!applied.includes(i)) payload.fill(0, at, ranges[i + 1]?.at ?? length);
    }
    assert.deepEqual(this.store.payloads.get(object.number), payload);
    return outcome;
  }

  /** An index behind the last entry and before the next. */
  between(): number {
    return (this.state.index + this.index + 1) / 2;
  }

  /** Applies an entry the way a log would. */
  commit(command: Command, index: number): Outcome {
    const header = encodeHeader(command, this.stampMs);
    const body = bodyOf(command);
    const length = header.length + (body === undefined ? 0 : body.data.end - body.data.start);
    const slab = newSlab(length);
    slab.bytes.set(header);
    if (body !== undefined) slab.bytes.set(copySlices([body.data]), header.length);
    this.slabs.push(slab);
    const decoded = decode(slab, 0, length);
    const outcome = this.state.apply(decoded.command, index, decoded.stampMs);
    if (command.type === "flush" && "ok" in outcome && outcome.ok === "stored") {
      this.#copy(command.object.number, command.object.length);
    }
    for (const number of command.type === "forget" ? command.numbers : []) {
      // Whoever forgets has deleted.
      if (this.state.cold.objects.get(number) === undefined) this.store.payloads.delete(number);
    }
    this.entries.push({ command, index, stampMs: this.stampMs, outcome });
    return outcome;
  }

  /** Applies what another script committed. */
  replay({ command, index, stampMs, outcome }: Entry): void {
    this.stampMs = stampMs;
    this.index = Math.floor(index);
    assert.deepEqual(this.commit(command, index), outcome);
  }

  /** Writes this replica's copy of an object that was flushed. */
  #copy(number: number, length: number): void {
    const payload = copySlices([...this.state.cold.pinnedPayload(number)]);
    assert.equal(payload.length, length);
    this.store.payloads.set(number, payload);
    if (!this.pins) this.state.cold.unpin(number);
  }

  /** Looks up what a fork needs proven. */
  #proofOf(command: Command): ForkProof | CutRefusal | undefined {
    if (command.type !== "create" || command.fork === undefined) return undefined;
    const known = new Map<string, Uint32Array>();
    while (true) {
      const ends = ({ number, at }: ColdRange) => known.get(`${number} ${at}`);
      const proof = this.state.cold.proveFork(command.fork, ends);
      if (proof === undefined || !("wanted" in proof)) return proof;
      const { number, at } = proof.wanted;
      known.set(`${number} ${at}`, this.store.ends(proof.wanted));
    }
  }

  /** Puts the state through an export and an import. */
  async reload(): Promise<void> {
    const before = this.state.stateHash();
    this.state = await GroupState.import(this.state.export(), {
      group: 3,
      formation: "f",
      pinsFlushed: true,
      allocate: (bytes) => {
        const slab = newSlab(bytes);
        this.slabs.push(slab);
        return slab;
      },
    });
    assert.equal(this.state.stateHash(), before);
  }

  /** Deletes every stream; then nothing may be held any more. */
  finish(keys: Iterable<string>): void {
    for (const key of keys) this.apply({ type: "delete", key });
    assert.equal(this.state.streamCount, 0, "a stream is left");
    assert.equal(this.state.cold.objects.liveBytes, 0, "an object is referred to");
    for (const number of this.state.cold.pinnedObjects()) this.state.cold.unpin(number);
    assert.equal(this.state.cold.pinnedBytes, 0);
    assert.equal(this.state.hotBytes, 0);
    assert.equal(this.state.hotFootprint, 0);
  }

  #row(row: string): string {
    const [verb = "", ...rest] = row.split(/\s+/);
    const words = new Words(rest);
    const command = commandOf(verb, words);
    if (command !== undefined) return outcomeText(this.apply(command));
    const cold = coldCommandOf(this, verb, words);
    if (cold !== undefined) return outcomeText(this.apply(cold));
    switch (verb) {
      case "drain":
        return outcomeText(
          this.flush(words.number("max") ?? 1 << 22, words.number("range")) ?? { ok: "done" },
        );
      case "objects":
        return objectsText(this.state);
      case "pieces":
        return piecesText(this.state, words);
      case "pins":
        this.pins = words.at(0) === "on";
        return "";
      case "unpin":
        this.state.cold.unpin(Number(words.at(0)));
        return "";
      case "pinned":
        return `${
          this.state.cold.pinnedObjects().join(" ") || "none"
        } bytes=${this.state.cold.pinnedBytes}`;
      case "snapshot": {
        const found = this.state.snapshot(words.at(0));
        return found === undefined ? "none" : `${found.offset} in ${found.number}`;
      }
      case "hot":
        return `${this.state.hotBytes}`;
      case "now":
        this.stampMs += Number(words.at(0));
        return "";
      case "find":
        return findText(this.state.find(words.at(0)));
      case "read":
        return this.#read(words);
      case "due":
        return this.state.due(this.stampMs + Number(words.at(0)), 100).join(" ");
      case "touch?":
        return String(this.state.touchWanted(words.at(0), this.stampMs));
      case "list": {
        const limit = words.number("limit") ?? 1000;
        const prefix = words.text("prefix") ?? "";
        return this.state.listStreams(words.at(0), prefix, words.text("after"), limit)
          .map(({ streamId }) => streamId).join(" ");
      }
      case "buckets": {
        const limit = words.number("limit") ?? 1000;
        return this.state.listBuckets(words.text("prefix") ?? "", words.text("after"), limit)
          .map(({ bucket }) => bucket).join(" ");
      }
      case "bucket": {
        const view = this.state.bucket(words.at(0));
        if (view === undefined) return "none";
        const intent = view.intent === undefined
          ? ""
          : ` intent=${view.intent.action}/${view.intent.version}`;
        return `${view.phase} version=${view.version} streams=${view.streams}` +
          ` listed=${view.listed}${intent}`;
      }
      case "changed":
        return this.state.takeChanged().map((change) =>
          `${change.key}@${change.incarnation}:` +
          (change.appended ? `${change.from}..${change.tail}` : "") +
          (change.closed ? " closed" : "") + (change.ended ? " ended" : "")
        ).join(", ");
      case "errands":
        return this.state.pendingUnlinks().map(({ key, home, token }) => `${key} ${home} ${token}`)
          .join(", ");
      case "reservations":
        return this.state.pendingReservations(this.stampMs).map(({ key, target, token }) =>
          `${key} ${target} ${token}`
        ).join(", ");
      default:
        throw new Error(`no verb ${verb}`);
    }
  }

  #read(words: Words): string {
    const from = words.at(1);
    const position = from === "start" || from === "now" ? from : Number(from);
    const max = words.number("max") ?? 1 << 22;
    const planned = this.state.read(words.at(0), position, max, words.text("inc"));
    if (!("slices" in planned)) return findText(planned);
    const plan = this.store.settle(planned);
    if ("refused" in plan) return findText(plan);
    const text = new TextDecoder().decode(this.store.read(plan));
    return `${plan.from}..${plan.next} "${text}"${plan.upToDate ? " up-to-date" : ""}` +
      (plan.facts.closed ? " closed" : "");
  }
}

function commandOf(verb: string, words: Words): Command | undefined {
  switch (verb) {
    case "put":
      return putOf(words);
    case "post":
      return postOf(words);
    case "delete":
      return { type: "delete", key: words.at(0), incarnation: words.text("inc") };
    case "touch":
    case "expire":
      return { type: verb, keys: words.plain };
    case "intend":
      return {
        type: "intend_bucket",
        bucket: words.at(0),
        action: words.at(1) as "create" | "delete",
      };
    case "set":
    case "settle": {
      const type = verb === "set" ? "set_bucket" : "settle_bucket";
      const phase = words.at(1) as "open" | "closed";
      return { type, bucket: words.at(0), phase, version: Number(words.at(2)) };
    }
    case "reserve": {
      const deadlineMs = words.number("deadline") ?? 5000;
      return { type: "reserve", key: words.at(0), target: Number(words.at(1)), deadlineMs };
    }
    case "link":
    case "unlink":
      return { type: verb, key: words.at(0), token: Number(words.at(1)) };
    case "forget":
      return { type: "forget_unlink", key: words.at(0), token: Number(words.at(1)) };
    default:
      return undefined;
  }
}

function putOf(words: Words): Command {
  const source = words.text("from");
  const reservation = words.parts("reservation")?.map(Number);
  return {
    type: "create",
    key: words.at(0),
    contentType: typeOf(words, "text"),
    ttlSeconds: words.number("ttl"),
    expiresAtMs: words.number("expires"),
    closed: words.has("closed"),
    body: bodyFrom(words),
    fork: source === undefined
      ? undefined
      : { source, offset: words.number("at"), subOffset: words.number("sub") ?? 0 },
    reservation: reservation === undefined ? undefined : {
      home: reservation[0] ?? 0,
      token: reservation[1] ?? 0,
      deadlineMs: reservation[2] ?? 0,
    },
  };
}

function postOf(words: Words): Command {
  const body = bodyFrom(words);
  const [id, epoch, seq] = words.parts("producer") ?? [];
  const producer: ProducerStamp | undefined = id === undefined
    ? undefined
    : { id, epoch: Number(epoch), seq: Number(seq) };
  return {
    type: "append",
    key: words.at(0),
    contentType: typeOf(words, body === undefined ? "-" : "text"),
    body,
    closed: words.has("close"),
    producer,
    streamSeq: words.text("seq"),
    ifMatch: words.number("match"),
    incarnation: words.text("inc"),
  };
}

function typeOf(words: Words, usual: string): string | undefined {
  const name = words.text("type") ?? (words.text("json") === undefined ? usual : "json");
  return name in TYPES ? TYPES[name] : name.replaceAll("~", " ");
}

function bodyFrom(words: Words): Body | undefined {
  const text = words.text("body"), json = words.text("json"), items = words.text("items");
  if (items !== undefined) {
    const data = sliceOf(new TextEncoder().encode(items.replaceAll("|", "")));
    return { data, lengths: items.split("|").map((item) => item.length) };
  }
  const bytes = new TextEncoder().encode(text ?? json ?? "");
  if (text !== undefined) return { data: sliceOf(bytes) };
  if (json === undefined) return undefined;
  const output = new Uint8Array(bytes.length + 1);
  const result = normalizeJson(bytes, output, 0, { flatten: true, messagesMax: Infinity });
  assert.ok(!("fault" in result), "bad JSON in a row");
  return { data: sliceOf(output.subarray(0, result.written)), lengths: result.lengths };
}

function factsText(facts: StreamFacts | undefined): string {
  if (facts === undefined) return "";
  return ` tail=${facts.tail}${facts.closed ? " closed" : ""}`;
}

function findText(
  found: StreamFacts | { refused: string; facts?: StreamFacts } | {
    moved: number;
    token: number;
    linked: boolean;
  },
): string {
  if ("refused" in found) return `refused ${found.refused}${factsText(found.facts)}`;
  if ("moved" in found) {
    return `moved ${found.moved} ${found.token} ${found.linked ? "linked" : "reserved"}`;
  }
  const ttl = found.ttlSeconds === undefined ? "" : ` ttl=${found.ttlSeconds}`;
  const expires = found.expiresAtMs === undefined ? "" : ` expires=${found.expiresAtMs}`;
  return `${found.incarnation} ${found.contentType}${factsText(found)}${ttl}${expires}` +
    ` created=${found.createdAtMs} written=${found.lastWriteAtMs}`;
}

/** An outcome as the right side of a row. */
export function outcomeText(outcome: Outcome): string {
  if ("refused" in outcome) {
    const { producerEpoch, expectedSeq, lastStreamSeq } = outcome;
    return `refused ${outcome.refused}${factsText(outcome.facts)}` +
      (producerEpoch === undefined ? "" : ` epoch=${producerEpoch}`) +
      (expectedSeq === undefined ? "" : ` expected=${expectedSeq}`) +
      (lastStreamSeq === undefined ? "" : ` last=${lastStreamSeq}`);
  }
  switch (outcome.ok) {
    case "created":
    case "existed":
      return `${outcome.ok}${factsText(outcome.facts)}`;
    case "appended":
    case "repeated": {
      const { producer } = outcome;
      const by = producer === undefined ? "" : ` producer=${producer.epoch}/${producer.seq}`;
      return `${outcome.ok}${factsText(outcome.facts)}${by}`;
    }
    case "bucket":
      return `${outcome.phase} version=${outcome.version}${outcome.existed ? " existed" : ""}` +
        ` streams=${outcome.streams}`;
    case "reserved":
      return `reserved ${outcome.token}`;
    case "published":
      return `published${factsText(outcome.facts)}${outcome.repeated ? " repeated" : ""}`;
    case "stored":
      return `stored ${outcome.applied.join(",") || "none"} bytes=${outcome.bytes}`;
    case "moved":
      return `moved ${outcome.target} ${outcome.token} ${outcome.linked ? "linked" : "reserved"}`;
    default:
      return outcome.ok;
  }
}
