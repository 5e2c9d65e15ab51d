import type { Family, HistogramSeries, MetricFamilies } from './families.ts';

const buckets = [0.005, 0.025, 0.1, 0.5, 1, 2.5];
const byStep = ['type', 'operation', 'rejected'];
const byName = ['name', ...byStep];

/** Which of the two phases of admission: `admit` may change the object. */
export type AdmissionType = 'admit' | 'validate';

/** What the server counts about admission. */
export interface AdmissionMetrics {
  /** One phase with all its plugins. */
  step(type: AdmissionType, operation: string, rejected: boolean, seconds: number): void;
  /** One plugin. */
  plugin(name: string, type: AdmissionType, operation: string, rejected: boolean, seconds: number): void;
  /** One webhook. */
  webhook(name: string, type: AdmissionType, operation: string, rejected: boolean, seconds: number): void;
}

export function createAdmissionMetrics(families: MetricFamilies): AdmissionMetrics {
  const step = families.histogram({
    name: 'apiserver_admission_step_admission_duration_seconds',
    help: 'Admission sub-step latency histogram in seconds, broken out for each operation and API resource and step type (validate or admit).',
    stability: 'STABLE',
    labels: byStep,
    buckets,
  });
  const plugin = families.histogram({
    name: 'apiserver_admission_controller_admission_duration_seconds',
    help: 'Admission controller latency histogram in seconds, identified by name and broken out for each operation and API resource and type (validate or admit).',
    stability: 'STABLE',
    labels: byName,
    buckets,
  });
  const webhook = families.histogram({
    name: 'apiserver_admission_webhook_admission_duration_seconds',
    help: 'Admission webhook latency histogram in seconds, identified by name and broken out for each operation and API resource and type (validate or admit).',
    stability: 'STABLE',
    labels: byName,
    buckets: [...buckets, 10, 25],
  });
  const named = (family: Family<HistogramSeries>) => {
    const known = new Map<string, Map<string, HistogramSeries>>();
    return (name: string, type: AdmissionType, operation: string, rejected: boolean, seconds: number) => {
      let series = known.get(name);
      if (series === undefined) known.set(name, (series = new Map()));
      observe(series, type, operation, rejected, seconds, () => family.with(name, type, operation, String(rejected)));
    };
  };
  const steps = new Map<string, HistogramSeries>();
  return {
    step: (type, operation, rejected, seconds) =>
      observe(steps, type, operation, rejected, seconds, () => step.with(type, operation, String(rejected))),
    plugin: named(plugin),
    webhook: named(webhook),
  };
}

function observe(
  known: Map<string, HistogramSeries>,
  type: AdmissionType,
  operation: string,
  rejected: boolean,
  seconds: number,
  make: () => HistogramSeries,
): void {
  const key = `${type}${operation}${rejected}`;
  let series = known.get(key);
  if (series === undefined) known.set(key, (series = make()));
  series.observe(seconds);
}
