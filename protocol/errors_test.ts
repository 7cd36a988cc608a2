import assert from "node:assert/strict";
import { ERROR_CODES, ERRORS, outcomeUnknownStatus, renderError } from "./errors.ts";

Deno.test("ERRORS holds snake_case codes with client or server statuses and one-line messages", () => {
  for (const code of ERROR_CODES) {
    const entry = ERRORS[code];
    assert.match(code, /^[a-z]+(_[a-z]+)*$/);
    assert.ok(entry.status >= 400 && entry.status < 600, code);
    assert.doesNotMatch(entry.message, /[\n.]$|\n/, code);
  }
});

Deno.test("ERRORS says that nothing was applied for every status below 500", () => {
  for (const code of ERROR_CODES) {
    if (ERRORS[code].status < 500) assert.ok(ERRORS[code].nothingApplied, code);
  }
});

Deno.test("ERRORS never invites to repeat what may have been applied", () => {
  for (const code of ERROR_CODES) {
    if (!ERRORS[code].nothingApplied) assert.ok(!ERRORS[code].retryable, code);
  }
});

Deno.test("renderError() writes the table's message when given none", () => {
  assert.deepEqual(JSON.parse(renderError("stream_closed")), {
    error: { code: "stream_closed", message: ERRORS.stream_closed.message },
  });
});

Deno.test("renderError() escapes the message it is given", () => {
  const body = JSON.parse(renderError("bad_request", 'say "x"'));
  assert.deepEqual(body, { error: { code: "bad_request", message: 'say "x"' } });
});

Deno.test("outcomeUnknownStatus() is 503 only when a producer makes the repeat harmless", () => {
  assert.equal(outcomeUnknownStatus(true), 503);
  assert.equal(outcomeUnknownStatus(false), 408);
});
