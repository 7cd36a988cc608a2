/**
 * One core: the groups it owns, the turns that carry their work to disk, the lines to the other
 * shards, and the live readers it feeds.
 *
 * @module
 */
export type {
  BoundFacts,
  Errands,
  GroupAccess,
  GroupFacts,
  OrderAccess,
  Page,
  PlaneFacts,
  ShardFacts,
  Survey,
  SurveyAnswers,
  TrafficFacts,
} from "./access.ts";
export { Admission, proposeAdmitted } from "./admission.ts";
export type { ColdFacts } from "./cold/facts.ts";
export { FETCH_BYTES_MAX } from "./access.ts";
export type { ColdTier } from "./cold/tier.ts";
export { FREE_BYTES_MIN } from "./disk_space.ts";
export {
  DURATION_BOUNDS_MS,
  DURATION_CELLS,
  type DurationFacts,
  durationFactsOf,
  Durations,
} from "./durations.ts";
export type { Eventually } from "../group/mod.ts";
export { Roster, type Seat } from "./roster.ts";
export { Feed, FeedBatch, type FeedReader, Feeds } from "./feed.ts";
export type { LineLevel, LogLine } from "./log_line.ts";
export type { JournalFacts } from "./journal_facts.ts";
export { Mailbox } from "./mailbox.ts";
export { Neighbourhood } from "./neighbourhood.ts";
export { type OpenShard, openShard, type ShardHooks, type ShardIo } from "./open.ts";
export type { GroupOrder, OrderAnswer, OrderRefused, OrderResults } from "./orders/mod.ts";
export { PEER_KINDS } from "./peer_kinds.ts";
export { type Peers, presentMember } from "./peers.ts";
export type { ClusterSetup, ColdSetup, ColdTiming, ShardSetup } from "./setup.ts";
export { groupOf, journalOf, shardOf } from "./placement.ts";
export { Shard, type ShardBounds } from "./shard.ts";
