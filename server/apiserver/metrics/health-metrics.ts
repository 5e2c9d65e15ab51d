import type { MetricFamilies } from '../metric-families.ts';

/** The results of health checks, as /metrics/slis exposes them. */
export interface HealthMetrics {
  checked(name: string, type: 'healthz' | 'livez' | 'readyz', isHealthy: boolean): void;
}

export function createHealthMetrics(families: MetricFamilies): HealthMetrics {
  const state = families.gauge({
    name: 'kubernetes_healthcheck',
    help: 'This metric records the result of a single healthcheck.',
    stability: 'STABLE',
    labels: ['name', 'type'],
  });
  const total = families.counter({
    name: 'kubernetes_healthchecks_total',
    help: 'This metric records the results of all healthcheck.',
    stability: 'STABLE',
    labels: ['name', 'status', 'type'],
  });
  return {
    checked(name, type, isHealthy) {
      state.with(name, type).value = isHealthy ? 1 : 0;
      total.with(name, isHealthy ? 'success' : 'error', type).add();
    },
  };
}
