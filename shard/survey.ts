import type { Group } from "../group/mod.ts";
import type { Survey, SurveyAnswers } from "./access.ts";
import type { ObjectNumbers } from "./cold/numbers.ts";

/** The answer of a replica that leads. */
export function answerSurvey(
  group: Group,
  survey: Survey,
  numbers: ObjectNumbers,
): SurveyAnswers[Survey["about"]] {
  const { state } = group;
  switch (survey.about) {
    case "streams": {
      const { prefix, after, limit } = survey.page;
      return state.listStreams(survey.bucket, prefix, after || undefined, limit);
    }
    case "buckets": {
      const { prefix, after, limit } = survey.page;
      return state.listBuckets(prefix, after || undefined, limit);
    }
    case "bucket":
      return { view: state.bucket(survey.bucket) };
    case "errands":
      return {
        intents: state.pendingIntents(),
        reservations: state.pendingReservations(group.nowMs),
        unlinks: state.pendingUnlinks(),
      };
    case "link":
      return { link: state.linkOf(survey.key) };
    case "time":
      return { nowMs: group.nowMs };
    case "object":
      return numbers.take(group);
  }
}
