import type {
  Answer,
  BootstrapAnswer,
  BootstrapBroken,
  BootstrapRequest,
  BootstrapStretch,
  LiveEvent,
  ReadAnswer,
  ReadRequest,
} from "../group/mod.ts";
import { joinSlices } from "../group/mod.ts";
import { sliceOf } from "../stream/mod.ts";
import type { Command, ObjectName, ReadPlan, StreamFacts, StreamKey } from "../stream/mod.ts";
import type { MemberId } from "../raft/mod.ts";
import type { GroupFacts, ShardFacts, Survey, SurveyAnswers } from "./access.ts";
import type { GroupOrder, OrderAnswer } from "./orders/mod.ts";

/**
 * What goes between two shards in one message: many calls, answers and events at once. Slices become
 * plain bytes on the way, since a slab does not leave its shard.
 */
export interface Parcel {
  readonly calls: Call[];
  readonly answers: CallAnswer[];
  readonly events: WatchEvent[];
  readonly frames: Frame[];
}

/** A Raft message from another node, for a group of the shard that it is passed on to. */
export interface Frame {
  readonly from: MemberId;
  readonly group: number;
  readonly bytes: Uint8Array;
}

/** A request to the owner of a group. `id` pairs it with its answer. */
export type Call =
  & { readonly id: number; readonly group: number }
  & (
    | { readonly verb: "submit"; readonly command: Command; readonly body: Uint8Array | undefined }
    | { readonly verb: "read"; readonly request: ReadRequest }
    | {
      readonly verb: "fetch";
      readonly object: ObjectName;
      readonly offset: number;
      readonly length: number;
    }
    | { readonly verb: "bootstrap"; readonly request: BootstrapRequest }
    | { readonly verb: "next"; readonly session: number }
    /** Of a bootstrap; not answered. */
    | { readonly verb: "tell"; readonly session: number; readonly what: "goes_on" | "ends" }
    | { readonly verb: "survey"; readonly survey: Survey }
    | { readonly verb: "facts" }
    | { readonly verb: "order"; readonly order: GroupOrder }
    /** Of the shard, as the next; the group is any. */
    | { readonly verb: "report" }
    | { readonly verb: "drain"; readonly draining: boolean }
    /** A step of a RaftSnapshot's transfer from another node. */
    | { readonly verb: "arrival"; readonly from: MemberId; readonly bytes: Uint8Array }
    /** What another node asks about objects. */
    | { readonly verb: "cold"; readonly from: MemberId; readonly bytes: Uint8Array }
    | { readonly verb: "watch"; readonly key: StreamKey; readonly incarnation: string }
    | { readonly verb: "unwatch"; readonly key: StreamKey; readonly watch: number }
  );

/** What came of a call. */
export interface CallAnswer {
  readonly id: number;
  readonly value:
    | Answer
    | PackedRead
    | BootstrapAnswer
    | BootstrapStretch
    | BootstrapBroken
    | StreamFacts
    | SurveyAnswers[Survey["about"]]
    | GroupFacts
    | ShardFacts
    | OrderAnswer
    | number
    | Uint8Array
    | undefined;
}

/** An event for the watch that call `watch` began. */
export interface WatchEvent {
  readonly watch: number;
  readonly event: PackedEvent;
}

/** A {@linkcode ReadAnswer} whose slices became bytes. */
export type PackedRead =
  | { readonly plan: Omit<ReadPlan, "slices">; readonly bytes: Uint8Array }
  | Exclude<ReadAnswer, { plan: unknown }>;

/** A {@linkcode LiveEvent} whose slices became bytes. */
export type PackedEvent = Omit<LiveEvent, "slices"> & { readonly bytes: Uint8Array | undefined };

/** An empty parcel. */
export function emptyParcel(): Parcel {
  return { calls: [], answers: [], events: [], frames: [] };
}

/** Takes a command's body out of it, as bytes of their own. */
export function packCommand(command: Command): { command: Command; body: Uint8Array | undefined } {
  if (!("body" in command) || command.body === undefined) return { command, body: undefined };
  const { data, lengths } = command.body;
  const body = data.slab.bytes.slice(data.start, data.end);
  return { command: { ...command, body: { data: NO_SLICE, lengths } }, body };
}

/** The reverse of {@linkcode packCommand}. */
export function unpackCommand(command: Command, body: Uint8Array | undefined): Command {
  if (body === undefined || !("body" in command)) return command;
  return { ...command, body: { data: sliceOf(body), lengths: command.body?.lengths } };
}

/** Makes a read's answer fit to travel. */
export function packRead(answer: ReadAnswer): PackedRead {
  if (!("plan" in answer)) return answer;
  // Some plans have these by inheritance, which does not travel.
  const { slices, facts, from, next, upToDate, snapshot } = answer.plan;
  const bytes = ownBytes(joinSlices(slices));
  return { plan: { facts, from, next, upToDate, snapshot }, bytes };
}

/** The reverse of {@linkcode packRead}. */
export function unpackRead(packed: PackedRead): ReadAnswer {
  if (!("bytes" in packed)) return packed;
  const slices = packed.bytes.length === 0 ? [] : [sliceOf(packed.bytes)];
  return { plan: { ...packed.plan, slices } };
}

/** Makes an event fit to travel. */
export function packEvent(event: LiveEvent): PackedEvent {
  const { slices, ...rest } = event;
  return { ...rest, bytes: slices && ownBytes(joinSlices(slices)) };
}

/** The reverse of {@linkcode packEvent}. */
export function unpackEvent({ bytes, ...rest }: PackedEvent): LiveEvent {
  return { ...rest, slices: bytes && (bytes.length === 0 ? [] : [sliceOf(bytes)]) };
}

const NO_SLICE = sliceOf(new Uint8Array(0));

/** Bytes that are a view of more are copied: who takes or keeps them would drag all of that along. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.length < bytes.buffer.byteLength ? bytes.slice() : bytes;
}
