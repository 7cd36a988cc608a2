/**
 * Spans and metrics for OpenTelemetry, by Deno's own exporter, where `OTEL_DENO` asks for it.
 *
 * The library is imported only then. Everything else (where to export to, sampling, what the process
 * calls itself) is said by the usual `OTEL_…` variables, which Deno reads by itself.
 *
 * @module
 */

import process from "node:process";
import type { Observable } from "@opentelemetry/api";
import type { MetricInstrument, MetricRow, Span, SpanFacts, SpanName, Tracer } from "./mod.ts";

/** What spans and metrics are said to come from. */
const SCOPE = "ursula";

/** Whether Deno exports telemetry. */
function isOn(): boolean {
  const value = process.env["OTEL_DENO"];
  return value === "true" || value === "1";
}

/** The tracer; undefined where nobody asked for telemetry. @param version the program's */
export async function openTracer(version: string): Promise<Tracer | undefined> {
  if (!isOn()) return undefined;
  const { SpanStatusCode, trace } = await import("@opentelemetry/api");
  const tracer = trace.getTracer(SCOPE, version);
  return {
    begin(name: SpanName, facts: SpanFacts): Span {
      const span = tracer.startSpan(name, { attributes: facts });
      return {
        end(last: SpanFacts, failed = false): void {
          span.setAttributes(last);
          if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        },
      };
    },
  };
}

/**
 * Has the node's numbers exported as often as `OTEL_METRIC_EXPORT_INTERVAL` says; does nothing where
 * nobody asked for telemetry.
 *
 * @param instruments all that `read` may answer
 * @param read asked each time; where it rejects, nothing is exported that time
 */
export async function exportMetrics(
  version: string,
  instruments: readonly MetricInstrument[],
  read: () => Promise<readonly MetricRow[]>,
): Promise<void> {
  if (!isOn()) return;
  const { metrics } = await import("@opentelemetry/api");
  const meter = metrics.getMeter(SCOPE, version);
  const observed = new Map<string, Observable>();
  for (const { name, help: description, kind } of instruments) {
    observed.set(
      name,
      kind === "counter"
        ? meter.createObservableCounter(name, { description })
        : meter.createObservableGauge(name, { description }),
    );
  }
  meter.addBatchObservableCallback(async (result) => {
    const rows = await read().catch(() => []);
    for (const { name, value, labels } of rows) {
      const instrument = observed.get(name);
      if (instrument !== undefined) result.observe(instrument, value, labels);
    }
  }, [...observed.values()]);
}
