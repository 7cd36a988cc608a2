import { Bootstrap } from "../node/bootstrap.ts";
import {
  type BootstrapRoute,
  CACHE_CONTROL,
  CONTENT_TYPE,
  formatOffset,
  type Query,
  STREAM_SNAPSHOT_OFFSET,
  STREAM_UP_TO_DATE,
} from "../protocol/mod.ts";
import {
  type HeaderMap,
  type Reply,
  respond,
  respondError,
  respondObstacle,
  tailHeaders,
} from "./answer.ts";
import { BootstrapBody, pieceBytes } from "./bootstrap_body.ts";
import type { HttpContext } from "./context.ts";
import { parseRead } from "./read_request.ts";

/** Nobody can guess a boundary of so many random bytes, and write it into a stream beforehand. */
const BOUNDARY_BYTES = 16;

const NOT_LIVE = "a bootstrap is not live: leave live out, and read on from Stream-Next-Offset";

/** GET …/bootstrap: the StreamSnapshot and the messages since, a part each (SPEC section 6). */
export async function bootstrap(
  context: HttpContext,
  request: Request,
  { key }: BootstrapRoute,
  query: Query,
): Promise<Reply> {
  if (query.live !== undefined) return respondError("invalid_live", {}, { message: NOT_LIVE });
  const wish = parseRead(query, request.headers);
  if (typeof wish === "string") return respondError(wish);
  const { incarnation } = wish;
  const isHead = request.method === "HEAD";
  const begun = await context.streams.bootstrap({ key, incarnation, touch: !isHead });
  if (!(begun instanceof Bootstrap)) return respondObstacle(begun);
  const bytes = context.random.bytes(BOUNDARY_BYTES);
  const boundary = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const headers = bootstrapHeaders(begun, boundary);
  if (isHead) {
    begun.end();
    return respond(200, headers);
  }
  // While nothing is on its way, the client can still be told why not.
  const beginning = await snapshotBeginning(begun);
  if (beginning !== undefined && "unavailable" in beginning) {
    begun.end();
    return respondObstacle(beginning);
  }
  return respond(200, headers, new BootstrapBody(begun, boundary, beginning, context.clock).stream);
}

function snapshotBeginning(bootstrap: Bootstrap): ReturnType<Bootstrap["fetch"]> | undefined {
  const { snapshot } = bootstrap;
  if (snapshot === undefined || snapshot.object.length === 0) return undefined;
  return bootstrap.fetch(snapshot, 0, pieceBytes(snapshot, 0));
}

function bootstrapHeaders({ facts, snapshot }: Bootstrap, boundary: string): HeaderMap {
  const headers = tailHeaders(facts);
  headers[CONTENT_TYPE] = `multipart/mixed; boundary=${boundary}`;
  headers[STREAM_SNAPSHOT_OFFSET] = snapshot === undefined ? "-1" : formatOffset(snapshot.offset);
  headers[STREAM_UP_TO_DATE] = "true";
  headers[CACHE_CONTROL] = "no-store";
  return headers;
}
