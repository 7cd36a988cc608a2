import assert from "node:assert/strict";
import { Violation } from "../violation.ts";
import { BucketModel } from "./bucket_model.ts";

Deno.test("BucketModel throws when a bucket that exists is not there", () => {
  const bucket = new BucketModel("alpha");
  bucket.end(bucket.begin("create"), "created");
  bucket.seen(true);
  assert.throws(() => bucket.seen(false), Violation);
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
  bucket.seen(false);
  bucket.seen(true);
  bucket.lost(call);
  bucket.seen(false);
  bucket.seen(true);
  bucket.settle();
  bucket.seen(false);
  assert.throws(() => bucket.seen(true), Violation);
});

Deno.test("BucketModel.watch() notes what the bucket was in between", () => {
  const bucket = new BucketModel("alpha");
  const window = bucket.watch();
  assert.deepEqual(window, { open: false, absent: true });
  bucket.end(bucket.begin("create"), "created");
  assert.deepEqual(window, { open: true, absent: true });
  bucket.unwatch(window);
});
