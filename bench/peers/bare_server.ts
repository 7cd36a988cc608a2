/**
 * The programs behind `bare.ts`: `deno run -A bare_server.ts PORT [headers]`.
 *
 * @module
 */

import {
  CONTENT_TYPE,
  IF_MATCH,
  PRODUCER_EPOCH,
  PRODUCER_ID,
  PRODUCER_SEQ,
  STREAM_CLOSED,
  STREAM_INCARNATION,
  STREAM_NEXT_OFFSET,
  STREAM_SEQ,
} from "../../protocol/mod.ts";

/** What an append may say of itself. */
const ASKED = [
  ...[CONTENT_TYPE, PRODUCER_ID, PRODUCER_EPOCH, PRODUCER_SEQ, STREAM_SEQ, STREAM_CLOSED],
  ...[STREAM_INCARNATION, IF_MATCH, "content-length", "content-encoding", "origin"],
];

const [port, kind] = Deno.args;
const answer = kind === "headers" ? answerWithHeaders : answerBare;
Deno.serve({ hostname: "127.0.0.1", port: Number(port) }, answer);

async function answerBare(request: Request): Promise<Response> {
  await request.bytes();
  return new Response(null, { status: 204 });
}

/** Looks at whatever tells appends apart, and says what each is answered. */
async function answerWithHeaders(request: Request): Promise<Response> {
  const { method, url, headers } = request;
  let said = 0;
  for (const name of ASKED) said += headers.get(name)?.length ?? 0;
  const body = await request.bytes();
  return new Response(null, {
    status: method === "POST" ? 204 : 201,
    headers: {
      [STREAM_NEXT_OFFSET]: String(body.length + said).padStart(20, "0"),
      [STREAM_INCARNATION]: url.slice(-16),
      "x-content-type-options": "nosniff",
      "cross-origin-resource-policy": "cross-origin",
    },
  });
}
