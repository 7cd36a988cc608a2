import assert from "node:assert/strict";
import { Violation } from "../violation.ts";
import { BucketModel } from "./bucket_model.ts";

Deno.test("BucketModel throws when a bucket that exists is not there", () => {
  const bucket = new BucketModel("alpha");
  bucket.end(bucket.begin("create"), "created");
  look(bucket, true);
  assert.throws(() => look(bucket, false), Violation);
});

Deno.test("BucketModel throws when a bucket is created twice", () => {
  const bucket = new BucketModel("alpha");
  bucket.end(bucket.begin("create"), "created");
  assert.throws(() => bucket.end(bucket.begin("create"), "created"), Violation);
});

Deno.test("BucketModel takes either while a delete is under way, and after one cut short", () => {
  const bucket = new BucketModel("alpha");
  bucket.end(bucket.begin("create"), "created");
  const call = bucket.begin("delete");
  look(bucket, false);
  look(bucket, true);
  bucket.lost(call);
  look(bucket, false);
  look(bucket, true);
  bucket.settle();
  look(bucket, false);
  assert.throws(() => look(bucket, true), Violation);
});

Deno.test("BucketModel.watch() notes what the bucket was in between", () => {
  const bucket = new BucketModel("alpha");
  const window = bucket.watch();
  assert.deepEqual(window, { open: false, absent: true, quiet: true });
  bucket.end(bucket.begin("create"), "created");
  assert.deepEqual(window, { open: true, absent: true, quiet: false });
  bucket.unwatch(window);
});

Deno.test("BucketModel takes what the bucket was at any time while somebody looked", () => {
  const bucket = new BucketModel("alpha");
  bucket.end(bucket.begin("create"), "created");
  const early = bucket.watch();
  // Closed and opened again: a stream was found in it.
  bucket.end(bucket.begin("delete"), "bucket_not_empty");
  const late = bucket.watch();
  bucket.seen(false, early);
  assert.throws(() => bucket.seen(false, late), Violation);
});

function look(bucket: BucketModel, open: boolean): void {
  bucket.seen(open, bucket.watch());
}
