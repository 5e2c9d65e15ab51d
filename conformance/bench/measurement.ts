/** A number of one target. Numbers that differ only in target and round are compared. */
export interface Measurement {
  readonly target: string;
  readonly round: number;
  /** The scenario of the measurement, e.g. `requests`. */
  readonly scenario: string;
  /** The work that was done, e.g. `create pods`. */
  readonly subject: string;
  /** How, e.g. `h1 ×16`; may be empty. */
  readonly load: string;
  readonly metric: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  readonly value: number;
}

/** A remark for readers of the numbers. */
export interface Remark {
  readonly target: string;
  readonly about: string;
  readonly text: string;
}

export interface Results {
  readonly machine: string;
  readonly targets: readonly string[];
  readonly measurements: readonly Measurement[];
  readonly remarks: readonly Remark[];
}

/** Name and unit of each metric, and which way it is better. */
export const metrics = {
  perSecond: { metric: 'requests per second', unit: '/s', better: 'more' },
  p50: { metric: 'p50', unit: 'ms', better: 'less' },
  p99: { metric: 'p99', unit: 'ms', better: 'less' },
  serverCPU: { metric: 'server CPU per request', unit: 'ms', better: 'less' },
  storeCPU: { metric: 'store CPU per request', unit: 'ms', better: 'less' },
  eventsPerSecond: { metric: 'delivered events per second', unit: '/s', better: 'more' },
  serverCPUPerEvent: { metric: 'server CPU per delivered event', unit: 'µs', better: 'less' },
  reachAllP50: { metric: 'one event to the last watch, p50', unit: 'ms', better: 'less' },
  reachAllP99: { metric: 'one event to the last watch, p99', unit: 'ms', better: 'less' },
  syncSeconds: { metric: 'until all informers are synced', unit: 's', better: 'less' },
  serverCPUSeconds: { metric: 'server CPU', unit: 's', better: 'less' },
  readyMs: { metric: 'until /readyz is ok', unit: 'ms', better: 'less' },
  addedMs: { metric: 'added to a request, p50', unit: 'ms', better: 'less' },
  installSeconds: { metric: 'until all are served', unit: 's', better: 'less' },
  seenP50: { metric: 'until it is seen, p50', unit: 'ms', better: 'less' },
  seenMax: { metric: 'until it is seen, most', unit: 'ms', better: 'less' },
  perDefinition: { metric: 'resident memory of each', unit: 'KiB', better: 'less' },
  residentMiB: { metric: 'resident memory', unit: 'MiB', better: 'less' },
  peakMiB: { metric: 'peak of resident memory', unit: 'MiB', better: 'less' },
} as const satisfies Record<string, Pick<Measurement, 'metric' | 'unit' | 'better'>>;

export type MetricName = keyof typeof metrics;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}
