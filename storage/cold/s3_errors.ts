/**
 * What an error of the S3 client means.
 *
 * @module
 */

import { ColdError, type ColdErrorKind } from "./error.ts";

/** Codes of answers, as S3 and what speaks its language give them. */
const KINDS: Readonly<Record<string, ColdErrorKind>> = {
  NoSuchKey: "not_found",
  NoSuchBucket: "no_bucket",
  InvalidBucketName: "no_bucket",
  InvalidRange: "corrupt",
  SlowDown: "unavailable",
  SlowDownRead: "unavailable",
  SlowDownWrite: "unavailable",
  RequestTimeout: "unavailable",
  // The client has learnt the store's time from this answer: its next request is signed with it.
  RequestTimeTooSkewed: "unavailable",
  OperationAborted: "unavailable",
  NoSuchUpload: "unavailable",
  BadDigest: "unavailable",
  IncompleteBody: "unavailable",
  QuotaExceeded: "full",
  InsufficientCapacity: "full",
  XMinioStorageFull: "full",
  XMinioAdminBucketQuotaExceeded: "full",
  EntityTooLarge: "full",
};

/** What to look at, where the store's own words do not say so. */
const HINTS: Readonly<Record<string, string>> = {
  InvalidAccessKeyId: "the access key is not known there",
  SignatureDoesNotMatch: "the secret access key does not belong to the access key",
  AccessDenied: "the credentials do not permit this, or not in this bucket",
  ExpiredToken: "the session token has expired",
  InvalidToken: "the session token is not valid",
  AuthorizationHeaderMalformed: "the region may be the wrong one",
  PermanentRedirect: "the bucket lies in another region",
  NoSuchBucket: "make the bucket, or name another one",
  RequestTimeTooSkewed: "the clocks of this machine and of the store differ too much",
  CredentialsProviderError: "no credentials were found",
};

/** Failures before there is an answer which no repetition will mend. */
const CLIENT_KINDS: Readonly<Record<string, ColdErrorKind>> = {
  CredentialsProviderError: "denied",
  ENOTFOUND: "unavailable",
};

const STATUS_INSUFFICIENT_STORAGE = 507;

/** An error of the client as the interface has it; errors of its own, and a caller's, pass. */
export function s3Error(error: unknown, store: string, key: string | undefined): unknown {
  if (error instanceof ColdError || error instanceof RangeError) return error;
  const { name, code, status, message } = factsOf(error);
  const kind = status === undefined ? CLIENT_KINDS[name] ?? "unavailable" : kindOf(name, status);
  const hint = HINTS[name] ?? (message.includes("Region is missing") ? NO_REGION : undefined);
  const said = [hint, code ?? (name === "Error" ? undefined : name), message, status]
    .filter((part) => part !== undefined && part !== "" && part !== UNKNOWN);
  return new ColdError(
    message.includes("Region is missing") ? "denied" : kind,
    store,
    key,
    said.join(": "),
    { cause: error },
  );
}

const NO_REGION = "name the bucket's region";
/** What the client says where an answer has no body, as those to HEAD. */
const UNKNOWN = "UnknownError";

/** Was the answer that there is no such thing, without saying whether object or bucket? */
export function isBareNotFound(error: unknown): boolean {
  const { name, status } = factsOf(error);
  return status === 404 && name !== "NoSuchBucket";
}

function kindOf(name: string, status: number): ColdErrorKind {
  const kind = KINDS[name];
  if (kind !== undefined) return kind;
  if (status === STATUS_INSUFFICIENT_STORAGE) return "full";
  if (status >= 500 || status === 429 || status === 408 || status === 409 || status < 300) {
    return "unavailable";
  }
  return status === 404 ? "not_found" : "denied";
}

interface Facts {
  /** The code of an answer, or the name of the error. */
  readonly name: string;
  /** The system's code, such as `ECONNREFUSED`. */
  readonly code: string | undefined;
  /** Of the answer; undefined where there was none. */
  readonly status: number | undefined;
  readonly message: string;
}

function factsOf(error: unknown): Facts {
  if (!(error instanceof Error)) {
    return { name: "", code: undefined, status: undefined, message: String(error) };
  }
  const { $metadata, code } = error as {
    readonly $metadata?: { readonly httpStatusCode?: number };
    readonly code?: unknown;
  };
  return {
    name: error.name,
    code: typeof code === "string" ? code : undefined,
    status: $metadata?.httpStatusCode,
    message: error.message.split("\n")[0] ?? "",
  };
}
