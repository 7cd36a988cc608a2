/**
 * Spans and figures for OpenTelemetry, by Deno's own exporter, where `OTEL_DENO` asks for it.
 *
 * The library is imported only then. Everything else (where to export to, sampling, what the process
 * calls itself) is said by the usual `OTEL_…` variables, which Deno reads by itself.
 *
 * @module
 */

import process from "node:process";
import type { Observable } from "@opentelemetry/api";
import type { MetricRow, Span, SpanFacts, SpanName, Tracer } from "./mod.ts";

/** What spans and figures are said to come from. */
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
 * Has the figures exported as often as `OTEL_METRIC_EXPORT_INTERVAL` says; does nothing where nobody
 * asked for telemetry. Each row of the first answer becomes an instrument; others are left out.
 *
 * @param read asked each time; where it rejects, nothing is exported that time
 */
export async function exportMetrics(
  version: string,
  read: () => Promise<readonly MetricRow[]>,
): Promise<void> {
  if (!isOn()) return;
  const { metrics } = await import("@opentelemetry/api");
  const meter = metrics.getMeter(SCOPE, version);
  const instruments = new Map<string, Observable>();
  for (const { name, kind, unit } of await read()) {
    instruments.set(
      name,
      kind === "counter"
        ? meter.createObservableCounter(name, { unit })
        : meter.createObservableGauge(name, { unit }),
    );
  }
  meter.addBatchObservableCallback(async (result) => {
    const rows = await read().catch(() => []);
    for (const { name, value } of rows) {
      const instrument = instruments.get(name);
      if (instrument !== undefined) result.observe(instrument, value);
    }
  }, [...instruments.values()]);
}
