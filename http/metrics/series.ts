import type { DurationFacts } from "../../shard/mod.ts";
import type { MetricsView } from "./view.ts";

/** Takes one value of a series, with the values of its labels. */
export type Take<T> = (value: T, ...labels: (string | number)[]) => void;

interface SeriesBase {
  /** In the Prometheus text: its unit comes last, and behind that a counter's `_total`. */
  readonly name: string;
  readonly help: string;
  /** Names of its labels. */
  readonly labels: readonly string[];
  /**
   * Where the JSON has the same: names of fields, with `[]` behind that of a list, each of whose
   * elements is one value, and `*` for the names of all fields, which are labels then.
   */
  readonly json: string;
}

/** A number. */
export interface NumberSeries extends SeriesBase {
  readonly type: "counter" | "gauge";
  readonly read: (view: MetricsView, take: Take<number>) => void;
}

/** How long something took. */
export interface HistogramSeries extends SeriesBase {
  readonly type: "histogram";
  readonly read: (view: MetricsView, take: Take<DurationFacts>) => void;
}

/** A figure of the node: what the Prometheus text and the documentation are made of. */
export type Series = NumberSeries | HistogramSeries;

/** What is the same for a counter and a gauge without labels. */
export interface Figure {
  readonly name: string;
  readonly json: string;
  readonly help: string;
  /** Undefined where the node has no such thing. */
  readonly of: (view: MetricsView) => number | undefined;
}

/** A number without labels that goes up and down. */
export function gauge(figure: Figure): Series {
  return single("gauge", figure);
}

/** A number without labels that only grows. */
export function counter(figure: Figure): Series {
  return single("counter", figure);
}

function single(type: "counter" | "gauge", { of, ...rest }: Figure): Series {
  return {
    ...rest,
    type,
    labels: [],
    read(view, take) {
      const value = of(view);
      if (value !== undefined) take(value);
    },
  };
}
