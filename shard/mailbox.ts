import { type Eventually, type Watcher, wholeItem } from "../group/mod.ts";
import { proposeAdmitted } from "./admission.ts";
import { NO } from "./cold/requests.ts";
import type { Shard } from "./shard.ts";
import {
  type Call,
  type CallAnswer,
  emptyParcel,
  type Frame,
  packEvent,
  packRead,
  type Parcel,
  unpackCommand,
  unpackEvent,
  type WatchEvent,
} from "./parcel.ts";

type CallBody = Call extends infer C ? C extends Call ? Omit<C, "id"> : never : never;

/** What a call is answered whose answer can't come any more. */
const STOPPING: CallAnswer["value"] = { unavailable: "stopping" };

const asIs = (value: CallAnswer["value"]) => value;

/**
 * One end of the line between two shards. Whatever a turn has for the other side leaves as one
 * parcel when the turn ends: a hop costs some 25 µs, a message in a full parcel under 2.
 */
export class Mailbox {
  readonly #port: MessagePort;
  readonly #shard: Shard;
  readonly #defer: (callback: () => void) => void;
  readonly #pending = new Map<number, (value: CallAnswer["value"]) => void>();
  readonly #watchers = new Map<number, Watcher>();
  /** Watches that the other side holds here, by the id of the call that began them. */
  readonly #held = new Map<number, Watcher>();
  #outgoing: Parcel = emptyParcel();
  #scheduled = false;
  #nextId = 1;

  constructor(port: MessagePort, shard: Shard, defer: (callback: () => void) => void) {
    this.#port = port;
    this.#shard = shard;
    this.#defer = defer;
    port.onmessage = (message: MessageEvent<Parcel>) => this.#open(message.data);
  }

  /** Calls that the other side has yet to answer. */
  get waiting(): number {
    return this.#pending.size;
  }

  /** Sends a call; resolves with its answer. */
  call(body: CallBody): Promise<CallAnswer["value"]> {
    const id = this.#send(body);
    return new Promise((resolve) => this.#pending.set(id, resolve));
  }

  /** Sends a `watch` call; the answer's id names the watch. */
  async watch(
    body: Extract<CallBody, { verb: "watch" }>,
    watcher: Watcher,
  ): Promise<{ id: number; value: CallAnswer["value"] }> {
    const id = this.#send(body);
    this.#watchers.set(id, watcher);
    const value = await new Promise<CallAnswer["value"]>((resolve) =>
      this.#pending.set(id, resolve)
    );
    if (value !== STOPPING) {
      if (value === undefined) this.#watchers.delete(id);
      return { id, value };
    }
    this.#watchers.delete(id);
    return { id, value: undefined };
  }

  /** Ends a watch. */
  unwatch(body: Extract<CallBody, { verb: "unwatch" }>): void {
    this.#watchers.delete(body.watch);
    this.#send(body);
  }

  /** Sends a call that is not answered. */
  tell(body: Extract<CallBody, { verb: "tell" }>): void {
    this.#send(body);
  }

  /** Passes a Raft message on to the group's owner. */
  pass(frame: Frame): void {
    this.#outgoing.frames.push(frame);
    this.#schedule();
  }

  /** Closes the line. */
  close(): void {
    this.#port.close();
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const resolve of pending) resolve(STOPPING);
  }

  #send(body: CallBody): number {
    const id = this.#nextId++;
    this.#outgoing.calls.push({ ...body, id } as Call);
    this.#schedule();
    return id;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#defer(this.#flush);
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    const parcel = this.#outgoing;
    this.#outgoing = emptyParcel();
    this.#port.postMessage(parcel);
  };

  #open(parcel: Parcel): void {
    for (const answer of parcel.answers) {
      const resolve = this.#pending.get(answer.id);
      this.#pending.delete(answer.id);
      resolve?.(answer.value);
    }
    for (const { watch, event } of parcel.events) this.#deliver(watch, event);
    for (const { group, from, bytes } of parcel.frames) {
      this.#shard.step(wholeItem(group, bytes), from);
    }
    for (const call of parcel.calls) this.#serve(call);
  }

  #deliver(watch: number, event: WatchEvent["event"]): void {
    const watcher = this.#watchers.get(watch);
    if (event.ended) this.#watchers.delete(watch);
    watcher?.(unpackEvent(event));
  }

  #serve(call: Call): void {
    switch (call.verb) {
      case "submit":
        return proposeAdmitted(
          this.#shard,
          this.#shard.admission,
          call.group,
          unpackCommand(call.command, call.body),
          (answer) => this.#answer(call.id, answer),
        );
      case "read":
        return this.#answerLater(call.id, this.#shard.read(call.group, call.request), packRead);
      case "fetch": {
        const { group, object, offset, length } = call;
        return this.#answerLater(call.id, this.#shard.fetch(group, object, offset, length), asIs);
      }
      case "bootstrap":
        return this.#answerLater(
          call.id,
          this.#shard.beginBootstrap(call.group, call.request),
          asIs,
        );
      case "next":
        return this.#answerLater(
          call.id,
          this.#shard.nextOfBootstrap(call.group, call.session),
          asIs,
        );
      case "tell":
        return this.#shard.tellBootstrap(call.group, call.session, call.what);
      case "survey": {
        const answer = this.#shard.survey(call.group, call.survey as never);
        return this.#answerLater(call.id, answer, asIs);
      }
      case "facts":
        return this.#answer(call.id, this.#shard.facts(call.group));
      case "order":
        return this.#answerLater(call.id, this.#shard.order(call.group, call.order), asIs);
      case "drain":
        return this.#answerLater(call.id, this.#shard.drain(call.draining), asIs);
      case "report":
        return this.#answer(call.id, this.#shard.report());
      case "arrival":
        return this.#answerLater(
          call.id,
          this.#shard.arrive(call.group, call.from, call.bytes),
          asIs,
        );
      case "cold":
        return this.#answerLater(
          call.id,
          // What is malformed is a no: whoever sent it is told nothing better.
          this.#shard.answerCold(call.group, call.from, call.bytes).catch(() => NO),
          asIs,
        );
      case "watch":
        return this.#hold(call);
      case "unwatch": {
        const watcher = this.#held.get(call.watch);
        this.#held.delete(call.watch);
        if (watcher !== undefined) this.#shard.unwatch(call.group, call.key, watcher);
      }
    }
  }

  #hold(call: Extract<Call, { verb: "watch" }>): void {
    const watcher: Watcher = (event) => {
      if (event.ended) this.#held.delete(call.id);
      this.#outgoing.events.push({ watch: call.id, event: packEvent(event) });
      this.#schedule();
    };
    this.#held.set(call.id, watcher);
    Promise.resolve(this.#shard.watch(call.group, call.key, call.incarnation, watcher))
      .then((facts) => {
        if (facts === undefined) this.#held.delete(call.id);
        this.#answer(call.id, facts);
      });
  }

  #answerLater<T>(
    id: number,
    answer: Eventually<T>,
    pack: (answer: T) => CallAnswer["value"],
  ): void {
    if (answer instanceof Promise) answer.then((value) => this.#answer(id, pack(value)));
    else this.#answer(id, pack(answer));
  }

  #answer(id: number, value: CallAnswer["value"]): void {
    this.#outgoing.answers.push({ id, value });
    this.#schedule();
  }
}
