import { type Query, STREAM_INCARNATION, type StreamRoute } from "../protocol/mod.ts";
import { type Reply, respond, respondObstacle } from "./answer.ts";
import { unexpected } from "./append.ts";
import type { HttpContext } from "./context.ts";

/** DELETE (P§5.4). */
export async function remove(
  context: HttpContext,
  request: Request,
  route: StreamRoute,
  query: Query,
): Promise<Reply> {
  const incarnation = query.incarnation ?? request.headers.get(STREAM_INCARNATION) ?? undefined;
  const answer = await context.streams.delete({ type: "delete", key: route.key, incarnation });
  if (!("ok" in answer)) return respondObstacle(answer);
  if (answer.ok !== "deleted") throw unexpected(answer.ok);
  return respond(204, { [STREAM_INCARNATION]: answer.incarnation });
}
