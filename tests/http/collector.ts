/**
 * Takes what a server exports by OTLP/HTTP, as JSON.
 *
 * @module
 */

/** A span, as far as tests look at it. */
export interface TakenSpan {
  readonly name: string;
  readonly traceId: string;
  readonly parentSpanId: string;
  readonly attributes: Readonly<Record<string, string>>;
}

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** Where a server exports to. */
export class Collector {
  /** Of this product; Deno's own are left out. */
  readonly spans: TakenSpan[] = [];
  /** Names of this product's metrics, and of their labels. */
  readonly metrics = new Map<string, Set<string>>();
  /** All that came. */
  text = "";
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    this.#server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      async (request) => {
        const text = await request.text();
        this.text += text;
        this.#take(JSON.parse(text));
        return new Response("{}", { headers: { "content-type": "application/json" } });
      },
    );
  }

  /** What a server's environment needs to export here, and soon. */
  get env(): Record<string, string> {
    return {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.#server.addr.port}`,
      OTEL_METRIC_EXPORT_INTERVAL: "1000",
      OTEL_BSP_SCHEDULE_DELAY: "100",
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  // deno-lint-ignore no-explicit-any -- whatever came, by its own schema
  #take(body: any): void {
    for (const { scopeSpans } of body.resourceSpans ?? []) {
      for (const { scope, spans } of scopeSpans) {
        if (scope.name !== "ursula") continue;
        for (const span of spans) {
          const attributes = span.attributes.map(({ key, value }: Attribute) => [
            key,
            String(Object.values(value)[0]),
          ]);
          this.spans.push({ ...span, attributes: Object.fromEntries(attributes) });
        }
      }
    }
    for (const { scopeMetrics } of body.resourceMetrics ?? []) {
      for (const { scope, metrics } of scopeMetrics) {
        if (scope.name !== "ursula") continue;
        for (const { name, gauge, sum } of metrics) {
          const labels = this.metrics.get(name) ?? new Set();
          this.metrics.set(name, labels);
          const points: { attributes: Attribute[] }[] = (gauge ?? sum).dataPoints;
          for (const { attributes } of points) for (const { key } of attributes) labels.add(key);
        }
      }
    }
  }
}
