import { Registry } from 'prom-client';

/** Upstream's promise about a metric: part of its help text. */
export type Stability = 'STABLE' | 'BETA' | 'ALPHA';

interface MetricDescription {
  readonly name: string;
  readonly help: string;
  readonly stability: Stability;
  readonly labels?: readonly string[];
}

/** A counter or gauge for one combination of label values. Frequent callers keep it. */
export class Series {
  value = 0;

  add(change = 1): void {
    this.value += change;
  }
}

/** A histogram for one combination of label values. */
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

  /** The buckets are cumulative; the last one has no bound. */
  read(): {
    readonly buckets: readonly (readonly [bound: number | '+Inf', count: number])[];
    readonly sum: number;
    readonly count: number;
  } {
    let count = 0;
    const buckets = Array.from(this.#counts, (own, index): [number | '+Inf', number] => {
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

type Collect<S> = (family: Family<S>) => void | Promise<void>;

/** The metrics of one server. `collect` is called at each scrape, before the series are read. */
export interface MetricFamilies {
  counter(description: MetricDescription, collect?: Collect<Series>): Family<Series>;
  gauge(description: MetricDescription, collect?: Collect<Series>): Family<Series>;
  histogram(
    description: MetricDescription & { readonly buckets: readonly number[] },
    collect?: Collect<HistogramSeries>,
  ): Family<HistogramSeries>;
  /** The registry of metrics that prom-client collects itself. */
  readonly register: Registry;
  /** All in the text format, in pieces that take a few milliseconds at most. */
  texts(): AsyncIterable<string>;
}

/** Some thousand lines. */
const pieceLength = 256 * 1024;

/** Makes metrics whose counting costs an addition; the text is made when they are scraped. */
export function createMetricFamilies(): MetricFamilies {
  const register = new Registry();
  const described: MetricDescription[] = [];
  const writers = new Map<string, () => AsyncIterable<string>>();
  const add = <S>(type: string, description: MetricDescription, make: () => S, write: Writer<S>, collect?: Collect<S>): Family<S> => {
    const { name, stability, help, labels = [] } = description;
    if (writers.has(name)) throw new Error(`there are two metrics ${name}`);
    const family = new StoredFamily(labels, make);
    described.push(description);
    writers.set(name, async function* () {
      await collect?.(family);
      let text = `# HELP ${name} ${escapeText(`[${stability}] ${help}`)}\n# TYPE ${name} ${type}\n`;
      // The values of this moment: others may collect again while these are on their way.
      for (const { labels: labelText, series } of family.all()) {
        text += write(name, labelText, series);
        if (text.length < pieceLength) continue;
        yield text;
        text = '';
      }
      yield text;
    });
    return family;
  };
  const families: MetricFamilies = {
    register,
    counter: (description, collect) => add('counter', description, () => new Series(), writeSeries, collect),
    gauge: (description, collect) => add('gauge', description, () => new Series(), writeSeries, collect),
    histogram: (description, collect) =>
      add('histogram', description, () => new HistogramSeries(description.buckets), writeHistogram, collect),
    async *texts() {
      for (const write of writers.values()) yield* write();
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

/** Writes the lines of one series; `labels` are the label pairs in their text form. */
type Writer<S> = (name: string, labels: string, series: S) => string;

function writeSeries(name: string, labels: string, { value }: Series): string {
  return `${name}${labels === '' ? '' : `{${labels}}`} ${formatNumber(value)}\n`;
}

function writeHistogram(name: string, labels: string, series: HistogramSeries): string {
  const { buckets, sum, count } = series.read();
  const [own, further] = labels === '' ? ['', ''] : [`{${labels}}`, `,${labels}`];
  let text = '';
  for (const [bound, cumulative] of buckets) text += `${name}_bucket{le="${bound}"${further}} ${cumulative}\n`;
  return `${text}${name}_sum${own} ${formatNumber(sum)}\n${name}_count${own} ${count}\n`;
}

function formatNumber(value: number): string {
  return Number.isFinite(value) ? String(value) : Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

function escapeText(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

class StoredFamily<S> implements Family<S> {
  readonly #labels: readonly string[];
  readonly #make: () => S;
  readonly #series = new Map<string, { readonly labels: string; readonly series: S }>();

  constructor(labels: readonly string[], make: () => S) {
    this.#labels = labels;
    this.#make = make;
    // A metric without labels has one series, which exists from the beginning.
    if (labels.length === 0) this.with();
  }

  with(...values: string[]): S {
    const key = values.join('\0');
    const present = this.#series.get(key);
    if (present !== undefined) return present.series;
    const labels = this.#labels.map((label, index) => `${label}="${escapeText(values[index] ?? '').replaceAll('"', '\\"')}"`).join(',');
    const series = this.#make();
    this.#series.set(key, { labels, series });
    return series;
  }

  clear(): void {
    this.#series.clear();
  }

  all(): readonly { readonly labels: string; readonly series: S }[] {
    return [...this.#series.values()];
  }
}
