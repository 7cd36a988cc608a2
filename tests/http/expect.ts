/**
 * Assertions on answers that every subject needs.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type ErrorCode, ERRORS } from "../../protocol/errors.ts";

/** What an assertion looks at; `Answer` and `RawAnswer` both are one. */
interface Answered {
  readonly status: number;
  readonly text: string;
  readonly headers: { get(name: string): string | null | undefined };
}

/** The answer is the error `code`: status of the table, JSON shape, one line of message. */
export function assertError(answer: Answered | undefined, code: ErrorCode, context = ""): void {
  assert.ok(answer, `${context}: no answer`);
  assertErrorShape(answer, context);
  assert.equal(JSON.parse(answer.text).error.code, code, `${context} ${answer.text}`);
}

/** The answer is an error of the table, whichever. Its status and code agree. */
export function assertErrorShape(answer: Answered, context = ""): void {
  assert.ok(answer.status >= 400, `${context}: ${answer.status} is no error`);
  assert.match(answer.headers.get("content-type") ?? "", /^application\/json\b/, context);
  let body: { error?: { code?: unknown; message?: unknown } };
  try {
    body = JSON.parse(answer.text);
  } catch {
    assert.fail(`${context}: ${answer.status} whose body is no JSON: ${answer.text.slice(0, 200)}`);
  }
  const code = body.error?.code;
  const message = body.error?.message;
  assert.ok(
    typeof code === "string" && Object.hasOwn(ERRORS, code),
    `${context}: ${JSON.stringify(code)} is not in the table`,
  );
  const entry = ERRORS[code as ErrorCode];
  const statuses = code === "outcome_unknown" ? [503, 408] : [entry.status];
  assert.ok(statuses.includes(answer.status), `${context}: ${code} came as ${answer.status}`);
  assert.ok(typeof message === "string" && /^[^\r\n]+$/.test(message), `${context}: no message`);
  if (answer.status === 503) {
    assert.ok(answer.headers.get("retry-after"), `${context}: Retry-After`);
  }
}

/** The answer has this status; its body is shown where it has not. */
export function assertStatus(
  answer: Answered | undefined,
  status: number,
  context = "",
): asserts answer is Answered {
  assert.equal(answer?.status, status, `${context} ${answer?.text.slice(0, 300)}`);
}

/** Polls until `condition` holds; for what the protocol lets happen a little later. */
export async function eventually(
  condition: () => Promise<boolean>,
  what: string,
  timeoutMs = 5_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) assert.fail(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Resolves after so many milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
