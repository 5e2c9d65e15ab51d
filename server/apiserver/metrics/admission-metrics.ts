import type { HistogramSeries, MetricFamilies } from '../metric-families.ts';
import { createPolicyMetrics, type PolicyMetrics } from './policy-metrics.ts';

const buckets = [0.005, 0.025, 0.1, 0.5, 1, 2.5];
const byStep = ['type', 'operation', 'rejected'];
const byName = ['name', ...byStep];

/** The two phases of admission: `admit` may change the object. */
export type AdmissionType = 'admit' | 'validate';

/** Counts one run of a plugin or phase, whose series were looked up once. */
export type AdmissionCounter = (rejected: boolean, seconds: number) => void;

/** Metrics of admission. */
export interface AdmissionMetrics {
  /** Counts one phase with all its plugins. */
  step(type: AdmissionType, operation: string): AdmissionCounter;
  /** Counts one plugin. */
  plugin(name: string, type: AdmissionType, operation: string): AdmissionCounter;
  readonly policies: PolicyMetrics;
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
  return {
    step: (type, operation) => counterOf((rejected) => step.with(type, operation, rejected)),
    plugin: (name, type, operation) => counterOf((rejected) => plugin.with(name, type, operation, rejected)),
    policies: createPolicyMetrics(families),
  };
}

/** A series is there from its first run on. */
function counterOf(seriesOf: (rejected: 'true' | 'false') => HistogramSeries): AdmissionCounter {
  let admitting: HistogramSeries | undefined;
  let rejecting: HistogramSeries | undefined;
  return (rejected, seconds) => {
    const series = rejected ? (rejecting ??= seriesOf('true')) : (admitting ??= seriesOf('false'));
    series.observe(seconds);
  };
}
