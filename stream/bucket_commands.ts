/**
 * Applying the three bucket commands (SPEC section 2).
 *
 * @module
 */

import type { Bucket, Buckets } from "./buckets.ts";
import type { IntendBucket, Outcome, SetBucket, SettleBucket } from "./types.ts";

/** In the home group: decides on a create or delete, one at a time per bucket. */
export function applyIntend(buckets: Buckets, command: IntendBucket, index: number): Outcome {
  const known = buckets.get(command.bucket);
  if (known?.intent !== undefined) return { refused: "bucket_busy" };
  const open = known?.phase === "open";
  if (command.action === "create" && open) return outcomeOf(known, known.version, true);
  if (command.action === "delete" && !open) return { refused: "bucket_not_found" };
  const bucket = buckets.obtain(command.bucket);
  const version = index * 2;
  bucket.intent = { action: command.action, version };
  return outcomeOf(bucket, version, open);
}

/** In every group: takes over a phase of a higher version; answers what holds now. */
export function applySet(buckets: Buckets, command: SetBucket, stampMs: number): Outcome {
  const known = buckets.get(command.bucket);
  const existed = known?.phase === "open";
  const version = buckets.versionOf(command.bucket);
  if (command.version <= version) {
    if (known !== undefined) return outcomeOf(known, version, existed);
    return { ok: "bucket", phase: "closed", version, existed, streams: 0 };
  }
  const bucket = buckets.obtain(command.bucket);
  bucket.phase = command.phase;
  bucket.version = command.version;
  const outcome = outcomeOf(bucket, command.version, existed);
  buckets.tidy(bucket, stampMs);
  return outcome;
}

/**
 * In the home group: decides how an intent ends; harmless where it is not under way.
 *
 * A delete's is decided here alone, whoever finishes it and however many at once: `closed` ends it,
 * `open` turns it into a create's at the odd version behind. The answer's version says which came
 * first: the delete's own where the bucket is gone, the one behind it where it opens again.
 */
export function applySettle(buckets: Buckets, command: SettleBucket, stampMs: number): Outcome {
  const { bucket: id, phase, version } = command;
  const bucket = buckets.get(id);
  const existed = bucket?.phase === "open";
  if (bucket?.intent?.version === version) {
    if (bucket.intent.action === "create") {
      bucket.intent = undefined;
    } else if (phase === "open") {
      bucket.intent = { action: "create", version: version + 1 };
    } else {
      bucket.intent = undefined;
      bucket.phase = "closed";
      bucket.version = Math.max(bucket.version, version);
    }
    buckets.tidy(bucket, stampMs);
  }
  const known = buckets.get(id);
  const decided = known?.intent?.action === "create" ? known.intent.version : 0;
  const latest = Math.max(decided, buckets.versionOf(id));
  if (known !== undefined) return outcomeOf(known, latest, existed);
  return { ok: "bucket", phase: "closed", version: latest, existed, streams: 0 };
}

function outcomeOf(bucket: Bucket, version: number, existed: boolean): Outcome {
  return { ok: "bucket", phase: bucket.phase, version, existed, streams: bucket.streams };
}
