import { Registry } from 'prom-client';

/** What upstream promises about a metric: part of its help text. */
export type Stability = 'STABLE' | 'BETA' | 'ALPHA';

export interface MetricDescription {
  readonly name: string;
  readonly help: string;
  readonly stability: Stability;
  readonly labels?: readonly string[];
}

/** A counter's or gauge's number for one combination of label values. Whoever counts often keeps the series at hand. */
export class Series {
  value = 0;

  add(change = 1): void {
    this.value += change;
  }
}

/** A histogram's numbers for one combination of label values. */
export class HistogramSeries {
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  /** `weight`: as if it had been observed so often. */
  observe(value: number, weight = 1): void {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + weight;
    this.#sum += value * weight;
  }

  /** Cumulative, the last one without a bound. */
  read(): {
    readonly buckets: readonly (readonly [bound: number | string, count: number])[];
    readonly sum: number;
    readonly count: number;
  } {
    let count = 0;
    const buckets = Array.from(this.#counts, (own, index): [number | string, number] => {
      count += own;
      return [this.#bounds[index] ?? '+Inf', count];
    });
    return { buckets, sum: this.#sum, count };
  }
}

/** All series of one metric. */
export interface Family<S> {
  /** The series of these label values, in the order of the labels; made where there is none yet. */
  with(...values: string[]): S;
  /** Drops all series: those that are collected anew at every scrape begin with it. */
  clear(): void;
}

export type Collect<S> = (family: Family<S>) => void | Promise<void>;

/** The metrics of one server. `collect` is called at each scrape, before the series are read. */
export interface MetricFamilies {
  counter(description: MetricDescription, collect?: Collect<Series>): Family<Series>;
  gauge(description: MetricDescription, collect?: Collect<Series>): Family<Series>;
  histogram(
    description: MetricDescription & { readonly buckets: readonly number[] },
    collect?: Collect<HistogramSeries>,
  ): Family<HistogramSeries>;
  readonly register: Registry;
  /** In the text format, one metric at a time. */
  texts(): AsyncIterable<string>;
}

interface Value {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly sharedLabels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Counting costs an addition; what it means is put into words when somebody asks. */
export function createMetricFamilies(): MetricFamilies {
  const register = new Registry();
  const described: MetricDescription[] = [];
  const add = <S>(type: string, description: MetricDescription, make: () => S, read: Reader<S>, collect?: Collect<S>): Family<S> => {
    const family = new StoredFamily(description.labels ?? [], make);
    const { name } = description;
    described.push(description);
    const metric = {
      name,
      help: `[${description.stability}] ${description.help}`,
      type,
      aggregator: 'sum',
      async get() {
        await collect?.(family);
        return { ...metric, values: [...family.entries()].flatMap(([labels, series]) => read(name, labels, series)) };
      },
    };
    // The registry takes whatever has these members; its type names its own classes only.
    register.registerMetric(metric as unknown as Parameters<typeof register.registerMetric>[0]);
    return family;
  };
  const families: MetricFamilies = {
    register,
    counter: (description, collect) => add('counter', description, () => new Series(), readSeries, collect),
    gauge: (description, collect) => add('gauge', description, () => new Series(), readSeries, collect),
    histogram: (description, collect) =>
      add('histogram', description, () => new HistogramSeries(description.buckets), readHistogram, collect),
    async *texts() {
      for (const { name } of register.getMetricsAsArray()) yield `${await register.getSingleMetricAsString(name)}\n`;
    },
  };
  families.counter(
    {
      name: 'registered_metrics_total',
      help: 'The count of registered metrics broken by stability level and deprecation version.',
      stability: 'BETA',
      labels: ['stability_level', 'deprecated_version'],
    },
    (family) => {
      family.clear();
      for (const { stability } of described) family.with(stability, '').add();
    },
  );
  return families;
}

type Reader<S> = (name: string, labels: Readonly<Record<string, string>>, series: S) => Value[];

function readSeries(_name: string, labels: Readonly<Record<string, string>>, { value }: Series): Value[] {
  return [{ labels, value }];
}

function readHistogram(name: string, labels: Readonly<Record<string, string>>, series: HistogramSeries): Value[] {
  const { buckets, sum, count } = series.read();
  return [
    ...buckets.map(([le, value]) => ({ metricName: `${name}_bucket`, labels: { le }, sharedLabels: labels, value })),
    { metricName: `${name}_sum`, labels: {}, sharedLabels: labels, value: sum },
    { metricName: `${name}_count`, labels: {}, sharedLabels: labels, value: count },
  ];
}

class StoredFamily<S> implements Family<S> {
  readonly #labels: readonly string[];
  readonly #make: () => S;
  readonly #series = new Map<string, { readonly labels: Readonly<Record<string, string>>; readonly series: S }>();

  constructor(labels: readonly string[], make: () => S) {
    this.#labels = labels;
    this.#make = make;
    // Without labels there is one series, and it is there from the beginning.
    if (labels.length === 0) this.with();
  }

  with(...values: string[]): S {
    const key = values.join('\0');
    const present = this.#series.get(key);
    if (present !== undefined) return present.series;
    const labels = Object.fromEntries(this.#labels.map((label, index) => [label, values[index] ?? '']));
    const series = this.#make();
    this.#series.set(key, { labels, series });
    return series;
  }

  clear(): void {
    this.#series.clear();
  }

  *entries(): Iterable<[Readonly<Record<string, string>>, S]> {
    for (const { labels, series } of this.#series.values()) yield [labels, series];
  }
}
