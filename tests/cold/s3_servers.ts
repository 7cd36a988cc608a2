/**
 * Servers that speak S3, for tests: one in process, and one that the environment names.
 *
 * | variable | |
 * | --- | --- |
 * | `URSULA_TEST_S3_ENDPOINT` | URL of a server whose data is of no value, such as a MinIO; unset, it is left out |
 * | `URSULA_TEST_S3_ACCESS_KEY_ID`, `URSULA_TEST_S3_SECRET_ACCESS_KEY` | default `minioadmin` |
 *
 * @module
 */

import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { startFauxqs } from "fauxqs";

/** A server with a bucket in it that is empty at first. */
export interface S3Server {
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  stop(): Promise<void>;
}

/** One that takes any credentials, and is gone when it is stopped. */
export async function startS3(): Promise<S3Server> {
  const server = await startFauxqs({ port: 0, host: "127.0.0.1", logger: false });
  const bucket = "objects";
  server.createBucket(bucket);
  return {
    endpoint: `http://127.0.0.1:${server.port}`,
    bucket,
    accessKeyId: "anybody",
    secretAccessKey: "anything",
    stop: () => server.stop(),
  };
}

/** Is there a real one to test against? */
export function hasRealS3(): boolean {
  return Deno.env.get("URSULA_TEST_S3_ENDPOINT") !== undefined;
}

/** The one that the environment names, with a new bucket, which stays behind. */
export async function realS3(): Promise<S3Server> {
  const endpoint = Deno.env.get("URSULA_TEST_S3_ENDPOINT") ?? "";
  const accessKeyId = Deno.env.get("URSULA_TEST_S3_ACCESS_KEY_ID") ?? "minioadmin";
  const secretAccessKey = Deno.env.get("URSULA_TEST_S3_SECRET_ACCESS_KEY") ?? "minioadmin";
  const bucket = `ursula-test-${crypto.randomUUID()}`;
  const client = new S3Client({
    endpoint,
    forcePathStyle: true,
    region: "us-east-1",
    credentials: { accessKeyId, secretAccessKey },
  });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
  return { endpoint, bucket, accessKeyId, secretAccessKey, stop: () => Promise.resolve() };
}

/** Flags and environment of a node whose objects lie there. */
export function s3Flags(
  { endpoint, bucket, accessKeyId, secretAccessKey }: Omit<S3Server, "stop">,
): { readonly args: string[]; readonly env: Record<string, string> } {
  return {
    args: ["--cold-backend", "s3", "--cold-s3-bucket", bucket, "--cold-s3-endpoint", endpoint],
    env: {
      URSULA_COLD_S3_ACCESS_KEY_ID: accessKeyId,
      URSULA_COLD_S3_SECRET_ACCESS_KEY: secretAccessKey,
    },
  };
}
