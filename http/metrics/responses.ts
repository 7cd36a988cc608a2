import { durationFactsOf } from "../../shard/mod.ts";
import { OPERATIONS } from "../operations.ts";
import { responsesOf, STATUSES } from "../traffic.ts";
import { histogramJson } from "./histogram_json.ts";
import type { HistogramSeries, NumberSeries, Series } from "./series.ts";
import type { MetricsView } from "./view.ts";

const RESPONSES: NumberSeries = {
  name: "ursula_http_responses_total",
  type: "counter",
  labels: ["route", "status"],
  json: "http.responses.*.*",
  help: "Answers, by what was asked for (other: an overloaded node did not look) and by status; " +
    "0 stands for a status of no table.",
  read({ traffic }, take) {
    OPERATIONS.forEach((route, operation) => {
      for (const status of STATUSES) {
        const count = responsesOf(traffic, operation, status);
        if (count > 0) take(count, route, status);
      }
    });
  },
};

const LATENCY: HistogramSeries = {
  name: "ursula_http_response_duration_seconds",
  type: "histogram",
  labels: ["route"],
  json: "http.latency.*",
  help:
    "From when a request's headers are here until its answer begins; long-polls wait on purpose.",
  read({ traffic }, take) {
    const durations = traffic.map((facts) => facts.durations);
    OPERATIONS.forEach((route, operation) => {
      const facts = durationFactsOf(durations, operation);
      if (facts.count > 0) take(facts, route);
    });
  },
};

/** The client planes. What was never asked for is left out. */
export const RESPONSE_SERIES: readonly Series[] = [RESPONSES, LATENCY];

/** `http` of the JSON. */
export function httpJson(view: MetricsView) {
  const responses: Record<string, Record<string, number>> = {};
  RESPONSES.read(view, (count, route = "", status = "") => {
    (responses[route] ??= {})[status] = count;
  });
  const latency: Record<string, ReturnType<typeof histogramJson>> = {};
  LATENCY.read(view, (facts, route = "") => {
    latency[route] = histogramJson(facts);
  });
  return { responses, latency };
}
