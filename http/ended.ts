import type { StreamKey } from "../stream/mod.ts";
import { type Reply, respondError, respondObstacle } from "./answer.ts";
import type { HttpContext } from "./context.ts";
import type { ReadWish } from "./read_request.ts";

/** Why nothing can be watched (any more): the incarnation is over, or this node can't tell. */
export async function respondEnded(
  context: HttpContext,
  key: StreamKey,
  wish: ReadWish,
  incarnation: string,
): Promise<Reply> {
  const answer = await context.streams.read({
    key,
    from: "now",
    maxBytes: 0,
    incarnation,
    touch: false,
  });
  if ("plan" in answer) return respondError("no_leader");
  const renewed = "refused" in answer && answer.refused === "incarnation_mismatch";
  if (renewed && wish.incarnation === undefined) return respondError("stream_not_found");
  return respondObstacle(answer);
}
