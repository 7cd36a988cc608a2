import { createHash } from "node:crypto";
import {
  type ErrorCode,
  formatOffset,
  parseOffset,
  type Query,
  type SnapshotRoute,
  STREAM_INCARNATION,
  STREAM_SNAPSHOT_OFFSET,
} from "../protocol/mod.ts";
import { DEFAULT_CONTENT_TYPE } from "../stream/mod.ts";
import { type Reply, respond, respondError, respondObstacle, tailHeaders } from "./answer.ts";
import { respondBodyError, unexpected } from "./append.ts";
import type { HttpContext } from "./context.ts";
import { isMediaType, parseContentType } from "./write_request.ts";

/** PUT: publish a StreamSnapshot (SPEC section 5). */
export async function publishSnapshot(
  context: HttpContext,
  request: Request,
  route: SnapshotRoute,
  query: Query,
): Promise<Reply> {
  const offset = parseSnapshotOffset(route.offset);
  if (offset === undefined) return respondSnapshotError("invalid_offset");
  const contentType = parseContentType(request.headers) ?? DEFAULT_CONTENT_TYPE;
  if (!isMediaType(contentType)) return respondError("invalid_content_type");
  const { bodies, settings } = context;
  // Hashed as it comes: all of it at once would hold up everybody else.
  const hash = createHash("sha256");
  let length = 0;
  const blocks = await bodies.readBlocks(request, settings.snapshotBytesMax, (block) => {
    hash.update(block);
    length += block.length;
  });
  if (typeof blocks === "string") {
    return respondBodyError(blocks, settings.snapshotBytesMax, "snapshot");
  }
  bodies.hold(length);
  try {
    const answer = await context.snapshots.publish({
      key: route.key,
      incarnation: query.incarnation ?? request.headers.get(STREAM_INCARNATION) ?? undefined,
      offset,
      contentType,
      pieces: blocks,
      length,
      digest: hash.digest("base64"),
    });
    if ("ok" in answer) {
      if (answer.ok !== "published") throw unexpected(answer.ok);
      const headers = tailHeaders(answer.facts);
      headers[STREAM_SNAPSHOT_OFFSET] = formatOffset(offset);
      return respond(204, headers);
    }
    return respondObstacle(answer);
  } finally {
    bodies.release(length);
  }
}

/** The offset of a snapshot's path; undefined where it is no position in a stream. */
export function parseSnapshotOffset(text: string): number | undefined {
  const offset = parseOffset(text);
  return typeof offset === "number" ? offset : undefined;
}

const MESSAGES: Partial<Record<ErrorCode, string>> = {
  invalid_offset: "the snapshot's offset is not valid: send a Stream-Next-Offset the server gave",
};

/** An error of the table, in the words that fit a snapshot's path. */
export function respondSnapshotError(code: ErrorCode): Reply {
  return respondError(code, {}, { message: MESSAGES[code] });
}
